// The list of what waits, one request a line. A line keeps its place and its size, whatever comes to be known of it.
//
// Nothing that is on the screen moves by itself: what comes above it is counted on a button, what goes is dimmed.

import { amountOf, titleOf } from "./card.js";
import { button, h, say } from "./dom.js";
import { count, dueIn, inWords, oneLine } from "./words.js";

const STEP = 100; // lines that are shown, and how many more at a time

/** What makes requests alike, so that they can be approved together: the action, and whose answer it takes. */
export function kindOf(view) {
  return [view.action_requests[0].name, ...view.roles].join(" ");
}

export class List {
  limit = STEP;
  #rows = new Map(); // by thread

  /** `page` is the page of approvals; `whose` says in words for whom these wait. */
  constructor(page, whose) {
    this.page = page;
    this.whose = whose;
    this.count = h("h1", {}, "Looking …");
    this.news = button("", () => this.showNew(), { class: "news-button", hidden: true, "aria-keyshortcuts": "n" });
    this.rows = h("ul", { class: "rows", "aria-label": "What waits" });
    this.more = button("", () => this.#showMore(), { class: "more", hidden: true });
    this.element = h("section", { class: "listing", "aria-label": "Requests" },
      h("div", { class: "list-head" }, this.count, this.news), this.rows, this.more);
  }

  /** Show what is known by now. */
  paint() {
    const { queue, path, several, states, api } = this.page;
    const threads = this.shown();
    for (const thread of threads) {
      const entry = queue.entries.get(thread);
      const row = this.#rows.get(thread) ?? this.#add(entry);
      row.update(entry, {
        selected: Boolean(path) && entry.request === path,
        picked: several.kind,
        isPicked: several.has(thread),
        state: stateOf(states, entry),
      });
    }
    queue.listed = threads.length;
    const { size, unseen } = queue;
    say(this.count, size ? `${count(size, "request")} for ${this.whose}` : `Nothing waits for ${this.whose}`);
    this.news.hidden = !unseen;
    say(this.news, unseen ? `${unseen.toLocaleString()} new: show` : "");
    const rest = queue.order.length - threads.length;
    this.more.hidden = rest <= 0;
    say(this.more, `Show more (${rest.toLocaleString()} are left)`);
    api.head(size ? `(${size}) Approvals` : "Approvals");
  }

  /** The threads that have a line. */
  shown() {
    return this.page.queue.order.slice(0, this.limit).filter((thread) => this.page.queue.entries.has(thread));
  }

  /** The entries that have a line and wait for an answer. */
  waiting() {
    const entries = this.shown().map((thread) => this.page.queue.entries.get(thread));
    return entries.filter((entry) => !entry.gone && !stateOf(this.page.states, entry));
  }

  /** Put all in order, the most urgent first, without what waits no more. */
  arrange() {
    this.page.queue.arrange();
    this.#rows.clear();
    this.rows.replaceChildren();
    this.paint();
  }

  /** Show the new ones where they belong: only when its reader says so. */
  showNew() {
    this.arrange();
    this.rows.firstElementChild?.scrollIntoView({ block: "nearest" });
    this.page.live.now(); // for what the new lines lack
  }

  /** The entry `by` places from the one that is open, or the first; its line is given the focus. */
  step(by) {
    const { queue, path, states } = this.page;
    const waits = (entry) => entry && !entry.gone && !stateOf(states, entry);
    const entries = queue.order.map((thread) => queue.entries.get(thread));
    const here = entries.findIndex((entry) => path && entry?.request === path);
    const next = by > 0
      ? entries.find((entry, number) => number > here && waits(entry))
      : entries.findLast((entry, number) => number < here && waits(entry));
    if (!next) return null;
    while (queue.order.indexOf(next.thread) >= this.limit) this.limit += STEP;
    this.paint();
    this.#rows.get(next.thread).link.focus();
    return next;
  }

  #add(entry) {
    const row = new Row(entry, { pick: (picked, on) => this.page.several.pick(picked, on), canPick: this.page.answers });
    this.#rows.set(entry.thread, row);
    this.rows.append(row.element);
    return row;
  }

  #showMore() {
    const first = this.shown().length;
    this.limit += STEP;
    this.paint();
    this.rows.children[first]?.querySelector("a").focus();
    this.page.live.now();
  }
}

/** What became here of what an entry shows. */
function stateOf(states, entry) {
  return states.get((entry.view ?? entry.seen)?.token);
}

/** A line of the list. */
class Row {
  constructor(entry, { pick, canPick }) {
    this.title = h("span", { class: "row-title" });
    this.amount = h("span", { class: "amount" });
    this.about = h("span", { class: "dim" });
    this.due = h("span", { class: "dim due" });
    this.link = h("a", { class: "row-link" }, this.title, this.amount, this.about, this.due);
    this.box = canPick ? h("input", { type: "checkbox", onchange: (event) => pick(this.entry, event.target.checked) }) : null;
    this.element = h("li", { class: "row" }, this.box && h("label", { class: "pick" }, this.box), this.link);
    this.entry = entry;
  }

  /** Show what is known by now. `picked` is the kind of those that are picked, `state` what became of it here. */
  update(entry, { selected, picked, isPicked, state }) {
    this.entry = entry;
    const view = entry.view ?? entry.seen;
    const title = view ? titleOf(view) : inWords(entry.case);
    const about = [entry.about || oneLine(view?.subject), view?.steps > 1 && `step ${view.step}/${view.steps}`];
    say(this.title, title);
    say(this.amount, view ? amountOf(view) : "");
    say(this.about, about.filter(Boolean).join(" · "));
    say(this.due, state || (entry.gone ? "waits here no more" : `due ${dueIn(entry.due)}`));
    this.link.href = `#/approvals/${encodeURIComponent(entry.request)}`;
    if (selected) this.link.setAttribute("aria-current", "true");
    else this.link.removeAttribute("aria-current");
    const over = entry.gone || Boolean(state);
    this.element.classList.toggle("over", over);
    this.element.classList.toggle("late", !over && Date.parse(entry.due) < Date.now());
    if (this.box) {
      this.box.checked = isPicked;
      this.box.disabled = over || !entry.view || (picked !== null && kindOf(entry.view) !== picked);
      this.box.setAttribute("aria-label", `Pick ${title} ${this.amount.textContent} ${about[0]}`);
    }
  }
}
