#!/usr/bin/env bash
# Babel 2.19.0
#
# Behaviour: parse_date swaps day and month when the month would be above 12. In en_US 12/01/2026 is the 1st of
#   December and 13/01/2026 the 13th of January; en_GB reads 01/13/2026 the same way.
# Surprise: A column of dates in the wrong locale is read half wrong and half right instead of failing at its first
#   row above 12.
# Seen:
#   en_US 12/01/2026 -> 2026-12-01
#   en_US 13/01/2026 -> 2026-01-13
#   en_US 01/13/2026 -> 2026-01-13
#   en_GB 12/01/2026 -> 2026-01-12
#   en_GB 13/01/2026 -> 2026-01-13
#   en_GB 01/13/2026 -> 2026-01-13
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check babel==2.19.0
venv/bin/python - <<'PY'
from babel.dates import parse_date

texts = "12/01/2026", "13/01/2026", "01/13/2026"
read = {(text, locale): parse_date(text, locale=locale).isoformat() for locale in ("en_US", "en_GB") for text in texts}
for (text, locale), date in read.items():
    print(locale, text, "->", date)
if read["13/01/2026", "en_US"] != "2026-01-13" or read["01/13/2026", "en_GB"] != "2026-01-13":
    raise SystemExit("changed: a month above 12 is refused")
PY
