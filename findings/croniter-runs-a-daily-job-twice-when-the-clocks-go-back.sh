#!/usr/bin/env bash
# croniter 7.0.0
#
# Behaviour: A job at 01:30 each day comes twice on the night when the clocks go back in New York, once in each of
#   the two hours. The next occurrence after the first is an hour later, not a day.
# Surprise: Other crons know that a job at a fixed hour runs once on such a day, and a job at 02:30 does run exactly
#   once when the hour is skipped in spring.
# Seen:
#   autumn: 2026-11-01T01:30:00-04:00 2026-11-01T01:30:00-05:00 2026-11-02T01:30:00-05:00
#   spring: 2026-03-07T02:30:00-05:00 2026-03-08T03:00:00-04:00 2026-03-09T02:30:00-04:00
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check croniter==7.0.0 tzdata==2026.6
venv/bin/python - <<'PY'
from datetime import datetime
from zoneinfo import ZoneInfo

from croniter import croniter

zone = ZoneInfo("America/New_York")


def three(expression, start):
    dates = croniter(expression, start)
    return [dates.get_next(datetime).isoformat() for _ in range(3)]


autumn = three("30 1 * * *", datetime(2026, 10, 31, 12, tzinfo=zone))
spring = three("30 2 * * *", datetime(2026, 3, 7, 0, tzinfo=zone))
print("autumn:", *autumn)
print("spring:", *spring)
if [d[:10] for d in autumn] != ["2026-11-01", "2026-11-01", "2026-11-02"]:
    raise SystemExit("changed: once a day")
PY
