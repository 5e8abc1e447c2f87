#!/usr/bin/env bash
# aiolimiter 1.3.0
#
# Behaviour: Who waits for capacity is served by the amount and not in turn: a request for the whole capacity that came
#   first waits while there are smaller ones, for as long as those go on coming.
# Surprise: A limiter's queue is taken for a queue, as asyncio's Semaphore and Lock are; where the amount is a prompt's
#   tokens, it's the long prompt that times out under load, with capacity going by all the time.
# Seen:
#   served: small, small, small, small, small, small, small, small, large
#   the large one was asked for first, and served after 1.8 s; alone it is served after 1.0 s
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check aiolimiter==1.3.0
venv/bin/python - <<'PY'
import asyncio
import time

from aiolimiter import AsyncLimiter


async def served(smalls):
    limiter, order = AsyncLimiter(10, 1), []
    await limiter.acquire(10)  # all of the first second
    start = time.monotonic()

    async def ask(name, amount):
        await limiter.acquire(amount)
        order.append(name)

    large = asyncio.create_task(ask("large", 10))
    await asyncio.sleep(0)
    for _ in range(smalls):  # one after the other, each when the one before was served
        await ask("small", 1)
    await large
    return order, time.monotonic() - start


async def main():
    return await asyncio.gather(served(smalls=0), served(smalls=8))


(_, alone), (order, among) = asyncio.run(main())
print("served:", ", ".join(order))
print(f"the large one was asked for first, and served after {among:.1f} s; alone it is served after {alone:.1f} s")
if order != ["small"] * 8 + ["large"]:
    raise SystemExit("changed: the first is served first")
PY
