// What was said in a conversation of the desk with a customer.

import { h } from "./dom.js";
import { clean } from "./words.js";

const MESSAGES = 100; // the last ones: as many as a conversation keeps

/** A conversation: the customer's words as quotations, the desk's as text. */
export function conversation(messages) {
  const last = messages.filter((each) => typeof each.content === "string" && each.content).slice(-MESSAGES);
  return h("ol", { class: "conversation" }, last.map((each) => each.type === "human"
    ? h("li", { class: "theirs" }, h("span", { class: "dim" }, "customer"), h("blockquote", {}, clean(each.content)))
    : h("li", {}, h("span", { class: "dim" }, "desk"), h("p", {}, clean(each.content)))));
}
