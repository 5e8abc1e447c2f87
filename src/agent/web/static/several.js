// Several requests alike, approved together: each is answered, and sealed, by itself, as it was shown when it was picked.

import { answer } from "./answers.js";
import { amountOf, titleOf } from "./card.js";
import { button, h } from "./dom.js";
import { whyNot } from "./outbox.js";
import { kindOf } from "./rows.js";
import { count, oneLine } from "./words.js";

export class Several {
  #picked = new Map(); // entries by thread

  /** `page` is the page of approvals, whose list they are picked from. */
  constructor(page) {
    this.page = page;
  }

  /** What the picked ones have in common; null when none is picked. */
  get kind() {
    const [first] = this.#picked.values();
    return first ? kindOf(first.view) : null;
  }

  has(thread) {
    return this.#picked.has(thread);
  }

  /** Pick an entry, or no longer; one that is unlike the others stays out. */
  pick(entry, on) {
    if (!on) this.#picked.delete(entry.thread);
    else if (this.kind === null || this.kind === kindOf(entry.view)) this.#picked.set(entry.thread, { ...entry });
    this.page.list.paint();
    if (this.page.path) this.page.api.go("approvals");
    else this.draw();
  }

  /** What is picked, in place of a card. */
  draw() {
    const { page } = this;
    const entries = [...this.#picked.values()];
    page.root.classList.toggle("has-picked", entries.length > 0);
    if (!entries.length) {
      page.side.replaceChildren(h("p", { class: "dim hint" }, page.answers
        ? "Open a request: j and k go through them, ? shows all keys."
        : "You may read what waits; its answers are for others."));
      return;
    }
    const alike = page.list.waiting().filter((entry) => entry.view && kindOf(entry.view) === this.kind);
    page.side.replaceChildren(h("article", { class: "card", "aria-label": "Several at once" },
      h("h2", {}, entries.length === 1 ? "1 request picked" : `${entries.length} requests alike`),
      h("p", {}, "Each is answered and sealed by itself, as it is shown here."),
      h("div", { class: "actions" },
        button(`Approve ${entries.length}`, () => this.#approve(), { class: "main-action" }),
        alike.length > entries.length && button(`Pick all ${alike.length} on the list`, () => this.#pickAll(alike)),
        button("Pick none", () => this.#pickAll([]))),
      h("ul", {}, entries.map(({ view }) => h("li", {}, h("strong", {}, `${titleOf(view)} ${amountOf(view)}`),
        ` ${oneLine(view.order_id ?? view.subject)}, asked by ${oneLine(view.asked_by)} for ${oneLine(view.subject)}`)))));
  }

  #pickAll(entries) {
    this.#picked = new Map(entries.map((entry) => [entry.thread, { ...entry }]));
    this.page.list.paint();
    this.draw();
  }

  #approve() {
    const { page } = this;
    const entries = [...this.#picked.values()];
    let left = entries; // to be sent, also when they are sent again
    let done = 0;
    this.#picked.clear();
    for (const { view } of entries) page.mark(view, "approve");
    this.draw();
    page.api.outbox.put({
      label: `Approve ${count(entries.length, "request")}: ${titleOf(entries[0].view)}`,
      path: "approvals",
      send: async (progress) => {
        const outcomes = await this.#send(left, progress);
        done += outcomes.filter((outcome) => outcome.done).length;
        left = left.filter((_, number) => outcomes[number].again);
        return { done: done === entries.length, text: `${done} of ${entries.length} were taken.`, again: left.length > 0 };
      },
      undone: () => {
        for (const { view } of entries) page.mark(view, null);
        this.#pickAll(entries);
      },
      settled: () => page.live.now(),
    });
  }

  /** Send one after the other, and tell what came of each as it comes. */
  async #send(entries, progress) {
    const outcomes = [];
    for (const entry of entries) {
      const { view } = entry;
      let outcome;
      try {
        outcome = await answer(this.page.api, entry, { decision: "approve" });
      } catch (error) {
        outcome = { done: false, text: whyNot(error), again: true };
      }
      outcomes.push(outcome);
      this.page.mark(view, outcome.done ? "approve: recorded" : null);
      progress(`${view.request_id} ${amountOf(view)}: ${outcome.text}`);
    }
    return outcomes;
  }
}
