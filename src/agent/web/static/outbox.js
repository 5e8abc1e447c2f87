// What was decided here and is not sent yet: for five seconds it can be undone, then it is sent, and its result stays to
// be read. Nothing is sent once the page is left: what was not, the next one to be opened here says.

import { button, h, say } from "./dom.js";

export const UNDO_SECONDS = 5;
const UNSENT = "desk.unsent";

export class Outbox {
  #entries = [];

  /** `speak` says a text to screen readers; `go` shows a path of the page. */
  constructor(root, { speak, go }) {
    this.root = root;
    this.speak = speak;
    this.go = go;
    addEventListener("beforeunload", (event) => {
      if (this.#entries.some((entry) => entry.state === "waiting" || entry.state === "sending")) event.preventDefault();
    });
    this.#tellUnsent();
  }

  /**
   * Send something, unless it is undone before.
   *
   * `label` says what, `path` is where it was decided. `send(progress)` gives `{ done, text }`: whether it was taken,
   * and what came of it; it may throw an ApiError, and is then offered again. `undone` is called when it is taken back.
   */
  put({ label, path, send, undone = () => {}, settled = () => {} }) {
    const entry = { label, path, send, undone, settled, state: "waiting", left: UNDO_SECONDS };
    entry.text = h("p", { class: "outbox-text" });
    entry.rest = h("div", { class: "outbox-buttons" });
    entry.list = h("ul", { class: "outbox-list" });
    entry.element = h("div", { class: "outbox-entry" }, h("strong", {}, label), entry.text, entry.list, entry.rest);
    this.#entries.push(entry);
    this.root.append(entry.element);
    this.#keepUnsent();
    this.#count(entry);
    this.speak(`${label}: is sent in ${UNDO_SECONDS} seconds. Press z to undo.`);
  }

  /** Take back what was put in last and is not sent yet; whether there was something. */
  undo(entry = this.#entries.findLast((each) => each.state === "waiting")) {
    if (entry?.state !== "waiting") return false;
    clearTimeout(entry.timer);
    this.#drop(entry);
    this.speak(`Undone. Nothing was sent: ${entry.label}.`);
    entry.undone();
    if (entry.path) this.go(entry.path);
    return true;
  }

  /** Take back all that is not sent yet, because whoever decided it goes: how many those were. */
  dropAll() {
    const waiting = this.#entries.filter((entry) => entry.state === "waiting");
    for (const entry of waiting) {
      clearTimeout(entry.timer);
      this.#drop(entry);
    }
    for (const entry of [...this.#entries]) this.#drop(entry);
    return waiting.length;
  }

  #count(entry) {
    say(entry.text, `Is sent in ${entry.left} s`);
    entry.element.dataset.left = entry.left;
    if (entry.left === UNDO_SECONDS) {
      entry.rest.replaceChildren(button("Undo", () => this.undo(entry), { "aria-keyshortcuts": "z" }));
    }
    entry.timer = setTimeout(() => {
      entry.left -= 1;
      if (entry.left > 0) this.#count(entry);
      else this.#send(entry);
    }, 1000);
  }

  async #send(entry) {
    entry.state = "sending";
    delete entry.element.dataset.left;
    entry.rest.replaceChildren();
    entry.list.replaceChildren();
    say(entry.text, "Sending …");
    let outcome;
    try {
      outcome = await entry.send((text) => entry.list.append(h("li", {}, text)));
    } catch (error) {
      outcome = { done: false, text: whyNot(error), again: true };
    }
    entry.state = outcome.done ? "done" : "failed";
    entry.element.classList.add(entry.state);
    say(entry.text, outcome.text);
    this.#keepUnsent();
    this.speak(`${entry.label}: ${outcome.text}`);
    const again = () => {
      entry.element.classList.remove("failed");
      this.#send(entry);
    };
    entry.rest.replaceChildren(
      ...(outcome.again ? [button("Send again", again)] : []),
      ...(entry.path && !outcome.done ? [button("Look at it", () => this.go(entry.path))] : []),
      button("Close", () => this.#drop(entry), { "aria-label": `Close: ${entry.label}` }),
    );
    this.#forgetOld();
    entry.settled(outcome);
  }

  /** Of what went well only the last few stay. */
  #forgetOld() {
    const done = this.#entries.filter((entry) => entry.state === "done");
    for (const entry of done.slice(0, -3)) this.#drop(entry);
  }

  #drop(entry) {
    this.#entries = this.#entries.filter((each) => each !== entry);
    entry.element.remove();
    this.#keepUnsent();
  }

  #keepUnsent() {
    const unsent = this.#entries.filter((entry) => entry.state === "waiting" || entry.state === "sending");
    if (unsent.length) sessionStorage.setItem(UNSENT, JSON.stringify(unsent.map(({ label, state }) => ({ label, state }))));
    else sessionStorage.removeItem(UNSENT);
  }

  #tellUnsent() {
    const unsent = JSON.parse(sessionStorage.getItem(UNSENT) ?? "[]");
    sessionStorage.removeItem(UNSENT);
    for (const { label, state } of unsent) {
      const text = state === "waiting"
        ? "Not sent: the page was left before its five seconds were over."
        : "The page was left while it was being sent: look whether it was taken.";
      const element = h("div", { class: "outbox-entry failed" }, h("strong", {}, label), h("p", {}, text));
      element.append(h("div", { class: "outbox-buttons" }, button("Close", () => element.remove())));
      this.root.append(element);
    }
  }
}

/** Why nothing came back. What is sent again counts once: an answer is for one step of a request, a message has a key. */
export function whyNot(error) {
  if (!("status" in error)) throw error; // a fault of ours, which the console should show
  if (error.status === 401) return "Not sent: sign in again, then send it again.";
  if (error.passes) return `Nobody knows whether this was taken: ${error.message}. Send it again: it counts once.`;
  return `Not taken: ${error.message}.`;
}
