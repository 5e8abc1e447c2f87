// The card of a request, and what one can do with it. What is shown here is what is answered: the buttons hold on to
// the very entry that they stand under, and its token goes out with the answer.

import { conversation } from "./conversation.js";
import { button, facts, h, say } from "./dom.js";
import { markdown } from "./markdown.js";
import { clean, dueIn, either, inWords, moment, oneLine } from "./words.js";

export const NOTE_LIMIT = 2000;
const MONEY = ["amount", "total"]; // what of a request's arguments is an amount, and may be edited where anything may
const SAID_ABOVE = /^(?:Not taken: |due )/u; // of a card's first line, what stands on the page in its own way

/** The amount of a request as the shop writes it, with its currency. */
export function amountOf(view) {
  const { args } = view.action_requests[0];
  const name = MONEY.find((each) => each in args);
  return name ? `${oneLine(args[name])} ${oneLine(view.currency ?? "")}`.trim() : "";
}

/** What a request would do, in words. */
export function titleOf(view) {
  return inWords(view.action_requests[0].name);
}

/** How many questions the customer has answered. */
export function answersIn(questions) {
  return questions.filter((each) => each.answer).length;
}

/** Whether a request takes this answer. */
export function takes(view, decision) {
  return view.review_configs[0].allowed_decisions.includes(decision);
}

/** Draws a card. `act` opens a form of a kind, or approves; `canAnswer`: whether it is this person's to answer. */
export class Card {
  constructor(entry, { canAnswer, act, showAgain }) {
    this.entry = entry;
    this.canAnswer = canAnswer;
    this.showAgain = showAgain;
    const { view } = entry;
    const [first, ...words] = view.action_requests[0].description.split("\n\n");
    this.title = h("h2", { tabindex: "-1" }, titleOf(view), " ", h("span", { class: "amount" }, amountOf(view)));
    this.status = h("p", { class: "card-status", role: "status" });
    this.slot = h("div", { class: "form-slot" });
    this.said = h("div");
    this.actions = canAnswer
      ? h("div", { class: "actions", role: "group", "aria-label": "Answer" },
        button("Approve", () => act("approve"), { class: "main-action", "aria-keyshortcuts": "a" }),
        button("Reject …", () => act("reject"), { "aria-keyshortcuts": "r" }),
        takes(view, "edit") && button("Edit …", () => act("edit"), { "aria-keyshortcuts": "e" }),
        button("Ask the customer …", () => act("ask"), { "aria-keyshortcuts": "q" }),
        button("Approve with a note …", () => act("note"), { class: "quiet" }))
      : h("p", { class: "dim" }, view.status === "open" ? `Its answer is for ${either(view.roles)}.` : "It takes no answer any more.");
    this.element = h("article", { class: "card", "aria-label": `${titleOf(view)} ${amountOf(view)}` },
      h("a", { class: "back", href: "#/approvals" }, "‹ All that waits"),
      this.title, this.status, this.actions, this.slot,
      view.refused && h("p", { class: "wrong" }, `The last answer was not taken: ${oneLine(view.refused)}`),
      h("ul", { class: "first-line" }, oneLine(first).split(" · ").filter((fact) => !SAID_ABOVE.test(fact)).map((fact) => h("li", {}, fact))),
      h("div", { class: "words" }, markdown(words.join("\n\n"))),
      facts([
        ["request", oneLine(view.request_id)],
        ["case", inWords(view.case)],
        ["customer", oneLine(view.subject)],
        ["order", oneLine(view.order_id)],
        ["risk", view.arguments?.risk === undefined ? "" : oneLine(view.arguments.risk)],
        ["until", moment(view.due)],
        ["note", oneLine(view.note)],
      ]),
      this.said);
    this.tell();
  }

  /** How it stands: while it waits, when it is due; else what happened to it, and no answer can be given here. */
  tell(happened) {
    this.closed = Boolean(happened);
    const { view } = this.entry;
    const text = happened || (view.status === "open" ? `Step ${view.step} of ${view.steps} · due ${dueIn(view.due)}` : inWords(view.status));
    if (this.status.firstChild?.textContent !== text) {
      this.status.replaceChildren(h("span", {}, text), happened && this.showAgain ? button("Show it as it is now", this.showAgain) : "");
    }
    this.status.classList.toggle("news", this.closed);
    if (this.canAnswer) for (const each of this.actions.children) each.disabled = this.closed;
  }

