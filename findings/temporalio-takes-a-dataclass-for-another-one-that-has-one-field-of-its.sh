#!/usr/bin/env bash
# temporalio 1.35.0
#
# Behaviour: For an argument of the type Refund | Payment a Payment arrives as a Refund, when each field of Refund that
#   has no default is a field of Payment too: the fields that Refund does not have are dropped, and Payment, which fits
#   exactly, is not tried.
# Surprise: The caller sent an instance of one of the two; a converter is expected to find the one that fits, as
#   pydantic's does, or to refuse.
# Seen:
#   sent Payment(order='1', amount=5), arrived Refund(order='1', reason='')
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
class Refund:
    order: str
    reason: str = ""


@dataclass
class Payment:
    order: str
    amount: int


async def arrived(sent, hint):
    payloads = await DataConverter.default.encode([sent])
    return (await DataConverter.default.decode(payloads, [hint]))[0]


sent = Payment("1", 5)
got = asyncio.run(arrived(sent, Refund | Payment))
print(f"sent {sent}, arrived {got}")
if got != Refund("1"):
    raise SystemExit("changed: the type that fits is found")
PY
