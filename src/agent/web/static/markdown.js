// The markdown that cards use, and no more: paragraphs, lists, bold. A quotation is set apart, and read as plain text
// to its last mark: a customer's words can't make themselves look like the desk's.

import { h } from "./dom.js";
import { clean } from "./words.js";

const INLINE = /“[^]*”|\*\*[^*]+\*\*/u;

/** Elements for a card's text. */
export function markdown(text) {
  return clean(text).split(/\n{2,}/u).filter((part) => part.trim()).flatMap(block);
}

/** A paragraph, a list, or a line and the list that belongs to it. */
function block(part) {
  const made = [];
  for (const line of part.split("\n")) {
    const isItem = line.startsWith("- ");
    const tag = isItem ? "UL" : "P";
    if (made.at(-1)?.tagName !== tag) made.push(h(tag));
    if (isItem) made.at(-1).append(h("li", {}, inline(line.slice(2))));
    else made.at(-1).append(...inline(made.at(-1).hasChildNodes() ? ` ${line}` : line));
  }
  return made;
}

function inline(text) {
  const found = INLINE.exec(text);
  if (!found) return text ? [text] : [];
  const [marked] = found;
  const element = marked.startsWith("“") ? h("q", {}, marked) : h("strong", {}, inline(marked.slice(2, -2)));
  return [text.slice(0, found.index), element, ...inline(text.slice(found.index + marked.length))];
}
