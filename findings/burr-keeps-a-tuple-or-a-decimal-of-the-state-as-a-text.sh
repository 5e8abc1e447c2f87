#!/usr/bin/env bash
# burr 0.42.0
#
# Behaviour: A tuple, set, Decimal, datetime, bytes or enum in the state is saved as its str(), and the application
#   that resumes has the text: ("a", "b") is "('a', 'b')", and to iterate over it gives characters.
# Surprise: JSON has a list for a tuple, and what it has nothing for is expected to be refused when it's saved, as
#   json.dumps does; here the type is lost without a word, and only after a restart.
# Seen:
#   lines: ('tea', 'milk') -> "('tea', 'milk')"
#   total: Decimal('9.90') -> '9.90'
#   due: datetime.date(2026, 1, 31) -> '2026-01-31'
#   first line, before and after: 'tea', '('
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check burr==0.42.0
venv/bin/python - <<'PY'
import datetime
from decimal import Decimal

from burr.core import ApplicationBuilder, State, action
from burr.core.persistence import SQLitePersister

order = {"lines": ("tea", "milk"), "total": Decimal("9.90"), "due": datetime.date(2026, 1, 31)}


@action(reads=["lines"], writes=["first"])
def look(state: State) -> State:
    return state.update(first=state["lines"][0])


def application():
    persister = SQLitePersister("orders.sqlite", "orders")
    persister.initialize()
    return (
        ApplicationBuilder()
        .with_actions(look)
        .with_transitions(("look", "look"))
        .initialize_from(persister, resume_at_next_action=True, default_state=order, default_entrypoint="look")
        .with_state_persister(persister)
        .with_identifiers(app_id="order-1")
        .build()
    )


_, _, before = application().run(halt_after=["look"])
resumed = application()
seen = {key: resumed.state[key] for key in order}
_, _, after = resumed.run(halt_after=["look"])
for key, value in order.items():
    print(f"{key}: {value!r} -> {seen[key]!r}")
print(f"first line, before and after: {before['first']!r}, {after['first']!r}")
if seen != {key: str(value) for key, value in order.items()}:
    raise SystemExit("changed: a value keeps its type, or is refused")
PY
