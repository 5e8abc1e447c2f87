// The page of the living shop: what is alive, the buttons, and the counts. It speaks to the supervisor that served it.

import { button, facts, h, say } from "./dom.js";

const LOOK_EVERY = 1_000; // milliseconds
const at = (id) => document.getElementById(id);

const network = button("", () => press(network.dataset.does));
const carrier = button("", () => press(carrier.dataset.does));
const server = button("Kill the server", () => press("kill_server"));
at("buttons").append(network, carrier, server);

const COUNTS = {
  placed: "orders that were accepted", done: "at their end", waiting: "waiting for a person", on_the_way: "on their way",
  lost: "lost", doubled: "charged twice", unsettled: "movements of money on their way",
};

async function press(name) {
  say(at("wrong"), "");
  try {
    const headers = { "content-type": "application/json" };
    const answer = await fetch("press", { method: "POST", headers, body: JSON.stringify({ button: name }) });
    if (!answer.ok) say(at("wrong"), `Not done: ${await answer.text()}`);
  } catch {
    say(at("wrong"), "Not done: the supervisor does not answer.");
  }
  await look();
}

async function look() {
  let state;
  try {
    state = await (await fetch("state", { cache: "no-store" })).json();
  } catch {
    say(at("connection"), "The show is over: its supervisor does not answer.");
    return;
  }
  say(at("connection"), "");
  put("alive", facts([
    ["server", state.server], ["kills", state.kills], ["card network", state.network], ["carrier", state.carrier],
    ["open for", `${state.seconds} s`],
  ]));
  const counted = Object.entries(COUNTS).map(([name, words]) => [words, state.books[name]]);
  if (Object.keys(state.books).length) {
    put("counts", facts([...counted, ["conversations", state.conversations], ["answers of synthetic staff", state.decisions]]));
  }
  does(network, state.network === "up" ? ["stop_network", "Stop the card network"] : ["start_network", "Start the card network"]);
  does(carrier, state.carrier === "quick" ? ["slow_carrier", "Slow the carrier"] : ["quicken_carrier", "Quicken the carrier"]);
  server.disabled = state.server !== "up";
  at("desk").href = state.desk;
  put("tokens", facts(Object.entries(state.tokens).map(([role, token]) => [role.replaceAll("_", " "), h("code", {}, token)])));
}

function does(pressed, [name, words]) {
  pressed.dataset.does = name;
  say(pressed, words);
}

/** Put an element where it differs from what is there. */
function put(id, element) {
  const [before] = at(id).children;
  if (!before?.isEqualNode(element)) at(id).replaceChildren(element);
}

async function watch() {
  await look();
  setTimeout(watch, LOOK_EVERY);
}
watch();
