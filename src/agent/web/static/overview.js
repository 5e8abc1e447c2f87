// All numbers at once. Each place keeps its size while it is live: what is long scrolls in it.

import { button, h, redraw, say, table } from "./dom.js";
import { plot } from "./plot.js";
import { ago, count, inWords, oneLine } from "./words.js";

const EVENTS = 30;
const OUTCOMES = ["captured", "declined", "unknown"]; // columns that are always there

export class Overview {
  drawn = false;

  constructor(page) {
    this.page = page;
    this.wrong = h("ul", { class: "wrong-list" });
    this.slots = {};
    const slot = (name) => (this.slots[name] = h("div", { class: "slot" }));
    const panel = (name, ...inside) => h("section", { class: "panel", "aria-label": name }, h("h2", {}, name), ...inside);
    const scrolls = (name, ...inside) => h("div", { class: "scrolls", tabindex: "0", role: "region", "aria-label": name }, ...inside);
    this.element = h("div", { class: "overview" },
      scrolls("What is wrong", this.wrong),
      panel("Orders at work", slot("stages")),
      h("div", { class: "panels" },
        panel("The last hour", slot("plots")),
        h("section", { class: "panel", id: "breakers", "aria-label": "Breakers" }, h("h2", {}, "Breakers"), slot("breakers")),
        panel("Payments of the last hour", scrolls("Payments", slot("payments"))),
        panel("Parked, owed, undelivered", slot("kept")),
        panel("People", scrolls("Who is waited for", slot("people"))),
        panel("Last events", scrolls("Events", slot("events")))));
  }

  async fetch() {
    const [overview, breakers] = await Promise.all([this.page.api.get("ops/overview"), this.page.api.get("ops/breakers")]);
    return { ...overview, breakers };
  }

  /** Draw the answer; what the page's title says. */
  draw({ at, wrong, ledger, reconciler, process, breakers }) {
    const now = Date.parse(at);
    this.drawn = true;
    this.tellNew(wrong);
    redraw(this.wrong, wrong.map((each) => wrongLine(each, now)));
    this.element.classList.toggle("stale", !ledger);
    const { slots } = this;
    redraw(slots.breakers, this.breakers(breakers));
    redraw(slots.events, events(process.events));
    if (ledger) {
      redraw(slots.stages, stages(ledger));
      redraw(slots.plots, plots(ledger.hour, process));
      redraw(slots.payments, payments(ledger.hour.payments));
      redraw(slots.kept, kept(ledger, reconciler, now));
      redraw(slots.people, people(ledger, now));
    }
    return wrong.length ? `${count(wrong.length, "thing is", "things are")} wrong` : "Nothing is wrong";
  }

  tellNew(wrong) {
    const before = this.told;
    this.told = new Set(wrong.map((each) => each.what));
    if (before) for (const what of this.told) if (!before.has(what)) this.page.api.speak(`Wrong: ${what}`);
  }

  breakers({ breakers }) {
    const rows = breakers.map(({ name, state, for_seconds: seconds, why, next_probe_in: probe }) => {
      const shown = oneLine(name);
      const next = probe === null ? "" : probe === 0 ? ", probed by the next call" : `, probed in ${Math.ceil(probe)} s`;
      return [shown, h("span", { class: state === "closed" ? "" : "bad" }, `${inWords(state)}${why ? ` (${inWords(why).toLowerCase()})` : ""}${next}`),
        ago(new Date(Date.now() - seconds * 1000).toISOString()),
        state === "closed" ? this.operate(shown, "force-open", "Force open …") : this.operate(shown, "reset", "Reset …")];
    });
    return table("Breakers", ["breaker", "state", "for", "by hand"], rows);
  }

  operate(name, action, text) {
    const { api, live } = this.page;
    return button(text, () => api.outbox.put({
      label: action === "reset" ? `Reset ${name}: calls go through again` : `Force ${name} open: nothing is sent to it until a reset`,
      path: "operations",
      send: async () => {
        await api.post(`ops/breakers/${encodeURIComponent(name)}/${action}`);
        return { done: true, text: action === "reset" ? "It is closed." : "It is open until somebody resets it." };
      },
      settled: () => live.now(),
    }), { "aria-label": `${text.replace(" …", "")} ${name}`, "data-key": `breaker ${name}` });
  }
}

/** A number that leads to what it counts; nothing leads from 0. */
function number(value, list, text = value.toLocaleString()) {
  return value ? h("a", { href: to(list), "data-key": list }, text) : h("span", { class: "dim" }, text);
}