  /** What was said about it: by those who answered, the customer who was asked, and in the conversation. */
  tellMore({ decisions, questions, messages }) {
    this.asked = questions.length;
    this.answers = answersIn(questions);
    const parts = [];
    if (decisions.length) {
      parts.push(h("h3", {}, "Answers"), h("ul", {}, decisions.map((each) => h("li", {},
        `${oneLine(each.actor)} (${either([each.role])}): ${each.decision}, ${moment(each.at)}`,
        each.note && h("blockquote", {}, clean(each.note))))));
    }
    if (questions.length) {
      parts.push(h("h3", {}, "Asked of the customer"), h("ul", {}, questions.map((each) => h("li", {},
        `${oneLine(each.asked_by)}: ${clean(each.text)}`,
        each.answer ? h("blockquote", {}, clean(each.answer)) : h("span", { class: "dim" }, " (no answer yet)")))));
    }
    if (messages.length) {
      const open = this.said.querySelector("details")?.open;
      parts.push(h("details", { open }, h("summary", {}, "The conversation"), conversation(messages)));
    }
    this.said.replaceChildren(...parts);
  }
}

const drafts = new Map(); // what was typed and not sent, by request and form: kept while the tab is open

/**
 * A form of a card. `kind` is reject, edit, ask or note; `submit(values)` gets what was typed.
 * What is typed stays when the form is closed, or sent and not taken.
 */
export function form(view, kind, { submit, close }) {
  const { args } = view.action_requests[0];
  const money = MONEY.find((each) => each in args);
  const fields = {
    reject: [["note", "The reason, which the customer may read", true]],
    edit: [["amount", `The amount in ${oneLine(view.currency ?? "")}, now ${oneLine(args[money])}`, true], ["note", "A note, if you like", false]],
    ask: [["question", "The question, in the words that the customer reads", true]],
    note: [["note", "A note, kept with your yes", false]],
  }[kind];
  const does = { reject: "Reject", edit: "Approve with this amount", ask: "Ask the customer", note: "Approve" }[kind];
  const key = `${view.request_id}:${kind}`;
  const draft = drafts.get(key) ?? {};
  const wrong = h("p", { class: "wrong", role: "alert" });
  const inputs = fields.map(([name, label, required]) => {
    const props = { id: `field-${name}`, name, required, autocomplete: "off" };
    const input = name === "amount"
      ? h("input", { ...props, inputmode: "decimal", maxlength: 30 })
      : h("textarea", { ...props, rows: 3, maxlength: NOTE_LIMIT });
    input.value = draft[name] ?? (name === "amount" ? args[money] : "");
    input.addEventListener("input", () => drafts.set(key, Object.assign(draft, { [name]: input.value })));
    return [h("label", { for: props.id }, label), input];
  });
  function send(event) {
    event.preventDefault();
    const missing = inputs.find(([, input]) => input.required && !input.value.trim());
    if (missing) say(wrong, kind === "reject" ? "A rejection needs its reason." : "This is empty.");
    else submit(Object.fromEntries(inputs.map(([, input]) => [input.name, input.value])), () => drafts.delete(key));
  }
  const element = h("form", {
    class: "card-form", novalidate: true, "aria-label": does, onsubmit: send,
    onkeydown: (event) => {
      if (event.key === "Escape") close();
      else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send(event);
    },
  }, inputs, wrong, h("div", { class: "actions" },
    h("button", { type: "submit", class: "main-action", title: "Ctrl+Enter" }, does), button("Close", close, { title: "Escape" })));
  return { element, focus: () => inputs[0][1].focus() };
}

/** The arguments of an edit: those that were shown, and the changed amount. */
export function editedArgs(view, amount) {
  const { args } = view.action_requests[0];
  return { ...args, [MONEY.find((each) => each in args)]: amount.trim() };
}
