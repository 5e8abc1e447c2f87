#!/usr/bin/env bash
# langgraph-checkpoint 4.3.2 (under langgraph 1.2.24)
#
# Behaviour: A datetime with ZoneInfo('Europe/Berlin') comes back from a checkpoint with the fixed offset of that
#   day. Two days later, across the change of the clocks, is another moment than before. A time, and a ZoneInfo of its
#   own, come back with the zone.
# Surprise: The serializer does know ZoneInfo, and the datetimes compare equal, so nothing shows it: a promise of
#   'same time in two days', worked out after a pause, is an hour off twice a year.
# Seen:
#   in the run:          2026-10-24 09:00 Europe/Berlin, in two days 2026-10-26 09:00+01:00
#   from the checkpoint: 2026-10-24 09:00 UTC+02:00, in two days 2026-10-26 09:00+02:00
#   a time keeps its zone: Europe/Berlin
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph==1.2.24 langgraph-checkpoint==4.3.2
venv/bin/python - <<'PY'
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict


class State(TypedDict):
    due: datetime
    opens: time


graph = (
    StateGraph(State).add_node("keep", lambda state: {}).add_edge(START, "keep").compile(checkpointer=InMemorySaver())
)
config = {"configurable": {"thread_id": "1"}}

berlin = ZoneInfo("Europe/Berlin")
ran = graph.invoke({"due": datetime(2026, 10, 24, 9, tzinfo=berlin), "opens": time(9, tzinfo=berlin)}, config)
kept = graph.get_state(config).values


def later(due):
    return (due + timedelta(days=2)).isoformat(" ", "minutes")


for label, due in (("in the run:", ran["due"]), ("from the checkpoint:", kept["due"])):
    print(f"{label:20} {due:%Y-%m-%d %H:%M} {due.tzinfo}, in two days {later(due)}")
print("a time keeps its zone:", kept["opens"].tzinfo)
if later(ran["due"]) == later(kept["due"]) or kept["opens"].tzinfo != berlin:
    raise SystemExit("changed: the datetime keeps its zone")
PY
