#!/usr/bin/env bash
# langgraph-checkpoint 4.3.2 (under langgraph 1.2.24)
#
# Behaviour: A Counter, a defaultdict or an OrderedDict in the state comes back from a checkpoint as a plain dict. A
#   key whose reducer adds Counters works within a run and raises a TypeError in the run after it.
# Surprise: The serializer has a case for deque, set and frozenset, and for a type that it does not know it raises an
#   error; these three it takes as dicts without a word. The first run of a thread passes, the second fails.
# Seen:
#   first run:  Counter({'chair': 2})
#   from the checkpoint: dict
#   second run: TypeError: unsupported operand type(s) for +: 'dict' and 'Counter'
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph==1.2.24 langgraph-checkpoint==4.3.2
venv/bin/python - <<'PY'
import operator
from collections import Counter
from typing import Annotated

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict


class State(TypedDict):
    sold: Annotated[Counter, operator.add]


graph = (
    StateGraph(State)
    .add_node("sell", lambda state: {"sold": Counter(chair=1)})
    .add_edge(START, "sell")
    .compile(checkpointer=InMemorySaver())
)
config = {"configurable": {"thread_id": "1"}}
first = graph.invoke({"sold": Counter(chair=1)}, config)["sold"]
kept = type(graph.get_state(config).values["sold"]).__name__
try:
    second = graph.invoke({"sold": Counter(chair=1)}, config)["sold"]
except TypeError as error:
    second = f"TypeError: {error}"
print("first run: ", first)
print("from the checkpoint:", kept)
print("second run:", second)
if first != Counter(chair=2) or kept != "dict" or not str(second).startswith("TypeError"):
    raise SystemExit("changed: the Counter comes back as one")
PY
