#!/usr/bin/env bash
# langgraph-checkpoint 4.3.2 (under langgraph 1.2.24)
#
# Behaviour: A dict of the state with dates for keys comes back from a checkpoint with texts for keys, and one with
#   members of an Enum for keys comes back with their values. The same date and the same member as values come back as
#   they were, and so do int, float and tuple keys.
# Surprise: Types that a checkpoint knows as values, it is expected to know as keys or to refuse, as it does for a
#   Decimal. Here slots[date(2026, 12, 1)] is a KeyError only after a pause.
# Seen:
#   in the run:          {datetime.date(2026, 12, 1): datetime.date(2026, 12, 1)}
#   from the checkpoint: {'2026-12-01': datetime.date(2026, 12, 1)}
#   in the run:          {<Size.M: 'm'>: <Size.M: 'm'>}
#   from the checkpoint: {'m': <Size.M: 'm'>}
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph==1.2.24 langgraph-checkpoint==4.3.2
venv/bin/python - <<'PY'
from datetime import date
from enum import Enum

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict


class Size(Enum):
    M = "m"


class State(TypedDict):
    slots: dict


graph = (
    StateGraph(State)
    .add_node("keep", lambda state: {})
    .add_edge(START, "keep")
    .compile(checkpointer=InMemorySaver(serde=JsonPlusSerializer(allowed_msgpack_modules=[Size])))
)
config = {"configurable": {"thread_id": "1"}}

day = date(2026, 12, 1)
seen = []
for slots in ({day: day}, {Size.M: Size.M}):
    ran = graph.invoke({"slots": slots}, config)["slots"]
    kept = graph.get_state(config).values["slots"]
    seen += [ran, kept]
    print("in the run:         ", ran)
    print("from the checkpoint:", kept)
if seen != [{day: day}, {"2026-12-01": day}, {Size.M: Size.M}, {"m": Size.M}]:
    raise SystemExit("changed: a key keeps its type, or is refused")
PY
