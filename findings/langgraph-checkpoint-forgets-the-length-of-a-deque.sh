#!/usr/bin/env bash
# langgraph-checkpoint 4.3.2 (under langgraph 1.2.24)
#
# Behaviour: A deque(maxlen=3) in the state comes back from a checkpoint without its maxlen. The next append makes it
#   four long.
# Surprise: deque is one of the types that the serializer has a case for, and its maxlen is why one takes a deque:
#   the last few messages grow without bound once a thread has been paused, and never in a test that runs through.
# Seen:
#   in the run:          deque([1, 2, 3], maxlen=3)
#   from the checkpoint: deque([1, 2, 3])
#   after an append:     deque([1, 2, 3, 4])
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph==1.2.24 langgraph-checkpoint==4.3.2
venv/bin/python - <<'PY'
from collections import deque

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict


class State(TypedDict):
    last: deque


graph = (
    StateGraph(State).add_node("keep", lambda state: {}).add_edge(START, "keep").compile(checkpointer=InMemorySaver())
)
config = {"configurable": {"thread_id": "1"}}

ran = graph.invoke({"last": deque([1, 2, 3], maxlen=3)}, config)["last"]
kept = graph.get_state(config).values["last"]
print("in the run:         ", ran)
print("from the checkpoint:", kept)
length = kept.maxlen
kept.append(4)
print("after an append:    ", kept)
if ran.maxlen != 3 or length is not None or len(kept) != 4:
    raise SystemExit("changed: the deque keeps its length")
PY
