// The orders behind a number, a page at a time.

import { button, h, redraw } from "./dom.js";
import { count, inWords, moment, oneLine } from "./words.js";

const PAGE = 100; // lines that the server gives at once

export class Lines {
  drawn = false;
  pages = 1;

  /** The list `of` its name: "orders/parked". */
  constructor(page, _, of) {
    this.page = page;
    [this.list, ...this.of] = of.split("/");
    this.rows = h("ul", { class: "rows", "aria-label": "What is behind the number" });
    this.more = button("Show more", () => this.showMore(), { class: "more", hidden: true });
    this.element = h("div", { class: "listing" }, this.rows, this.more);
  }

  async fetch() {
    const of = encodeURIComponent(this.of.join("/"));
    const found = { lines: [], more: true };
    for (let at = 0; at < this.pages && found.more; at += 1) {
      const answer = await this.page.api.get(`ops/lists/${encodeURIComponent(this.list)}?of=${of}&limit=${PAGE}&offset=${at * PAGE}`);
      found.lines.push(...answer.lines);
      found.more = answer.more;
    }
    return found;
  }

  draw({ lines, more }) {
    this.drawn = true;
    redraw(this.rows, lines.map((line, at) => row(line, at)));
    this.more.hidden = !more;
    const name = [inWords(this.list), ...this.of.map((each) => inWords(each.replace(":", ", ")).toLowerCase())].join(", ");
    return `${name}: ${more ? `the first ${lines.length}` : count(lines.length, "line")}`;
  }

  showMore() {
    this.pages += 1;
    this.page.live.now();
  }
}

/** A line leads to its order's story, or else to where it is worked on. */
function row({ at, says, order_id: order, thread_id: thread, request_id: request, ticket_id: ticket }, number) {
  const [href, name] = order ? [`#/operations/order/${encodeURIComponent(order)}`, order]
    : ticket ? [`#/tickets/${ticket}`, ticket] : request ? [`#/approvals/${request}`, request]
      : thread ? [`#/operations/thread/${thread}`, thread] : [null, ""];
  const inside = [h("span", { class: "row-title" }, oneLine(name)), h("time", { datetime: at, class: "dim due" }, moment(at)), h("span", { class: "dim begins" }, oneLine(says))];
  const other = order && (ticket ? h("a", { class: "row-more", href: `#/tickets/${ticket}` }, "its ticket")
    : request ? h("a", { class: "row-more", href: `#/approvals/${request}` }, "its request") : null);
  return h("li", { class: "row" }, href ? h("a", { class: "row-link", href, "data-key": `${number} ${name}` }, inside) : h("span", { class: "row-link" }, inside), other);
}
