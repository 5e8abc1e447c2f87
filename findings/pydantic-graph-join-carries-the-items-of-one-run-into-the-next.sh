#!/usr/bin/env bash
# pydantic-graph 2.68.0
#
# Behaviour: A join with reduce_list_append and initial=[] (or reduce_dict_update and initial={}) starts each run with
#   what the runs before have left in it, and changes the results that those have returned.
# Surprise: It's a value of the graph's definition, typed as such, with reducers of the library's own; the graph is
#   built once for all requests. initial_factory=list makes it fresh, and nothing says that initial is for what cannot
#   change.
# Seen:
#   first run:  ['ann']
#   second run: ['ann', 'bob']
#   the first run's result, looked at again: ['ann', 'bob']
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check pydantic-graph==2.68.0
venv/bin/python - <<'PY'
import asyncio

from pydantic_graph.graph_builder import GraphBuilder
from pydantic_graph.join import reduce_list_append
from pydantic_graph.step import StepContext

builder = GraphBuilder(input_type=list[str], output_type=list[str])


@builder.step
async def names(context: StepContext[None, None, list[str]]) -> list[str]:
    return context.inputs


@builder.step
async def greet(context: StepContext[None, None, str]) -> str:
    return context.inputs


collect = builder.join(reduce_list_append, initial=[])
builder.add(
    builder.edge_from(builder.start_node).to(names),
    builder.edge_from(names).map().to(greet),
    builder.edge_from(greet).to(collect),
    builder.edge_from(collect).to(builder.end_node),
)
graph = builder.build()


async def main():
    first = await graph.run(inputs=["ann"])
    print("first run: ", first)
    second = await graph.run(inputs=["bob"])
    print("second run:", second)
    print("the first run's result, looked at again:", first)
    return first, second


if asyncio.run(main()) != (["ann", "bob"], ["ann", "bob"]):
    raise SystemExit("changed: each run starts with an empty list")
PY
