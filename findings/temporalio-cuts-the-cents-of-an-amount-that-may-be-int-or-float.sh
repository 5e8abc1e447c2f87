#!/usr/bin/env bash
# temporalio 1.35.0
#
# Behaviour: The default converter gives a workflow or an activity whose argument, or field of a dataclass, is int |
#   float the int of what was sent: 9.99 arrives as 9. So it does for int and for int | None, and True is 1 where it
#   may be int or bool. A text where an int is due is refused.
# Surprise: A union is expected to keep a value that is one of its types; float | int and int | float are the same type
#   to a type checker and to ==, and the first keeps the cents. Nothing is logged.
# Seen:
#   Charge(amount=9.99), int | float: Charge(amount=9)
#   Refund(amount=9.99), float | int: Refund(amount=9.99)
#   9.99 for an int: 9
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check temporalio==1.35.0
venv/bin/python - <<'PY'
import asyncio
from dataclasses import dataclass

from temporalio.converter import DataConverter


@dataclass
class Charge:
    amount: int | float


@dataclass
class Refund:
    amount: float | int


async def arrived(sent, hint):
    payloads = await DataConverter.default.encode([sent])
    return (await DataConverter.default.decode(payloads, [hint]))[0]


async def main():
    return [await arrived(Charge(9.99), Charge), await arrived(Refund(9.99), Refund), await arrived(9.99, int)]


seen = asyncio.run(main())
names = "Charge(amount=9.99), int | float", "Refund(amount=9.99), float | int", "9.99 for an int"
for name, value in zip(names, seen):
    print(f"{name}: {value}")
if seen != [Charge(9), Refund(9.99), 9]:
    raise SystemExit("changed: the cents arrive, or are refused")
PY
