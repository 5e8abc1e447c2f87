// Try it: chat as a customer and place orders, and see beside it what that has waiting for staff. For development: in
// production an empty module is served in this one's place, and the shell offers no such page.

import { newKey, plain } from "./answers.js";
import { Api } from "./api.js";
import { amountOf, titleOf } from "./card.js";
import { conversation } from "./conversation.js";
import { button, facts, h, say } from "./dom.js";
import { live } from "./live.js";
import { shownBy } from "./queue.js";
import { either, inWords, oneLine } from "./words.js";

export const title = "Try it";

const KEPT = "desk.token.customer"; // beside the staff's, and gone with it
const RUN_PATIENCE = 120_000; // milliseconds that the desk may take to answer
const THREADS = 20; // of the customer's: the latest ones
const NAMESPACE_URL = [0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8];
const LAST_DIGITS = /[0-9]+(?=[^0-9]*$)/u;

let page = null;

export function mount(root, api) {
  page = new TryIt(root, api);
}

export function unmount() {
  page.live?.stop();
  page = null;
}

class TryIt {
  live = null;
  thread = null; // of the conversation that is open
  fresh = false; // whether another one is to begin with the next message
  message = null; // what is being said, with its id: said again it is the same

  constructor(root, api) {
    this.api = api;
    this.customer = new Api({
      kept: KEPT, onAnswer: api.onAnswer, onRefusedToken: (error) => page === this && this.askForToken(error.message),
    });
    this.root = h("div", { class: "both" });
    root.append(h("h1", {}, title), this.root);
    if (this.customer.token) this.signIn(this.customer.token);
    else this.askForToken();
  }

  // Who the customer is

  askForToken(why = "") {
    this.live?.stop();
    this.live = null;
    const wrong = h("p", { class: "wrong", role: "alert" }, why && `Not signed in: ${why}.`);
    const input = h("input", { id: "customer-token", type: "password", autocomplete: "off", spellcheck: "false", required: true });
    this.root.replaceChildren(h("form", {
      class: "card", "aria-label": "The customer",
      onsubmit: (event) => {
        event.preventDefault();
        this.signIn(input.value.trim());
      },
    },
    h("p", {}, "Speak as a customer, beside your own work. `desk tokens init` has made a token of role customer, in .tokens.json; it stays in this tab, as yours does."),
    h("label", { for: "customer-token" }, "A customer's token"), input, wrong,
    h("div", { class: "actions" }, h("button", { type: "submit", class: "main-action" }, "Sign the customer in"))));
  }

  async signIn(token) {
    try {
      const me = await this.customer.signIn(token);
      if (page !== this) return;
      if (me.role === "customer") this.begin(me);
      else {
        this.customer.signOut();
        this.askForToken(`this token is of role ${me.role.replaceAll("_", " ")}, and a customer's is needed`);
      }
    } catch (error) {
      if (!("status" in error)) throw error;
      if (page === this) this.askForToken(error.message);
    }
  }

  begin(me) {
    Object.assign(this, { thread: null, fresh: false, message: null });
    this.said = h("div", { class: "said", tabindex: "0", role: "log", "aria-label": "Conversation" });
    this.wrong = h("p", { class: "wrong", role: "alert" });
    this.input = h("textarea", { id: "try-message", rows: 2, maxlength: 8000 });
    this.sendButton = h("button", { type: "submit", class: "main-action" }, "Send");
    this.waiting = h("div");
    const talk = h("form", {
      "aria-label": "Message",
      onsubmit: (event) => this.send(event),
      onkeydown: (event) => event.key === "Enter" && (event.ctrlKey || event.metaKey) && this.send(event),
    }, h("label", { for: "try-message" }, "A message to the desk"), this.input, this.wrong, h("div", { class: "actions" },
      this.sendButton, button("New conversation", () => this.anew()), button("Sign the customer out", () => {
        this.customer.signOut();
        this.askForToken();
      }, { class: "quiet" })));
    this.root.replaceChildren(
      h("section", { "aria-labelledby": "try-customer" }, h("h2", { id: "try-customer" }, `Customer ${oneLine(me.identity)}`), this.said, talk, this.orderForm()),
      h("section", { "aria-labelledby": "try-staff" }, h("h2", { id: "try-staff" }, "What waits for staff about it"), this.waiting));
    this.live = live(() => this.look());
  }

  // What there is

  async look() {
    const select = ["thread_id", "metadata", "status", "values"];
    const threads = await this.customer.post("threads/search", { limit: THREADS, sort_by: "updated_at", sort_order: "desc", select });
    if (page !== this) return false;
    const of = (graph) => threads.filter((thread) => thread.metadata.graph_id === graph);
    const talk = of("customer_service").find((thread) => !this.thread || thread.thread_id === this.thread);
    if (!this.fresh) this.thread = talk?.thread_id ?? null;
    const messages = (!this.fresh && talk?.values?.messages) || [];
    const told = messages.length ? conversation(messages) : h("p", { class: "dim" }, "Nothing has been said yet. Try “where are my orders?”");
    const isNew = put(this.said, told);
    if (isNew) this.said.scrollTop = this.said.scrollHeight;
    return (await this.lookAtStaff(threads, of("order_processing"))) || isNew;
  }

