#!/usr/bin/env bash
# limits 5.8.0
#
# Behaviour: parse() of a string with two limits returns the first and says nothing about the second; parse() of '10
#   per 0 seconds' is ten a second. Only parse_many reads them all.
# Surprise: Other strings that parse does not understand raise ValueError, and the dropped limit is usually the
#   stricter, long one.
# Seen:
#   parse_many: [10 per 1 minute, 20 per 1 day]
#   parse:      10 per 1 minute
#   per 0:      10 per 1 second
#   ValueError: no granularity matched for fortnight
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check limits==5.8.0
venv/bin/python - <<'PY'
from limits import parse, parse_many

text = "10/minute; 20/day"
print("parse_many:", parse_many(text))
print("parse:     ", parse(text))
print("per 0:     ", parse("10 per 0 seconds"))
try:
    parse("10/fortnight")
except ValueError as error:
    print("ValueError:", error)
if parse(text) != parse("10/minute") or parse("10 per 0 seconds") != parse("10/second"):
    raise SystemExit("changed: parse tells")
PY
