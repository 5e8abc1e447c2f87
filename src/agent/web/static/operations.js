// Operations: what is wrong first, then how the shop stands; from any number to the orders behind it, and from an order
// to its story.

import { plain } from "./answers.js";
import { button, h, say } from "./dom.js";
import { Lines } from "./lines.js";
import { live } from "./live.js";
import { Overview } from "./overview.js";
import { Story } from "./story.js";

export const title = "Operations";

const THREAD = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/iu;
const VIEWS = { list: Lines, order: Story, thread: Story };

let page = null;

export function mount(root, api) {
  page = new Operations(root, api);
}

export function unmount() {
  page.live.stop();
  page = null;
}

class Operations {
  constructor(root, api) {
    this.api = api;
    this.title = h("h1", { tabindex: "-1" }, "Looking …");
    this.back = h("a", { class: "to-overview", href: "#/operations" }, "‹ All numbers");
    this.input = h("input", { id: "find", autocomplete: "off", spellcheck: "false", "aria-keyshortcuts": "f" });
    this.body = h("div");
    root.append(
      h("div", { class: "list-head" }, this.title,
        h("form", { class: "find", role: "search", onsubmit: (event) => this.find(event) },
          h("label", { for: "find", class: "unseen" }, "Order or thread"), this.input, button("Find", null, { type: "submit" }))),
      this.back, this.body);
    this.input.placeholder = "Order or thread";
    api.onPath((path) => this.show(path, true));
    api.keys({
      f: ["find an order or a thread", () => this.input.focus()],
      o: ["all numbers", () => api.go("operations")],
      b: ["the breakers", () => this.body.querySelector("#breakers button")?.focus()],
      j: ["next line", () => this.step(1)],
      k: ["the one before", () => this.step(-1)],
    });
    this.show(api.path);
    this.live = live(() => this.look());
  }

  /** Show what the address names: all numbers, the list behind one, or a story. */
  show(path, moved = false) {
    const [kind, ...rest] = path.split("/");
    const View = VIEWS[kind] ?? Overview;
    this.view = new View(this, kind, rest.join("/"));
    this.back.hidden = View === Overview;
    say(this.title, "Looking …");
    this.body.replaceChildren(this.view.element);
    if (!moved) return;
    this.live.now();
    this.title.focus();
  }

  async look() {
    const { view } = this;
    try {
      const answer = await view.fetch();
      if (view !== this.view) return true; // another one is shown by now
      const text = JSON.stringify(answer, (key, value) => (key === "at" ? undefined : value));
      const changed = this.before !== text;
      this.before = text;
      say(this.title, view.draw(answer));
      return changed;
    } catch (error) {
      if (view === this.view && "status" in error && (!view.drawn || error.status >= 500)) {
        say(this.title, error.status === 403 ? `Not for your role. ${plain(error.message)}.` : `It can't be shown. ${plain(error.message)}.`);
      }
      throw error;
    } finally {
      if (view === this.view) this.api.head(this.title.textContent);
    }
  }

  find(event) {
    event.preventDefault();
    const wanted = this.input.value.trim();
    if (wanted) this.api.go(`operations/${THREAD.test(wanted) ? "thread" : "order"}/${encodeURIComponent(wanted)}`);
  }

  step(by) {
    const links = [...this.body.querySelectorAll("a[data-key]")];
    const here = links.indexOf(document.activeElement);
    links[here < 0 ? 0 : here + by]?.focus();
  }
}