  async lookAtStaff(threads, orders) {
    const ids = threads.map((thread) => thread.thread_id);
    const select = ["thread_id", "metadata", "status", "interrupts"];
    const [found, tickets] = await Promise.all([
      ids.length ? this.api.post("threads/search", { ids, status: "interrupted", select, limit: THREADS }) : [],
      this.api.get("ops/tickets?limit=100").then((answer) => answer.tickets, (error) => {
        if (error.status === 403) return []; // this role has none
        throw error;
      }),
    ]);
    if (page !== this) return false;
    const requests = found.map(shownBy).filter(Boolean).map(({ view }) => h("li", { class: "row" },
      h("a", { class: "row-link", href: `#/approvals/${encodeURIComponent(view.request_id)}` },
        h("span", { class: "row-title" }, titleOf(view)), h("span", { class: "amount" }, amountOf(view)),
        h("span", { class: "dim" }, `for ${either(view.roles)}, order ${oneLine(view.order_id)}`))));
    const cases = tickets.filter((ticket) => ids.includes(ticket.thread_id)).map((ticket) => h("li", { class: "row" },
      h("a", { class: "row-link", href: `#/tickets/${encodeURIComponent(ticket.id)}` },
        h("span", { class: "row-title" }, `Ticket: ${inWords(ticket.topic)}`), h("span", { class: "dim due" }, oneLine(ticket.status)),
        h("span", { class: "dim" }, `for ${either(ticket.roles)}: ${oneLine(ticket.begins)}`))));
    const stages = orders.filter((thread) => thread.values?.order_id).map((thread) => [oneLine(thread.values.order_id), inWords(thread.values.processing_stage)]);
    return put(this.waiting, h("div", {},
      requests.length + cases.length
        ? h("ul", { class: "rows", "aria-label": "Waiting" }, requests, cases)
        : h("p", { class: "dim" }, "Nothing that you can see as your role."),
      stages.length > 0 && [h("h3", {}, "Orders that were placed here"), facts(stages)]));
  }

  // What the customer does

  anew() {
    this.fresh = true;
    this.thread = null;
    this.input.focus();
    this.live.now();
  }

  async send(event) {
    event.preventDefault();
    const text = this.input.value.trim();
    if (!text || this.sendButton.disabled) return;
    if (this.message?.content !== text) this.message = { role: "user", content: text, id: newKey() };
    await this.trying(this.wrong, this.sendButton, async () => {
      this.thread ??= (await this.customer.post("threads", { metadata: { graph_id: "customer_service" } })).thread_id;
      this.fresh = false;
      await this.run(this.thread, { assistant_id: "customer_service", input: { messages: [this.message] } });
      this.message = null;
      this.input.value = "";
    });
  }

  async run(thread, what) {
    const started = await this.customer.post(`threads/${thread}/runs`, { ...what, multitask_strategy: "reject" });
    await this.customer.get(`threads/${thread}/runs/${started.run_id}/join`, { patience: RUN_PATIENCE });
  }

  /** Do something with a button that waits for it; what went wrong stands at `wrong`. */
  async trying(wrong, pressed, act) {
    say(wrong, "");
    pressed.disabled = true;
    try {
      await act();
    } catch (error) {
      if (!("status" in error)) throw error;
      say(wrong, error.passes ? `No answer: ${error.message}. Send it again: it counts once.` : `Not taken: ${plain(error.message)}.`);
    } finally {
      pressed.disabled = false;
    }
    this.live?.now();
  }

  orderForm() {
    const field = (id, label, made) => {
      made.id = id;
      return [h("label", { for: id }, label), made];
    };
    const like = h("input", { autocomplete: "off" });
    const number = h("input", { autocomplete: "off", required: true });
    const lines = h("textarea", { rows: 2, required: true });
    const method = h("input", { autocomplete: "off", required: true });
    const wrong = h("p", { class: "wrong", role: "alert" });
    const fill = button("Fill in", () => this.trying(wrong, fill, async () => {
      const order = await this.customer.get(`ops/orders/${encodeURIComponent(like.value.trim())}`);
      number.value = order.id.replace(LAST_DIGITS, () => String(Date.now()).slice(-9));
      lines.value = order.lines.map((line) => `${line.sku} ${line.quantity}`).join("\n");
      method.value = order.payment_method_id;
    }));
    const place = h("button", { type: "submit", class: "main-action" }, "Place the order");
    return h("details", { class: "place" }, h("summary", {}, "Place an order"), h("form", {
      "aria-label": "Order",
      onsubmit: (event) => {
        event.preventDefault();
        this.trying(wrong, place, () => this.place({
          order_id: number.value.trim(), customer_id: this.customer.me.identity, payment_method_id: method.value.trim(),
          lines: lines.value.split("\n").filter((line) => line.trim()).map(toLine),
        }));
      },
    }, field("try-like", "Like an earlier order of theirs (its number; “where are my orders?” tells)", like), h("div", { class: "actions" }, fill),
    field("try-number", "Number of the new order", number), field("try-lines", "What: a SKU and pieces on each line", lines),
    field("try-method", "Payment method", method), wrong, h("div", { class: "actions" }, place)));
  }

  async place(order) {
    const thread = await orderThread(order.order_id, this.customer.me.owner);
    await this.run(thread, { assistant_id: "order_processing", input: { order }, if_not_exists: "create" });
  }
}

function toLine(text) {
  const [sku, quantity = "1"] = text.trim().split(/\s+/u);
  return { sku, quantity: Number(quantity) };
}

/** The thread on which an order is worked on: a UUID of version 5 of its owner and its number. */
async function orderThread(orderId, owner) {
  const name = new TextEncoder().encode(`order:${owner}:${orderId}:0`);
  const digest = await crypto.subtle.digest("SHA-1", new Uint8Array([...NAMESPACE_URL, ...name]));
  const bytes = new Uint8Array(digest).slice(0, 16);
  bytes[6] = (bytes[6] & 0x0f) | 0x50;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/u, "$1-$2-$3-$4-$5");
}

/** Put an element where it differs from what is there; whether it did. */
function put(into, element) {
  if (into.firstElementChild?.isEqualNode(element)) return false;
  into.replaceChildren(element);
  return true;
}
