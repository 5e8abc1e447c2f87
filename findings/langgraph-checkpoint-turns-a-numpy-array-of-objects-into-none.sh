#!/usr/bin/env bash
# langgraph-checkpoint 4.3.2 (under langgraph 1.2.24), numpy 2.4.6
#
# Behaviour: A numpy array of objects, such as texts with a gap, comes back from a checkpoint as None; an array of
#   records comes back without the names of its fields, as raw bytes; a plain array comes back read-only.
# Surprise: numpy arrays are supported, and what cannot be kept is expected to be refused when it is written. Here
#   the write succeeds and the read returns None, without an error and without a line in the log.
# Seen:
#   array(['A', None], dtype=object) -> None
#   array([(1, 2)], dtype=[('sku', '<i4'), ('pieces', '<i4')]) -> dtype('V8')
#   array([1, 2]) -> writeable: False
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph==1.2.24 langgraph-checkpoint==4.3.2 numpy==2.4.6
venv/bin/python - <<'PY'
from typing import Any

import numpy as np
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict


class State(TypedDict):
    column: Any


graph = (
    StateGraph(State).add_node("keep", lambda state: {}).add_edge(START, "keep").compile(checkpointer=InMemorySaver())
)
config = {"configurable": {"thread_id": "1"}}


def kept(column):
    graph.invoke({"column": column}, config)
    return graph.get_state(config).values["column"]


texts = np.array(["A", None], dtype=object)
records = np.array([(1, 2)], dtype=[("sku", "<i4"), ("pieces", "<i4")])
plain = np.array([1, 2])
seen = kept(texts), kept(records).dtype, kept(plain).flags.writeable
print(f"{texts!r} -> {seen[0]!r}")
print(f"{records!r} -> {seen[1]!r}")
print(f"{plain!r} -> writeable: {seen[2]}")
if seen[0] is not None or seen[1].names is not None or seen[2]:
    raise SystemExit("changed: the arrays come back as they were, or are refused")
PY
