#!/usr/bin/env bash
# arrow 1.4.0
#
# Behaviour: dehumanize takes the whole number that stands before a unit, so 'in 1.5 hours' is in 5 hours and
#   'in 2,5 days' is in 5 days.
# Surprise: A text that it does not understand raises ValueError ('in 2 business days' does); a number that it half
#   understands gives another time.
# Seen:
#   in 1.5 hours: 5:00:00
#   in 2,5 days: 5 days, 0:00:00
#   in 2 business days: ValueError
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check arrow==1.4.0
venv/bin/python - <<'PY'
import arrow

now = arrow.get("2026-07-01T00:00:00")


def read(text):
    try:
        return str(now.dehumanize(text) - now)
    except ValueError:
        return "ValueError"


texts = "in 1.5 hours", "in 2,5 days", "in 2 business days"
reads = [read(text) for text in texts]
for text, seen in zip(texts, reads):
    print(f"{text}: {seen}")
if reads != ["5:00:00", "5 days, 0:00:00", "ValueError"]:
    raise SystemExit("changed: a decimal is understood or refused")
PY
