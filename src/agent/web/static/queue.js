// The requests that wait for whoever sits here: fetched from the public API, and kept in an order that stays as it is
// until its reader asks for the new ones. Requests are found by the notes on their threads, as `desk approvals list` does.

const FIRST = 50; // threads of the first look, with all that they show
const PAGE = 1000; // threads of a look that only asks which there are: as many as the platform gives at once
const DETAILS = 50; // threads whose cards are fetched at once
const NOTES = ["thread_id", "metadata", "created_at", "updated_at"];
export const OVERSEERS = ["operator", "admin", "warehouse"]; // they see all that waits, and answer nothing

/** The request that a thread shows, with where its answer goes; null when it shows none of ours. */
export function shownBy(thread) {
  for (const { id, value } of Object.values(thread.interrupts ?? {}).flat()) {
    if (value?.request_id && value.action_requests && value.roles) return { interrupt: id, view: value };
  }
  return null;
}

export class Queue {
  entries = new Map(); // by thread: what its note says, and what it shows as soon as that was fetched
  order = []; // threads as they are listed; what came above since stays out of it
  listed = 0; // how many of them are on the screen
  complete = false; // whether all that waits was found

  constructor(api) {
    this.api = api;
  }

  /**
   * The first of what waits, with all that is shown of it: soonest on the screen. `paint` is called as soon as there is
   * something, and again for what was escalated to this role, which another search finds.
   */
  async begin(paint) {
    await Promise.all(this.#ways().map(async (way) => {
      const threads = await this.#search({ ...way, limit: FIRST }, [...NOTES, "interrupts"]);
      if (!threads.length) return;
      for (const thread of threads) this.#keep(thread);
      paint();
    }));
  }

  /** Look which threads wait now; whether anything changed. */
  async look() {
    const found = new Map();
    for (const way of this.#ways()) {
      for (let offset = 0, got = PAGE; got === PAGE; offset += got) {
        const threads = await this.#search({ ...way, limit: PAGE, offset }, NOTES);
        for (const thread of threads) found.set(thread.thread_id, thread);
        got = threads.length;
        if (!this.complete) for (const thread of threads) this.#keep(thread);
      }
    }
    let changed = !this.complete;
    for (const [id, entry] of this.entries) {
      const gone = !found.has(id);
      changed ||= gone !== entry.gone;
      entry.gone = gone;
    }
    for (const thread of found.values()) changed = this.#keep(thread) || changed;
    this.complete = true;
    this.#append();
    return changed;
  }

  /** Fetch what these threads show, where that is not known or has changed. */
  async fetch(ids) {
    const wanted = ids.filter((id) => this.entries.get(id) && !this.entries.get(id).view && !this.entries.get(id).gone);
    for (let at = 0; at < wanted.length; at += DETAILS) {
      const part = wanted.slice(at, at + DETAILS);
      for (const thread of await this.#search({ ids: part, limit: part.length }, [...NOTES, "interrupts"])) this.#keep(thread);
    }
    return wanted.length > 0;
  }

  /** The most urgent first, the new ones among them; what waits no more leaves the list. */
  arrange() {
    for (const [id, entry] of this.entries) if (entry.gone) this.entries.delete(id);
    this.order = this.#open().sort(byUrgency).map((entry) => entry.thread);
  }

  /** How many wait that the list does not show, since they would move what is on the screen. */
  get unseen() {
    const inOrder = new Set(this.order);
    return this.#open().filter((entry) => !inOrder.has(entry.thread)).length;
  }

  /** How many wait. */
  get size() {
    return this.#open().length;
  }

  /** The entry of a request, if it is known. */
  of(requestId) {
    for (const entry of this.entries.values()) if (entry.request === requestId) return entry;
    return null;
  }

  /** What this person may answer. */
  isFor(view) {
    return view.roles.includes(this.api.me.role);
  }

  #open() {
    return [...this.entries.values()].filter((entry) => !entry.gone && !entry.others);
  }

  /** Take in what comes after all that is on the screen: it moves nothing. */
  #append() {
    const inOrder = new Set(this.order);
    const last = this.entries.get(this.order[Math.min(this.listed, this.order.length) - 1]);
    const rest = this.order.slice(this.listed).map((id) => this.entries.get(id)).filter((entry) => entry && !entry.gone);
    const after = this.#open().filter((entry) => !inOrder.has(entry.thread) && (!last || byUrgency(last, entry) <= 0));
    const tail = [...rest, ...after].sort(byUrgency).map((entry) => entry.thread);
    this.order = [...this.order.slice(0, this.listed), ...tail];
  }

  #ways() {
    const { role } = this.api.me;
    if (OVERSEERS.includes(role)) return [{}];
    return [{ metadata: { awaiting: role } }, { metadata: { escalated_to: role } }];
  }

  #search(how, select) {
    return this.api.post("threads/search", { status: "interrupted", sort_by: "created_at", sort_order: "asc", select, ...how });
  }

  /** Keep what was found of a thread; whether that is news. */
  #keep(thread) {
    const { thread_id: id, metadata, created_at: created, updated_at: updated } = thread;
    const before = this.entries.get(id);
    const isNew = before?.updated !== updated;
    const entry = isNew ? { thread: id, updated, seen: before?.view ?? before?.seen ?? null } : before;
    Object.assign(entry, {
      created, gone: false, graph: metadata.graph_id, due: metadata.due ?? "", case: metadata.request_type ?? "",
      request: metadata.request_id ?? "", about: metadata.order_id ?? "",
    });
    if (thread.interrupts) {
      const shows = shownBy(thread);
      if (shows) {
        Object.assign(entry, shows, { request: shows.view.request_id, due: shows.view.due, seen: shows.view });
      }
      entry.others = !shows || (!OVERSEERS.includes(this.api.me.role) && !this.isFor(shows.view));
    }
    this.entries.set(id, entry);
    return isNew;
  }
}

/** By when it is due, then by age. */
function byUrgency(one, other) {
  return compared(one.due, other.due) || compared(one.created, other.created) || compared(one.thread, other.thread);
}

function compared(one, other) {
  return one < other ? -1 : Number(one > other);
}
