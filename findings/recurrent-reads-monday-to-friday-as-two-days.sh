#!/usr/bin/env bash
# recurrent 0.4.1
#
# Behaviour: 'every monday to friday' and 'every monday - friday at 9am' give a rule for Mondays and Fridays only.
#   'every weekday' gives the five days.
# Surprise: A range of days is how opening times and delivery days are written; 'to' is not 'and'. What the parser
#   does not know it otherwise answers with None, and the rule it gives here is valid, so three days of the week are
#   lost without a word.
# Seen:
#   every weekday: MO,TU,WE,TH,FR
#   every monday to friday: MO,FR
#   every monday - friday at 9am: MO,FR
#   every monday and friday: MO,FR
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check recurrent==0.4.1
venv/bin/python - <<'PY'
import re
import warnings
from datetime import datetime

warnings.simplefilter("ignore")
from recurrent.event_parser import RecurringEvent

seen = []
for phrase in (
    "every weekday",
    "every monday to friday",
    "every monday - friday at 9am",
    "every monday and friday",
):
    rule = RecurringEvent(now_date=datetime(2026, 11, 28, 12)).parse(phrase)
    seen.append(re.search(r"BYDAY=([A-Z,]+)", str(rule))[1])
    print(f"{phrase}: {seen[-1]}")
if seen[1:3] != ["MO,FR", "MO,FR"]:
    raise SystemExit("changed: the days between are in the rule, or the phrase is refused")
PY
