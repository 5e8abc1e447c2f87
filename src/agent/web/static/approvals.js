// Approvals: what waits for whoever sits here, one of it in full, and the answers to it.

import { answer, ask, askedOf, lookUp, newKey, story } from "./answers.js";
import { Card, amountOf, answersIn, editedArgs, form, takes, titleOf } from "./card.js";
import { h } from "./dom.js";
import { live } from "./live.js";
import { OVERSEERS, Queue } from "./queue.js";
import { List } from "./rows.js";
import { Several } from "./several.js";
import { either, inWords, oneLine } from "./words.js";

export const title = "Approvals";

let page = null;

export function mount(root, api) {
  page = new Approvals(root, api);
}

export function unmount() {
  page.live.stop();
  page = null;
}

class Approvals {
  states = new Map(); // what became here of a request, by the token of what was shown: one that changes is another
  card = null;
  path = "";

  constructor(root, api) {
    this.api = api;
    this.answers = !OVERSEERS.includes(api.me.role);
    this.queue = new Queue(api);
    this.several = new Several(this);
    this.list = new List(this, this.answers ? either([api.me.role]) : "all roles");
    this.side = h("section", { class: "side", "aria-label": "The request" });
    this.root = h("div", { class: "two" }, this.list.element, this.side);
    root.append(this.root);
    api.onPath((path) => this.show(path));
    api.keys({
      j: ["next request", () => this.step(1)],
      k: ["the one before", () => this.step(-1)],
      a: ["approve", () => this.act("approve")],
      r: ["reject, with a reason", () => this.act("reject")],
      e: ["edit the amount", () => this.act("edit")],
      q: ["ask the customer", () => this.act("ask")],
      x: ["pick, to approve several alike", () => this.pick()],
      n: ["show the new ones", () => this.list.showNew()],
    });
    this.live = live(() => this.look());
    this.show(api.path);
  }

  async look() {
    const { queue, list } = this;
    if (!this.begun) {
      await queue.begin(() => list.arrange());
      this.begun = true;
      list.paint();
      this.show(this.path); // whose card may be among these
    }
    const before = queue.unseen;
    const changed = await queue.look();
    if (!list.shown().length) queue.arrange(); // there is nothing to move
    list.paint();
    if (await queue.fetch(list.shown())) list.paint();
    if (queue.unseen > before) this.api.speak(`${queue.unseen} new`);
    await this.checkCard();
    return changed;
  }

  /** Go to the next request, or the one before; whether there is one. */
  step(by) {
    const next = this.list.step(by);
    if (next) this.api.go(`approvals/${encodeURIComponent(next.request)}`);
    return Boolean(next);
  }

  /** Show what the address names: a request, or nothing. */
  async show(path) {
    if (path === this.path && this.card) return;
    this.path = path;
    this.root.classList.toggle("has-card", Boolean(path));
    this.card = null;
    if (this.begun) this.list.paint();
    if (!path) {
      this.several.draw();
      return;
    }
    const entry = this.queue.of(path);
    if (entry && !entry.view) await this.queue.fetch([entry.thread]);
    if (this.path === path && this.begun) await this.draw(this.queue.of(path));
  }

  async draw(entry) {
    const id = this.path;
    if (entry?.view && !entry.gone) {
      this.place(new Card({ ...entry }, {
        canAnswer: this.answers && this.queue.isFor(entry.view),
        act: (kind) => this.act(kind),
        showAgain: () => this.showAgain(),
      }));
    } else {
      this.side.replaceChildren(h("p", { class: "dim" }, "Looking …"));
    }
    try {
      const known = await lookUp(this.api, id);
      if (this.path !== id) return;
      if (!this.card) this.place(new Card({ view: known, thread: null }, { canAnswer: false }));
      if (known.status !== "open") this.card.tell(story(known));
      await this.tellMore(known);
    } catch (error) {
      if (!("status" in error)) throw error;
      if (this.path === id && !this.card) this.side.replaceChildren(h("p", { class: "wrong" }, error.status === 404 ? `There is no request ${oneLine(id)}.` : `It can't be read: ${error.message}.`));
    }
  }

  place(card) {
    this.card = card;
    card.slot.replaceChildren();
    this.side.replaceChildren(card.element);
    const state = this.states.get(card.entry.view.token);
    card.tell(state && `Your answer: ${state}`);
    if (!this.list.element.offsetParent || state) card.title.focus(); // where the list is not shown, or what had it is gone
  }

