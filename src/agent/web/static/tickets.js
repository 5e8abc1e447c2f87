// Tickets: the cases that are no yes or no. One of a role takes a ticket, answers, and closes it.

import { newKey, plain } from "./answers.js";
import { conversation } from "./conversation.js";
import { button, facts, h, say } from "./dom.js";
import { live } from "./live.js";
import { OVERSEERS } from "./queue.js";
import { clean, count, dueIn, either, inWords, moment, oneLine } from "./words.js";

export const title = "Tickets";

const PAGE = 100; // tickets that the server gives at once
const SPEAKERS = { answer: "to the customer", reply: "from the customer", note: "note" };
const FORMS = {
  answer: { does: "Send to the customer", label: "What the customer hears, in these words", limit: 8000, body: "text", required: true },
  close: { does: "Close the ticket", label: "How it ended, for staff (if you like)", limit: 2000, body: "note", required: false },
};
const drafts = new Map(); // what was typed and not sent, by ticket and form: kept while the tab is open

let page = null;

export function mount(root, api) {
  page = new Tickets(root, api);
}

export function unmount() {
  page.live.stop();
  page = null;
}

class Tickets {
  tickets = new Map(); // as the server lists them
  listed = []; // ids in the order of the screen; what came since stays out of it
  path = "";
  refreshed = 0; // how often the open ticket was asked for

  constructor(root, api) {
    this.api = api;
    this.count = h("h1", {}, "Looking …");
    this.news = button("", () => this.arrange(), { class: "news-button", hidden: true, "aria-keyshortcuts": "n" });
    this.rows = h("ul", { class: "rows", "aria-label": "Tickets" });
    this.which = h("select", { "aria-label": "Which tickets", onchange: () => this.turn() },
      h("option", { value: "" }, "Not closed"), h("option", { value: "closed" }, "Closed"));
    this.side = h("section", { class: "side", "aria-label": "The ticket" });
    this.root = h("div", { class: "two" },
      h("section", { class: "listing", "aria-label": "Queue" }, h("div", { class: "list-head" }, this.count, this.news, this.which), this.rows), this.side);
    root.append(this.root);
    api.onPath((path) => this.show(path));
    api.keys({
      j: ["next ticket", () => this.step(1)],
      k: ["the one before", () => this.step(-1)],
      t: ["take it", () => this.press("take")],
      a: ["answer", () => this.press("answer")],
      c: ["close it", () => this.press("close")],
      n: ["show the new ones", () => this.arrange()],
    });
    this.live = live(() => this.look());
    this.show(api.path);
  }

  /** Show the other ones. */
  turn() {
    this.tickets = new Map();
    this.listed = [];
    say(this.count, "Looking …");
    this.rows.replaceChildren();
    this.live.now();
  }

  async look() {
    const which = this.which.value;
    if (which) return this.lookAtClosed(which);
    const found = new Map();
    try {
      for (let offset = 0, more = true; more; offset += PAGE) {
        const answer = await this.api.get(`ops/tickets?limit=${PAGE}&offset=${offset}`);
        for (const ticket of answer.tickets) found.set(ticket.id, ticket);
        more = answer.more;
      }
    } catch (error) {
      if (error.status === 403) say(this.count, plain(error.message));
      throw error;
    }
    if (this.which.value !== which) return true; // the others are asked for by now
    const before = JSON.stringify([...this.tickets]);
    const known = this.tickets;
    this.tickets = found;
    for (const id of this.listed) if (!found.has(id)) found.set(id, { ...known.get(id), status: "closed" });
    if (!this.listed.length) this.arrange();
    else this.paint();
    await this.refresh();
    return before !== JSON.stringify([...this.tickets]);
  }

  /** Those that were closed last, the latest first. */
  async lookAtClosed(which) {
    const { tickets, more } = await this.api.get(`ops/tickets?status=${which}&limit=${PAGE}`);
    if (this.which.value !== which) return true;
    this.tickets = new Map(tickets.map((each) => [each.id, each]));
    this.listed = [...this.tickets.keys()];
    this.paint();
    say(this.count, more ? `The last ${PAGE} that were closed` : count(tickets.length, "closed ticket"));
    await this.refresh();
    return false;
  }

  // The list

  /** The server's own order, the most urgent first, without what is closed. */
  arrange() {
    if (this.which.value) return;
    for (const [id, ticket] of this.tickets) if (ticket.status === "closed") this.tickets.delete(id);
    this.listed = [...this.tickets.keys()];
    this.paint();
  }

