#!/usr/bin/env bash
# Babel 2.19.0
#
# Behaviour: parse_decimal(strict=True), which refuses a misplaced thousands separator, accepts NaN, sNaN, inf, 1e5
#   and 1_000 in every locale.
# Surprise: Strict is documented as rejecting numbers that are formatted in a weird way, and NaN in an amount
#   compares false with every limit.
# Seen:
#   1.50 -> refused
#   NaN -> NaN
#   sNaN -> sNaN
#   inf -> Infinity
#   1e5 -> 1E+5
#   1_000 -> 1000
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check babel==2.19.0
venv/bin/python - <<'PY'
from babel.numbers import NumberFormatError, parse_decimal


def strict(text):
    try:
        return str(parse_decimal(text, locale="de", strict=True))
    except NumberFormatError:
        return "refused"


read = {text: strict(text) for text in ("1.50", "NaN", "sNaN", "inf", "1e5", "1_000")}
for text, value in read.items():
    print(text, "->", value)
if read != {"1.50": "refused", "NaN": "NaN", "sNaN": "sNaN", "inf": "Infinity", "1e5": "1E+5", "1_000": "1000"}:
    raise SystemExit("changed: strict refuses more, or less")
PY
