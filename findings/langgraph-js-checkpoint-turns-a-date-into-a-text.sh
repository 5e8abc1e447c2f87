#!/usr/bin/env bash
# @langchain/langgraph 1.7.3 (JavaScript, Node 20)
#
# Behaviour: In JavaScript a Date of the state comes back from a checkpoint as a text, while a Set, a Map, a RegExp and a
#   Uint8Array come back as they were. NaN and Infinity come back as null, also within a Map.
# Surprise: The serializer is no plain JSON: it has a form of its own for the types that JSON lacks, and the Date, the
#   one that most states have, is not among them. In Python a datetime comes back as one. due.getTime() works until
#   the thread pauses, and due > now compares a text with a Date after.
# Seen:
#   Date -> String   Set -> Set   Map -> Map   RegExp -> RegExp   Uint8Array -> Uint8Array
#   NaN -> null   Infinity -> null
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
npm install --silent --no-audit --no-fund @langchain/langgraph@1.7.3 @langchain/core@1.4.0 >/dev/null
cat >shop.mjs <<'JS'
import { Annotation, MemorySaver, START, StateGraph } from "@langchain/langgraph";

const graph = new StateGraph(Annotation.Root({ value: Annotation() }))
  .addNode("keep", () => ({}))
  .addEdge(START, "keep")
  .compile({ checkpointer: new MemorySaver() });

async function kept(value) {
  const config = { configurable: { thread_id: "1" } };
  await graph.invoke({ value }, config);
  return (await graph.getState(config)).values.value;
}

const types = [];
for (const value of [new Date(0), new Set(["A"]), new Map([["A", 1]]), /A/g, new Uint8Array([1])]) {
  types.push(`${value.constructor.name} -> ${(await kept(value)).constructor.name}`);
}
const numbers = [];
for (const value of [NaN, Infinity]) {
  numbers.push(`${value} -> ${await kept(value)}`);
}
console.log(types.join("   "));
console.log(numbers.join("   "));
if (types[0] !== "Date -> String" || types[1] !== "Set -> Set" || numbers[0] !== "NaN -> null") {
  console.error("changed: a Date comes back as one");
  process.exit(1);
}
JS
node shop.mjs