  paint() {
    const open = [...this.tickets.values()].filter((ticket) => ticket.status !== "closed");
    const unseen = open.filter((ticket) => !this.listed.includes(ticket.id)).length;
    if (!this.which.value) say(this.count, open.length ? count(open.length, "ticket") : "No ticket waits");
    this.news.hidden = !unseen;
    if (unseen && this.news.textContent !== `${unseen} new: show`) this.api.speak(`${unseen} new`);
    say(this.news, unseen ? `${unseen} new: show` : "");
    this.api.head(open.length ? `(${open.length}) ${title}` : title);
    const rows = this.listed.map((id) => this.row(this.tickets.get(id)));
    if (rows.some((row, number) => !row.isEqualNode(this.rows.children[number])) || rows.length !== this.rows.children.length) {
      const focused = this.rows.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
      this.rows.replaceChildren(...rows);
      if (focused) this.rows.querySelector(`a[href="${focused}"]`)?.focus();
    }
  }

  row(ticket) {
    const stands = ticket.status === "taken" ? `taken by ${oneLine(ticket.taken_by)}` : ticket.status === "open" && ticket.due ? `due ${dueIn(ticket.due)}` : ticket.closed_at ? `closed ${moment(ticket.closed_at)}` : ticket.status;
    const late = ticket.status === "open" && ticket.due && Date.parse(ticket.due) < Date.now();
    return h("li", { class: `row${ticket.status === "closed" && !this.which.value ? " over" : ""}${late ? " late" : ""}` },
      h("a", { class: "row-link", href: `#/tickets/${ticket.id}`, "aria-current": ticket.id === this.path && "true" },
        h("span", { class: "row-title" }, inWords(ticket.topic)), h("span", { class: "dim due" }, stands),
        h("span", { class: "dim begins" }, oneLine(ticket.begins))));
  }

  step(by) {
    const here = this.listed.indexOf(this.path);
    const next = this.listed[here < 0 ? 0 : here + by];
    if (!next) return;
    this.rows.querySelector(`a[href="#/tickets/${next}"]`).focus();
    this.api.go(`tickets/${next}`);
  }

  // One ticket

  async show(path) {
    if (path === this.path && this.ticket) return;
    this.path = path;
    this.ticket = null;
    this.root.classList.toggle("has-card", Boolean(path));
    this.side.replaceChildren(h("p", { class: "dim hint" }, path ? "Looking …" : "Open a ticket: j and k go through them, ? shows all keys."));
    this.paint();
    if (path) await this.refresh();
  }

  /** Draw the ticket that is open as it is now; what is being typed stays, and where it is. */
  async refresh() {
    const { path } = this;
    if (!path) return;
    this.refreshed += 1;
    const turn = this.refreshed;
    let ticket, thread;
    try {
      ticket = await this.api.get(`ops/tickets/${encodeURIComponent(path)}`);
      thread = ticket.thread_id && await this.api.get(`threads/${ticket.thread_id}`).catch((error) => {
        if (error.status !== 404) throw error; // conversations are kept for a time
      });
    } catch (error) {
      if (!("status" in error)) throw error;
      if (this.path === path && !this.ticket) this.side.replaceChildren(h("p", { class: "wrong" }, `It can't be shown: ${plain(error.message)}.`));
      return;
    }
    if (this.path !== path || this.refreshed !== turn) return; // a later look knows better
    if (!this.ticket) this.place(ticket);
    this.ticket = ticket;
    this.tell(ticket, thread?.values?.messages ?? []);
  }

  place(ticket) {
    this.title = h("h2", { tabindex: "-1" }, inWords(ticket.topic));
    this.status = h("p", { class: "card-status", role: "status" });
    this.buttons = {
      take: button("Take", () => this.take(), { class: "main-action", "aria-keyshortcuts": "t" }),
      answer: button("Answer …", () => this.open("answer"), { "aria-keyshortcuts": "a" }),
      close: button("Close …", () => this.open("close"), { "aria-keyshortcuts": "c" }),
    };
    this.slot = h("div", { class: "form-slot" });
    this.body = h("div");
    this.side.replaceChildren(h("article", { class: "card", "aria-label": inWords(ticket.topic) },
      h("a", { class: "back", href: "#/tickets" }, "‹ All tickets"), this.title, this.status,
      h("div", { class: "actions", role: "group", "aria-label": "Work on it" }, Object.values(this.buttons)), this.slot,
      h("blockquote", {}, clean(ticket.text)), this.body));
  }

