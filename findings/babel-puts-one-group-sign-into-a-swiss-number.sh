#!/usr/bin/env bash
# Babel 2.19.0
#
# Behaviour: format_decimal and format_currency put one group sign into a number in de_CH, fr_CH and de_LI, before its
#   last three digits: 1234567890.5 is 1234567'890.5. Locales with another sign are grouped throughout.
# Surprise: The pattern is the same #,##0.### as that of de; amounts below a million look right, so tests with small
#   numbers see nothing.
# Seen:
#   de     1.234.567.890,5
#   de_CH  1234567'890.5
#   fr_CH  1234567'890,5
#   de_LI  1234567'890.5
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check babel==2.19.0
venv/bin/python - <<'PY'
from babel.numbers import format_decimal

shown = {locale: format_decimal(1234567890.5, locale=locale) for locale in ("de", "de_CH", "fr_CH", "de_LI")}
for locale, number in shown.items():
    print(f"{locale:6} {number}")
if shown["de"] != "1.234.567.890,5":
    raise SystemExit("changed: de is grouped in another way")
if any(shown[locale][:11] != "1234567'890" for locale in ("de_CH", "fr_CH", "de_LI")):
    raise SystemExit("changed: Swiss numbers are grouped throughout")
PY