function to(list) {
  return `#/operations/list/${list.split("/").map(encodeURIComponent).join("/")}`;
}

function wrongLine({ what, since, do: todo, docs, behind }, now) {
  return h("li", {},
    behind ? h("a", { href: to(behind), "data-key": `wrong ${behind}` }, oneLine(what)) : h("strong", {}, oneLine(what)),
    since && h("span", { class: "bad" }, ` for ${ago(since, now)}`),
    h("span", {}, ` – ${oneLine(todo)}`), h("span", { class: "dim" }, ` (${docs})`));
}

function stages({ stages: at, hour }) {
  const box = (value, list, name, more) => h("li", {}, h("a", { href: to(list), "data-key": list, class: value ? "" : "none" },
    h("span", { class: "big" }, value.toLocaleString()), h("span", {}, name), more && h("span", { class: "dim" }, more)));
  return h("ol", { class: "stages" },
    Object.entries(at).map(([stage, { count: value }]) => box(value, `orders/${stage}`, inWords(stage))),
    Object.entries(hour.ended).map(([stage, value]) => box(value, `ended/${stage}`, inWords(stage), "last hour")));
}

function plots({ ended_by_minute: ended, payments_by_minute: taken }, { failures, waiting }) {
  const one = (name, values) => h("figure", {}, plot(name, values),
    h("figcaption", {}, name, h("span", { class: "dim" }, `now ${values.at(-1) ?? "–"}, most ${Math.max(0, ...values)}`)));
  return h("div", { class: "plots" }, one("Orders that ended", ended), one("Payments begun", taken),
    one("Failures, of this worker", failures), one("Waiting for people", waiting));
}

function payments(lines) {
  const outcomes = [...new Set([...OUTCOMES, ...lines.map((each) => each.outcome)])];
  const providers = [...new Set(lines.map((each) => each.provider))];
  if (!providers.length) return h("p", { class: "dim" }, "None.");
  const of = (provider, outcome) => lines.find((each) => each.provider === provider && each.outcome === outcome)?.count ?? 0;
  return table("Payments of the last hour", ["provider", ...outcomes], providers.map((provider) => [
    inWords(provider), ...outcomes.map((outcome) => number(of(provider, outcome), `payments/${provider}:${outcome}`))]));
}

function kept({ stages: at, unknown, debts, undelivered, quarantined }, { state, last_run: last }, now) {
  const line = (name, { count: many, since, sum = "" }, list) => [name, number(many, list), many ? sum : "", ago(since, now)];
  const none = { count: 0, since: null };
  return table("Parked, owed, undelivered", ["", "how many", "sum", "oldest"], [
    line("Orders parked", at.parked, "orders/parked"),
    line("Payments unknown", unknown, "unknown"),
    line("Refunds owed", debts.refund ?? none, "debts/refund"),
    line("Payments to void", { ...(debts.void ?? none), sum: "" }, "debts/void"),
    line("Parcels to stop", { ...(debts.stop ?? none), sum: "" }, "debts/stop"),
    line("Notifications undelivered", undelivered, "undelivered"),
    line("States in quarantine", { count: quarantined, since: null }, "quarantine"),
    ["Reconciler", h("span", { class: state === "late" ? "bad" : "" }, state === "off" ? "no cron" : state), "", last ? ago(last, now) : "never ran"],
  ]);
}

function people({ requests, tickets }, now) {
  const rows = [["requests", requests], ["tickets", tickets]].flatMap(([list, queues]) => Object.entries(queues).map(
    ([role, { count: waiting, late, since }]) => [`${inWords(role)}, ${list}`, number(waiting, `${list}/${role}`),
      h("span", { class: late ? "bad" : "dim" }, late.toLocaleString()), ago(since, now)]));
  return rows.length ? table("Who is waited for", ["role", "waiting", "late", "oldest"], rows) : h("p", { class: "dim" }, "Nobody is waited for.");
}

function events(list) {
  return h("ol", { class: "events" }, list.slice(0, EVENTS).map(({ at, event, fields }) => {
    const { order_id: order, ...others } = fields;
    const told = Object.entries(others).map(([name, value]) => `${name} ${oneLine(value)}`).join(", ");
    return h("li", {}, h("time", { datetime: at, class: "dim" }, new Date(at).toLocaleTimeString()), " ", h("strong", {}, event), " ",
      order && h("a", { href: `#/operations/order/${encodeURIComponent(order)}`, "data-key": `${at} ${event}` }, oneLine(order)), order && " ", h("span", { class: "dim" }, told));
  }));
}
