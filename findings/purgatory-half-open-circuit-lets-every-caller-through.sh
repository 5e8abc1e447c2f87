#!/usr/bin/env bash
# purgatory 3.0.1
#
# Behaviour: When the time of an open circuit is over, all calls that come before the first result go through, not
#   one.
# Surprise: The half-open state exists so that one probe tests a dependency that is down; here a crowd that waited
#   falls on it together.
# Seen:
#   open:       0 of 50 calls reach the dependency
#   half-open:  50 of 50 calls reach the dependency
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check purgatory==3.0.1
venv/bin/python - <<'PY'
import asyncio

from purgatory import AsyncCircuitBreakerFactory

reached = []
breakers = AsyncCircuitBreakerFactory(default_threshold=2, default_ttl=0.05)


@breakers("bank")
async def call():
    reached.append(1)
    await asyncio.sleep(0.02)
    raise ConnectionError


async def crowd(size):
    reached.clear()
    await asyncio.gather(*(call() for _ in range(size)), return_exceptions=True)
    return len(reached)


async def main():
    await crowd(2)
    shut = await crowd(50)
    await asyncio.sleep(0.1)
    return shut, await crowd(50)


shut, half_open = asyncio.run(main())
print("open:      ", shut, "of 50 calls reach the dependency")
print("half-open: ", half_open, "of 50 calls reach the dependency")
if (shut, half_open) != (0, 50):
    raise SystemExit("changed: fewer go through")
PY
