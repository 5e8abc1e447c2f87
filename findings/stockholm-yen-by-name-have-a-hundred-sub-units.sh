#!/usr/bin/env bash
# stockholm 0.5.7
#
# Behaviour: Money.from_sub_units(100, Currency.JPY) is 100 JPY, and Money.from_sub_units(100, 'JPY') is 1.00 JPY:
#   a currency given by its code has two decimals, whatever it is. The two are equal in value and in currency, and
#   a sum takes the sub units of its first term. An amount that went through JSON comes back with the other kind.
# Surprise: The changelog gives 100 sub units of yen as 100 JPY, and both forms are offered for currencies. What is
#   sent to a payment provider in the smallest unit is a hundred times too much.
# Seen:
#   from 100 sub units:    by constant 100 JPY, by code 1.00 JPY
#   sub units of 1000 yen: by constant 1000, by code 100000, after JSON 100000
#   equal: True
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check stockholm==0.5.7
venv/bin/python - <<'PY'
from stockholm import Currency, Money

constant, code = Money(1000, Currency.JPY), Money(1000, "JPY")
units = [str(money.sub_units) for money in (constant, code, Money.from_json(constant.json()))]
made = [str(Money.from_sub_units(100, currency)) for currency in (Currency.JPY, "JPY")]
print(f"from 100 sub units:    by constant {made[0]}, by code {made[1]}")
print(f"sub units of 1000 yen: by constant {units[0]}, by code {units[1]}, after JSON {units[2]}")
print("equal:", constant == code and constant.currency == code.currency)
if (made, units) != (["100 JPY", "1.00 JPY"], ["1000", "100000", "100000"]):
    raise SystemExit("changed: the code of a currency means that currency")
PY