  tell(ticket, messages) {
    const { me } = this.api;
    const isMine = ticket.taken_by === me.identity;
    say(this.status, {
      open: `Open for ${either(ticket.roles)}${ticket.due ? ` · due ${dueIn(ticket.due)}` : ""}`,
      taken: isMine ? "You have it; the desk is silent in its conversation." : `Taken by ${oneLine(ticket.taken_by)}.`,
      closed: `Closed by ${oneLine(ticket.closed_by)}.`,
    }[ticket.status]);
    this.buttons.take.disabled = ticket.status !== "open" || OVERSEERS.includes(me.role);
    this.buttons.answer.disabled = ticket.status !== "taken" || !isMine || !ticket.customer_id;
    this.buttons.close.disabled = ticket.status !== "taken" || !isMine;
    const body = h("div", {},
      facts([
        ["ticket", oneLine(ticket.id)], ["customer", oneLine(ticket.customer_id)], ["order", oneLine(ticket.order_id)],
        ["for", either(ticket.roles)], ["opened", moment(ticket.at)], ["until", ticket.due && moment(ticket.due)],
      ]),
      ticket.messages.length > 0 && [h("h3", {}, "What was said about it"), h("ol", { class: "conversation" },
        ticket.messages.map((each) => h("li", { class: each.kind === "reply" ? "theirs" : "" },
          h("span", { class: "dim" }, `${oneLine(each.author)}, ${SPEAKERS[each.kind] ?? each.kind}, ${moment(each.at)}`),
          h(each.kind === "reply" ? "blockquote" : "p", {}, clean(each.text)))))],
      messages.length > 0 && [h("h3", {}, "The conversation"), conversation(messages)]);
    if (!body.isEqualNode(this.body)) {
      this.body.replaceWith(body);
      this.body = body;
    }
  }

  press(name) {
    const pressed = this.ticket && this.buttons[name];
    if (pressed && !pressed.disabled) pressed.click();
  }

  async take() {
    const { id } = this.ticket;
    this.buttons.take.disabled = true;
    try {
      await this.api.post(`ops/tickets/${id}/take`);
      this.api.speak("You have it.");
    } catch (error) {
      if (!("status" in error)) throw error;
      this.slot.replaceChildren(h("p", { class: "wrong", role: "alert" }, `Not taken: ${plain(error.message)}.`));
    }
    await this.refresh();
    this.title.focus();
    this.live.now();
  }

  open(verb) {
    const { id } = this.ticket;
    const { does, label, limit, required } = FORMS[verb];
    const key = `${id}:${verb}`;
    const wrong = h("p", { class: "wrong", role: "alert" });
    const input = h("textarea", { id: "ticket-text", rows: 4, maxlength: limit, oninput: () => drafts.set(key, input.value) });
    input.value = drafts.get(key) ?? "";
    const close = () => {
      this.slot.replaceChildren();
      this.title.focus();
    };
    const send = (event) => {
      event.preventDefault();
      if (required && !input.value.trim()) say(wrong, "The answer is empty.");
      else {
        close();
        this.send(id, verb, input.value.trim(), () => drafts.delete(key));
      }
    };
    this.slot.replaceChildren(h("form", {
      class: "card-form", "aria-label": does, onsubmit: send,
      onkeydown: (event) => {
        if (event.key === "Escape") close();
        else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send(event);
      },
    }, h("label", { for: "ticket-text" }, label), input, wrong, h("div", { class: "actions" },
      h("button", { type: "submit", class: "main-action", title: "Ctrl+Enter" }, does), button("Back", close, { title: "Escape" }))));
    input.focus();
  }

  send(id, verb, text, forget) {
    const headers = { "idempotency-key": newKey() }; // sent again it is the same
    this.api.outbox.put({
      label: `${FORMS[verb].does}: ${id}`, path: `tickets/${id}`,
      send: async () => {
        try {
          await this.api.post(`ops/tickets/${id}/${verb}`, { [FORMS[verb].body]: text }, { headers });
        } catch (error) {
          if (!("status" in error) || error.passes || error.status === 401) throw error;
          return { done: false, text: `Not done: ${plain(error.message)}.` };
        }
        forget();
        return { done: true, text: verb === "answer" ? "Sent; the customer hears it in their conversation." : "Closed." };
      },
      undone: () => page === this && this.ticket?.id === id && this.open(verb),
      settled: () => page === this && this.live.now(),
    });
  }
}
