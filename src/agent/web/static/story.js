// The story of an order or a conversation: how it stands, who is waited for, what comes next, and all that happened.

import { facts, h, redraw, table } from "./dom.js";
import { clean, dueIn, moment, oneLine } from "./words.js";

const LAST = 200; // of what happened

export class Story {
  drawn = false;

  /** `kind` is order or thread, `id` which. */
  constructor(page, kind, id) {
    this.page = page;
    this.kind = kind;
    this.id = id;
    this.element = h("article", { class: "story" });
  }

  async fetch() {
    const { api } = this.page;
    const story = await api.get(`ops/stories/${this.kind}s/${encodeURIComponent(this.id)}?last=${LAST}`);
    const ids = story.order?.threads.filter(Boolean) ?? [this.id];
    const threads = await Promise.all(ids.map((id) => api.get(`threads/${encodeURIComponent(id)}`).catch((error) => {
      if (error.status !== 404 && error.status !== 422) throw error; // what is old is gone, and what is no thread never was
      return { thread_id: id, status: "not there" };
    })));
    return { story, threads: threads.map(({ thread_id: id, status, updated_at: updated }) => ({ id, status, updated })) };
  }

  draw({ story, threads }) {
    this.drawn = true;
    const { order } = story;
    redraw(this.element,
      order && facts([
        ["customer", oneLine(order.customer_id)], ["stands at", `${order.stage} (${order.status})${order.reason ? `, ${order.reason}` : ""}, since ${moment(order.touched_at)}`],
        ["parcels", Object.entries(order.parcels).map(([id, state]) => `${oneLine(id)} ${state}`).join(", ")],
        ["trace", order.trace_id],
      ]),
      h("h2", {}, "Threads"),
      h("ul", {}, threads.map(({ id, status, updated }) => h("li", {},
        order ? h("a", { href: `#/operations/thread/${id}`, "data-key": id }, id) : id, h("span", { class: "dim" }, ` ${status}${updated ? `, ${moment(updated)}` : ""}`)))),
      h("h2", {}, "Who is waited for"), story.waits_for.length
        ? table("Who is waited for", ["who", "for", "until"], story.waits_for.map(({ who, what, until }) => [oneLine(who), oneLine(what), until ? dueIn(until) : ""]))
        : h("p", { class: "dim" }, "Nobody."),
      h("h2", {}, "What comes by itself"), story.next.length
        ? table("What comes by itself", ["what", "when"], story.next.map(({ what, when }) => [oneLine(what), when ? moment(when) : "when the reconciler is run"]))
        : h("p", { class: "dim" }, "Nothing."),
      story.commands.length > 0 && [h("h2", {}, "What one could do"), h("dl", { class: "commands" }, story.commands.map(({ command, why }) => [h("dt", {}, h("code", {}, command)), h("dd", {}, why)]))],
      h("h2", {}, "What happened"),
      story.left_out > 0 && h("p", { class: "dim" }, `${story.left_out} earlier ones are left out.`),
      h("ol", { class: "events" }, story.entries.map(({ at, what, says, note }) => h("li", {},
        h("time", { datetime: at, class: "dim" }, moment(at)), " ", h("strong", {}, oneLine(what)), ` ${oneLine(says)}`, note && h("q", {}, clean(note))))));
    return order ? `Order ${oneLine(order.id)}` : `Conversation ${oneLine(this.id)}`;
  }
}
