// Sends what somebody decided about a request: an answer for exactly what they were shown, or a question to the customer.

import { ApiError, pause } from "./api.js";
import { shownBy } from "./queue.js";
import { capital, either, moment, oneLine } from "./words.js";

const RUN_PATIENCE = 120_000; // milliseconds that what was approved may take to be made
const SETTLING = 10_000; // that a server which answers may take to bring to an end what was sent to it
const AWAY = 60_000; // that a server may be away before what was sent to it counts as unknown
const LOOK_EVERY = 500;

const VERBS = { approve: "said yes", edit: "changed it and said yes", reject: "said no" };

/** A request as the ledger has it, open or not. */
export function lookUp(api, requestId) {
  return api.get(`ops/approvals/${encodeURIComponent(requestId)}`);
}

/** What the customer was asked about a request, and said to it. */
export function askedOf(api, requestId) {
  return api.get(`ops/approvals/${encodeURIComponent(requestId)}/questions`);
}

/** How a request stands, and who said what to it when. */
export function story(known) {
  const said = known.decisions.map((each) => `${oneLine(each.actor)} (${either([each.role])}) ${VERBS[each.decision]} on ${moment(each.at)}`
    + (each.note ? `: “${oneLine(each.note)}”` : ""));
  const stands = known.status === "open" ? `It waits for ${either(known.roles)}` : `It is ${known.status}`;
  const why = known.status === "expired" && known.note ? [oneLine(known.note)] : [];
  return [stands, ...said, ...why].join("; ") + ".";
}

/**
 * Answer what is `shown`: an entry of the queue as it was on the screen, by its token.
 *
 * `said` is `{ decision, note, args }`, `args` for an edit only. Gives `{ done, text, again }`: whether the answer was
 * taken, what came of it in plain words, and whether it may be sent again as it is.
 */
export async function answer(api, shown, said) {
  const id = shown.view.request_id;
  const before = await lookUp(api, id);
  if (before.status !== "open") return notTaken(story(before));
  if (before.token !== shown.view.token) return notTaken(`The request has changed since you saw it. ${story(before)} Look at it as it is now`);
  const now = await whereItWaits(api, id, shown.thread);
  if (!now) return { ...notTaken("It is not asked anywhere just now: somebody may be answering it. Look again in a minute"), again: true };
  if (now.view.token !== shown.view.token) return notTaken("The request has changed since you saw it. Look at it as it is now");
  let failed = null;
  try {
    await run(api, now, payload(shown.view, said));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    failed = error;
  }
  const after = await settled(api, id, before, failed, now.thread);
  if (mine(after) > mine(before)) return { done: true, text: cameOfIt(after) };
  if (after.status !== "open") return notTaken(story(after));
  const asked = await whereItWaits(api, id, now.thread);
  const why = asked?.view.refused ?? failed?.message ?? "nobody knows why";
  return { ...notTaken(plain(why)), again: Boolean(failed?.passes) };
}

/** Ask the customer of a request. The same key again is the same question. */
export async function ask(api, requestId, text, key) {
  try {
    const headers = { "idempotency-key": key };
    const question = await api.post(`ops/approvals/${encodeURIComponent(requestId)}/ask`, { text }, { headers });
    return { done: true, text: question.answer ? `The customer has said to this: ${oneLine(question.answer)}` : "Asked: the question goes to the customer's conversation, and their answer to this card." };
  } catch (error) {
    if (!(error instanceof ApiError) || error.passes || error.status === 401) throw error;
    return { done: false, text: `Not asked: ${plain(error.message)}.` };
  }
}

/** Some text that nobody else has, also where the page is not served over TLS. */
export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The form that the platform's own clients send, with the token of what was shown. */
function payload(view, { decision, note, args }) {
  const entry = { type: decision };
  if (note) entry.message = note;
  if (decision === "edit") entry.edited_action = { name: view.action_requests[0].name, args };
  return { decisions: [entry], token: view.token };
}

async function run(api, { thread, graph, interrupt }, resume) {
  const started = await api.post(`threads/${thread}/runs`, {
    assistant_id: graph, command: { resume: { [interrupt]: resume } }, multitask_strategy: "reject",
  });
  await api.get(`threads/${thread}/runs/${started.run_id}/join`, { patience: RUN_PATIENCE });
}

/** Where a request is asked now: on the thread where it was seen, or on another. */
async function whereItWaits(api, id, seenOn) {
  const select = ["thread_id", "metadata", "interrupts"];
  const found = await api.post("threads/search", { ids: [seenOn], select, limit: 1 });
  const others = () => api.post("threads/search", { metadata: { request_id: id }, status: "interrupted", select, limit: 10 });
  for (const look of [() => found, others]) {
    for (const thread of await look()) {
      const shows = shownBy(thread);
      if (shows?.view.request_id === id) return { thread: thread.thread_id, graph: thread.metadata.graph_id, ...shows };
    }
  }
  return null;
}

/** The request after an answer to it. One whose fate is not known is waited for: a server may be starting again. */
async function settled(api, id, before, failed, thread) {
  const end = Date.now() + AWAY;
  let until = null;
  for (;;) {
    try {
      const after = await lookUp(api, id);
      until ??= Date.now() + SETTLING;
      if (!failed || mine(after) > mine(before) || after.status !== "open" || Date.now() > until) return after;
      if (!failed.passes && !(await isAtWork(api, thread))) return await lookUp(api, id);
    } catch (error) {
      if (!error.passes || Date.now() > end) throw error;
    }
    await pause(LOOK_EVERY);
  }
}

/** Whether somebody's answer is being worked on, which then has an end to wait for. */
async function isAtWork(api, thread) {
  const [found] = await api.post("threads/search", { ids: [thread], select: ["thread_id", "status"], limit: 1 });
  return found?.status === "busy";
}

function mine(known) {
  return known.decisions.filter((said) => said.mine).length;
}

function notTaken(why) {
  return { done: false, text: `Not taken. ${why.replace(/\.?$/u, ".")}` };
}

function cameOfIt(after) {
  if (after.status !== "open") return `Recorded: ${after.status}.`;
  return `Recorded; it now waits for ${either(after.roles)}, step ${after.step} of ${after.steps}.`;
}

/** A refusal with its rule behind it: "The amount is too high (REFUND-AMOUNT)". */
export function plain(why) {
  const [, rule, sentence] = /^(?:\d{3}: )?([A-Z][A-Z-]+): ([^]*)$/u.exec(why) ?? [];
  return rule ? `${capital(sentence.trim().replace(/\.$/u, ""))} (${rule})` : capital(why);
}