  async tellMore(known) {
    const { card } = this;
    const { entry } = card;
    const [questions, thread] = await Promise.all([
      askedOf(this.api, known.request_id),
      entry.graph === "customer_service" ? this.api.get(`threads/${entry.thread}`) : null,
    ]);
    if (card.answers < answersIn(questions)) this.api.speak("The customer has answered.");
    card.tellMore({ decisions: known.decisions, questions, messages: thread?.values?.messages ?? [] });
  }

  /** Say on the open card what happened to its request meanwhile; the card itself stays as it was read. */
  async checkCard() {
    const { card, path } = this;
    if (!card || !card.canAnswer) return;
    const entry = this.queue.of(path);
    if (this.states.has(card.entry.view.token)) return;
    if (entry && !entry.gone) {
      const changed = entry.view && entry.view.token !== card.entry.view.token;
      card.tell(changed && "This request has changed since you opened it.");
      const questions = await askedOf(this.api, path); // whose answer may come in any conversation
      if (this.card !== card) return;
      if (entry.updated === card.entry.updated && card.asked === questions.length && card.answers === answersIn(questions)) return;
      card.entry.updated = entry.updated; // something was said in its conversation
      await this.tellMore(await lookUp(this.api, path));
      return;
    }
    const known = await lookUp(this.api, path);
    if (this.card !== card) return;
    if (known.status !== "open" || !this.queue.isFor(known)) card.tell(story(known));
    else card.tell("Somebody's answer to this is being worked on.");
  }

  async showAgain() {
    this.card = null;
    const entry = this.queue.of(this.path);
    if (entry) entry.view = null;
    await this.queue.look();
    await this.show(this.path);
    this.card?.title.focus();
  }

  /** Approve, or open the form that an answer needs. */
  act(kind) {
    const { card } = this;
    if (!card?.canAnswer || card.closed) return;
    const { view } = card.entry;
    if (kind === "approve") this.decide(card.entry, { decision: "approve" });
    else if (kind === "ask" || kind === "note" || takes(view, kind)) {
      const close = () => {
        card.slot.replaceChildren();
        card.title.focus();
      };
      const made = form(view, kind, { close, submit: (values, forget) => this.submit(card.entry, kind, values, forget) });
      card.slot.replaceChildren(made.element);
      made.focus();
    }
  }

  submit(entry, kind, { note = "", amount, question }, forget) {
    if (kind === "ask") this.askCustomer(entry, question, forget);
    else if (kind === "edit") this.decide(entry, { decision: "edit", note, args: editedArgs(entry.view, amount) }, forget);
    else this.decide(entry, { decision: kind === "note" ? "approve" : kind, note }, forget);
  }

  /** Have an answer to what `entry` shows sent, and go on to the next request. */
  decide(entry, said, forget = () => {}) {
    const id = entry.view.request_id;
    const label = `${inWords(said.decision)}: ${titleOf(entry.view)} ${amountOf(entry.view)} (${id})`;
    this.mark(entry.view, said.decision);
    if (!this.step(1)) this.place(this.card);
    this.api.outbox.put({
      label, path: `approvals/${encodeURIComponent(id)}`,
      send: () => answer(this.api, entry, said),
      undone: () => {
        this.mark(entry.view, null);
        if (this.card?.entry === entry) this.place(this.card);
        this.card?.title.focus();
      },
      settled: (outcome) => {
        this.mark(entry.view, outcome.done ? `${said.decision}: recorded` : null);
        if (outcome.done) forget();
        this.afterwards(id);
      },
    });
  }

  askCustomer(entry, question, forget) {
    const id = entry.view.request_id;
    const key = newKey();
    this.card.slot.replaceChildren();
    this.card.title.focus();
    this.api.outbox.put({
      label: `Ask the customer about ${titleOf(entry.view)} (${id})`, path: `approvals/${encodeURIComponent(id)}`,
      send: () => ask(this.api, id, question.trim(), key),
      undone: () => this.act("ask"),
      settled: (outcome) => {
        if (outcome.done) forget();
        this.afterwards(id);
      },
    });
  }

  /** Pick the request that is open, to approve it with others alike. */
  pick() {
    const entry = this.card?.canAnswer && !this.card.closed && this.queue.of(this.path);
    if (entry?.view) this.several.pick(entry, !this.several.has(entry.thread));
  }

  /** Note what became here of a request, on its line. */
  mark(view, state) {
    if (state) this.states.set(view.token, state);
    else this.states.delete(view.token);
    if (page === this) this.list.paint();
  }

  /** What came of an answer may stand on the card that is open. */
  async afterwards(id) {
    if (page !== this) return;
    this.live.now();
    if (this.path !== id) return;
    if (this.states.has(this.card?.entry.view.token)) {
      const known = await lookUp(this.api, id);
      if (this.path === id) this.card?.tell(story(known));
    } else await this.showAgain();
  }
}
