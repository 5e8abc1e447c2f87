#!/usr/bin/env bash
# dateparser 1.5.0
#
# Behaviour: 'a week from today' is read as a week ago, '3 days from today' as today, and '2 days before tomorrow' as
#   tomorrow, also with PREFER_DATES_FROM='future'. '3 days from now' and 'in a week' are read as they are meant.
# Surprise: A phrase that a parser does not know is expected to give None, as 'within a week' does. Here three
#   phrases of one form give the past, the present and a dropped half, all as plain dates; a customer's wish for a
#   delivery lies before the order.
# Seen:
#   in a week:              2026-12-05
#   a week from today:      2026-11-21
#   3 days from now:        2026-12-01
#   3 days from today:      2026-11-28
#   2 days before tomorrow: 2026-11-29
#   within a week:          None
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check dateparser==1.5.0
venv/bin/python - <<'PY'
import warnings
from datetime import datetime

warnings.simplefilter("ignore")
import dateparser

settings = {"RELATIVE_BASE": datetime(2026, 11, 28, 12), "PREFER_DATES_FROM": "future"}
seen = {}
for phrase in (
    "in a week",
    "a week from today",
    "3 days from now",
    "3 days from today",
    "2 days before tomorrow",
    "within a week",
):
    date = dateparser.parse(phrase, languages=["en"], settings=settings)
    seen[phrase] = date and f"{date:%Y-%m-%d}"
    print(f"{phrase + ':':23} {seen[phrase]}")
if seen["a week from today"] != "2026-11-21" or seen["3 days from today"] != "2026-11-28":
    raise SystemExit("changed: 'from today' goes forward, or is refused")
PY
