#!/usr/bin/env bash
# stockholm 0.5.7
#
# Behaviour: Money('10 EUR') == Money('10.00 EUR'), and their hashes differ: the hash is made of the digits as they
#   were written. A sum of 9.5 and 0.5 hashes otherwise than 10, too.
# Surprise: Equal objects must have equal hashes, as Decimal's have; sets keep both, and a dict does not find its key.
# Seen:
#   10 EUR == 10.00 EUR: True
#   in a set of both: 2
#   price.get(10.00 EUR): None
#   price.get(9.5 EUR + 0.5 EUR): None
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check stockholm==0.5.7
venv/bin/python - <<'PY'
from stockholm import Money

ten, written = Money("10 EUR"), Money("10.00 EUR")
price = {ten: "a small box"}
kept, found = len({ten, written}), [price.get(written), price.get(Money("9.5 EUR") + Money("0.5 EUR"))]
print("10 EUR == 10.00 EUR:", ten == written)
print("in a set of both:", kept)
print("price.get(10.00 EUR):", found[0])
print("price.get(9.5 EUR + 0.5 EUR):", found[1])
if ten != written or (kept, found) != (2, [None, None]):
    raise SystemExit("changed: equal amounts have one hash")
PY
