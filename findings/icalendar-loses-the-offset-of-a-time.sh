#!/usr/bin/env bash
# icalendar 7.3.2
#
# Behaviour: A datetime with an offset (as datetime.fromisoformat makes one) is written with the name of a time zone
#   that nobody knows, UTC+02:00, and no definition of it. The library reads its own file back as a time without a
#   zone; add_missing_timezones changes nothing.
# Surprise: The format has no offsets, but it has UTC, in which the same moment can be written; as it is, a delivery
#   at 9:00 in Berlin is at 9:00 wherever the reader sits. No error, no warning.
# Seen:
#   given:   2026-07-01T09:00:00+02:00
#   written: DTSTART;TZID="UTC+02:00":20260701T090000
#   read:    2026-07-01T09:00:00
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check icalendar==7.3.2
venv/bin/python - <<'PY'
from datetime import datetime

from icalendar import Calendar, Event

given = datetime.fromisoformat("2026-07-01T09:00:00+02:00")
event = Event()
event.add("dtstart", given)
calendar = Calendar()
calendar.add_component(event)
calendar.add_missing_timezones()
text = calendar.to_ical().decode()
read = Calendar.from_ical(text).events[0].start
print("given:  ", given.isoformat())
print("written:", next(line for line in text.splitlines() if line.startswith("DTSTART")))
print("read:   ", read.isoformat())
if read.tzinfo is not None:
    raise SystemExit("changed: the moment is kept")
PY
