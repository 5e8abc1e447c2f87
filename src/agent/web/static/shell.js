// The shell: who sits here, which page is shown, what is on its way, and the keys.
//
// A page is a module that exports `title`, `mount(root, api)` and `unmount()`. It speaks to the server by `api`, which
// also has what the shell offers it: `me`, `outbox`, `speak(text)`, `path` (what the address says behind the page's own
// name), `go(path)`, `onPath(listener)`, `keys({ key: [what it does, function] })`, `head(text)` for the tab's title.

import { Api, pause } from "./api.js";
import * as approvals from "./approvals.js";
import { h, say } from "./dom.js";
import * as operations from "./operations.js";
import { Outbox } from "./outbox.js";
import * as tickets from "./tickets.js";
import * as tryIt from "./try.js";

const PAGES = { approvals, tickets, operations, ...(tryIt.mount && { try: tryIt }) }; // the last in development alone

const at = (id) => document.getElementById(id);
const main = at("main");
const api = new Api({ onRefusedToken: askForToken, onAnswer: tellConnection });

let shown = null; // the page that is mounted
let own = {}; // its keys
let listener = () => {};
let answeredAt = null;
let signedIn = true; // as long as nobody is asked for a token

api.speak = (text) => {
  const line = h("p", {}, text);
  at("spoken").append(line);
  setTimeout(() => line.remove(), 30_000);
};
api.go = (path) => {
  location.hash = `#/${path}`;
};
api.onPath = (heard) => {
  listener = heard;
};
api.keys = (keys) => {
  own = keys;
};
api.head = (text) => {
  document.title = `${text} – Order desk`;
};
api.outbox = new Outbox(at("outbox"), api);

function show() {
  const [name, ...rest] = location.hash.replace(/^#\//u, "").split("/").map(decoded);
  if (!Object.hasOwn(PAGES, name)) {
    location.replace(`#/${Object.keys(PAGES)[0]}`);
    return;
  }
  if (!api.me) return; // once somebody has signed in
  api.path = rest.join("/");
  if (shown === PAGES[name]) {
    listener(api.path);
    return;
  }
  leave();
  shown = PAGES[name];
  for (const link of at("nav").children) {
    if (link.dataset.page === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  api.head(shown.title);
  shown.mount(main, api);
}

/** A part of the address; one that is badly written, as by a cut link, stays as it is. */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function leave() {
  shown?.unmount();
  shown = null;
  own = {};
  listener = () => {};
  main.replaceChildren();
}

/** Ask for a token. The page behind stays as it is, with what was typed there. */
function askForToken(error) {
  if (error) say(at("sign-in-why"), `The server does not take your token any more (${error.message}). Sign in again: what you typed is kept.`);
  signedIn = false;
  if (at("sign-in").open) return;
  at("sign-in").showModal();
  at("token").focus();
}

at("sign-in").addEventListener("close", () => {
  if (!signedIn) askForToken(); // by Escape: there is nothing to see without a token
});
at("sign-in-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const before = api.me;
  try {
    await api.signIn(at("token").value.trim());
  } catch (error) {
    say(at("sign-in-error"), error.status === 401 ? `Not taken: ${error.message}.` : `Not signed in: ${error.message}.`);
    return;
  }
  at("token").value = "";
  say(at("sign-in-error"), "");
  signedIn = true;
  at("sign-in").close();
  if (before && (before.identity !== api.me.identity || before.role !== api.me.role)) {
    leave(); // somebody else's queue, and somebody else's answers
    api.outbox.dropAll();
  }
  welcome();
});

function welcome() {
  say(at("who"), `${api.me.identity}, ${api.me.role.replaceAll("_", " ")}`);
  at("sign-out").hidden = false;
  if (shown) dispatchEvent(new Event("desk-signed-in")); // the page has waited for this
  else show();
}

at("sign-out").addEventListener("click", () => {
  const dropped = api.outbox.dropAll();
  api.signOut();
  leave();
  say(at("who"), "");
  at("sign-out").hidden = true;
  const unsent = dropped ? ` What was not sent yet (${dropped}) has been dropped.` : "";
  say(at("sign-in-why"), `Signed out.${unsent} Paste a token to sign in.`);
  askForToken();
});

function tellConnection(answers, why) {
  at("connection").classList.toggle("away", !answers);
  if (answers) {
    answeredAt = new Date();
    say(at("connection"), "");
  } else {
    const since = answeredAt ? ` What you see is of ${answeredAt.toLocaleTimeString()}.` : "";
    say(at("connection"), `${why}; trying again.${since}`);
  }
}

const SHELL_KEYS = {
  z: ["undo what is not sent yet", () => api.outbox.undo()],
  "?": ["show the keys", () => help()],
};

function help() {
  const all = Object.entries({ ...own, ...SHELL_KEYS });
  at("keys-list").replaceChildren(...all.flatMap(([key, [what]]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, what)]));
  at("keys").showModal();
}
at("help").addEventListener("click", help);
at("keys-close").addEventListener("click", () => at("keys").close());

document.addEventListener("keydown", (event) => {
  // a dialog that was closed keeps the focus until the browser draws again
  const typing = event.target.closest("input:not([type=checkbox]), textarea, select") && !event.target.closest("dialog");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const found = { ...own, ...SHELL_KEYS }[event.key];
  if (!found) return;
  event.preventDefault();
  found[1]();
});

for (const [name, page] of Object.entries(PAGES)) {
  at("nav").append(h("a", { href: `#/${name}`, "data-page": name }, page.title));
}
addEventListener("hashchange", show);
addEventListener("unhandledrejection", (event) => {
  // that nobody answers, or that a token is refused, stands on the page already
  if (event.reason?.passes || event.reason?.status === 401) event.preventDefault();
});

while (api.token && !api.me) {
  try {
    await api.signIn(api.token);
    welcome();
  } catch (error) {
    if (!error.passes) break; // the shell has asked for another token already
    await pause(3_000);
  }
}
if (!api.me) askForToken();
