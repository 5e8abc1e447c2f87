#!/usr/bin/env bash
# pendulum 3.3.0
#
# Behaviour: duration(months=1) * 2 is two months. duration(months=1) + duration(months=1) is sixty days, and
#   duration(months=1) / 2 is nothing at all. Added to a date each gives another day.
# Surprise: The class keeps months as months, which is what it is for, and d + d is 2 * d for everything else. A
#   warranty of two months that is added up ends on another day than one that is multiplied.
# Seen:
#   month * 2:     Duration(months=2), bought 2026-01-31, ends 2026-03-31
#   month + month: Duration(weeks=8, days=4), bought 2026-01-31, ends 2026-04-01
#   month / 2:     Duration(), bought 2026-01-31, ends 2026-01-31
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check pendulum==3.3.0
venv/bin/python - <<'PY'
import pendulum

month = pendulum.duration(months=1)
bought = pendulum.date(2026, 1, 31)
made = {"month * 2": month * 2, "month + month": month + month, "month / 2": month / 2}
ends = {}
for text, duration in made.items():
    ends[text] = str(bought + duration)
    print(f"{text + ':':14} {duration!r}, bought {bought}, ends {ends[text]}")
if list(ends.values()) != ["2026-03-31", "2026-04-01", "2026-01-31"]:
    raise SystemExit("changed: months stay months")
PY
