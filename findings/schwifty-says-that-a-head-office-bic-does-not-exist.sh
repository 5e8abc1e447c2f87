#!/usr/bin/env bash
# schwifty 2026.10.1
#
# Behaviour: BIC('DEUTDEFF').exists is False and BIC('DEUTDEFFXXX').exists is True; for ABN AMRO it is the other way
#   round, and for BNP Paribas both are True. The two forms are not equal either, though bank_names finds the bank
#   for the short German ones.
# Surprise: The eight and the eleven characters with XXX are one BIC, the head office's; which of them exists hangs on
#   how the country's list happens to be written.
# Seen:
#   DEUTDEFF: False, DEUTDEFFXXX: True, equal: False, names of the short one: ['Deutsche Bank']
#   ABNANL2A: True, ABNANL2AXXX: False, equal: False, names of the short one: ['ABN AMRO BANK N.V.']
#   BNPAFRPP: True, BNPAFRPPXXX: True, equal: False, names of the short one: ['BNP PARIBAS']
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check schwifty==2026.10.1
venv/bin/python - <<'PY'
from schwifty import BIC

seen = {}
for code in ("DEUTDEFF", "ABNANL2A", "BNPAFRPP"):
    short, long = BIC(code), BIC(code + "XXX")
    seen[code] = short.exists, long.exists, short == long
    names = sorted(set(short.bank_names))[:1]
    print(f"{code}: {short.exists}, {code}XXX: {long.exists}, equal: {short == long}, names of the short one: {names}")
if seen["DEUTDEFF"] != (False, True, False) or seen["ABNANL2A"] != (True, False, False):
    raise SystemExit("changed: both forms are one BIC")
PY
