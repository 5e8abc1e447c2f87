// Builds elements. What comes from outside is only ever text: nothing here, or anywhere else, takes markup.

/** An element. Of `props`, `on…` are listeners, `class` and what else holds a text are attributes, true is a bare one. */
export function h(tag, props = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** Put a text where it changes, and nothing where it does not: a screen reader would say it again. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Names and values; a pair without a value is left out. */
export function facts(pairs) {
  const told = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return h("dl", { class: "facts" }, told.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}

/**
 * Draw what an element holds anew, where it has changed. What had the focus keeps it, by its `data-key`: a list that is
 * live does not throw out who goes through it by keys.
 */
export function redraw(element, ...children) {
  const fresh = h("div", {}, ...children);
  if (fresh.childNodes.length === element.childNodes.length && [...fresh.childNodes].every((each, at) => each.isEqualNode(element.childNodes[at]))) return;
  const key = element.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  element.replaceChildren(...fresh.childNodes);
  if (key) element.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
}

/** A table of cells, each a text or an element; its first column names the row. */
export function table(name, columns, rows) {
  const head = h("tr", {}, columns.map((each) => h("th", { scope: "col" }, each)));
  const body = rows.map(([first, ...cells]) => h("tr", {}, h("th", { scope: "row" }, first), cells.map((cell) => h("td", {}, cell))));
  return h("table", {}, h("caption", { class: "unseen" }, name), h("thead", {}, head), h("tbody", {}, body));
}

/** A button that does one thing. */
export function button(text, onclick, props = {}) {
  return h("button", { type: "button", onclick, ...props }, text);
}
