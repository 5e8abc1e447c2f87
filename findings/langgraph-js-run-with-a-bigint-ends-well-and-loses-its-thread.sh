#!/usr/bin/env bash
# @langchain/langgraph 1.7.3 (JavaScript, Node 20)
#
# Behaviour: A run whose state holds a BigInt ends at its question as if all were well. Its checkpoints were not
#   written: JSON has no BigInt, and in the place of the whole checkpoint stands a text that says that the circular
#   reference is too complex. get_state and the answer to the question then raise errors about something else.
# Surprise: A state that cannot be written is expected to fail the run, as it does in Python. Here the customer has
#   been asked, and everything that the thread knew is gone; nothing is circular.
# Seen:
#   the run asks: Refund 90 EUR?
#   getState:     TypeError: Cannot read properties of undefined (reading 'cents')
#   the answer:   Error: Failed to put writes. The passed RunnableConfig is missing a required "checkpoint_id" field
#   written:      "[unable to serialize, circular reference is too complex to analyze]"
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
npm install --silent --no-audit --no-fund @langchain/langgraph@1.7.3 @langchain/core@1.4.0 >/dev/null
cat >shop.mjs <<'JS'
import { Annotation, Command, interrupt, MemorySaver, START, StateGraph } from "@langchain/langgraph";

const State = Annotation.Root({ cents: Annotation(), answer: Annotation() });
const saver = new MemorySaver();
const graph = new StateGraph(State)
  .addNode("approve", () => ({ answer: interrupt("Refund 90 EUR?") }))
  .addEdge(START, "approve")
  .compile({ checkpointer: saver });
const config = { configurable: { thread_id: "1" } };

async function told(action) {
  try {
    return JSON.stringify(await action());
  } catch (error) {
    return `${error.name}: ${error.message}`.split(" in its ")[0];
  }
}

const asked = (await graph.invoke({ cents: 9000n }, config)).__interrupt__?.[0].value;
const state = await told(() => graph.getState(config));
const answer = await told(() => graph.invoke(new Command({ resume: "yes" }), config));
const [, written] = await saver.serde.dumpsTyped({ cents: 9000n });
const text = new TextDecoder().decode(written);
console.log("the run asks:", asked);
console.log("getState:    ", state);
console.log("the answer:  ", answer);
console.log("written:     ", text);
if (asked !== "Refund 90 EUR?" || !/^\w*Error: /.test(state) || !/^\w*Error: /.test(answer)) {
  console.error("changed: the run fails, or the thread is kept");
  process.exit(1);
}
JS
node shop.mjs
