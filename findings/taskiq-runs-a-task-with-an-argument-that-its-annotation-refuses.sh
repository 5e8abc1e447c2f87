#!/usr/bin/env bash
# taskiq 0.13.0
#
# Behaviour: The worker parses each argument by its annotation, "7" to 7 and a dict to its model. When that fails, it
#   logs a warning and runs the task with the raw value: the function gets a dict where it says Order, and the result
#   is a success if the function does not trip over it.
# Surprise: A parser that turns a dict into a model is taken for a check, as in FastAPI; a message that does not fit is
#   expected to be an error of the task, before its effect.
# Seen:
#   {'total': 5}: Order, error None
#   {'total': 'five'}: dict, error None
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check taskiq==0.13.0
venv/bin/python - <<'PY'
import asyncio
import logging

from pydantic import BaseModel
from taskiq import InMemoryBroker

logging.disable(logging.CRITICAL)
broker = InMemoryBroker()


class Order(BaseModel):
    total: int


@broker.task
async def ship(order: Order) -> str:
    return type(order).__name__


async def main():
    await broker.startup()
    seen = []
    for order in ({"total": 5}, {"total": "five"}):
        result = await (await ship.kiq(order)).wait_result(timeout=10)
        print(f"{order}: {result.return_value}, error {result.error}")
        seen.append((result.return_value, result.is_err))
    await broker.shutdown()
    return seen


if asyncio.run(main()) != [("Order", False), ("dict", False)]:
    raise SystemExit("changed: an argument that does not fit is an error")
PY
