#!/usr/bin/env bash
# circuitbreaker 2.1.3
#
# Behaviour: At half-open, a probe that is cancelled (a client that gave up, a timeout around the call) closes the
#   circuit.
# Surprise: The dependency did not answer; if a cancelled probe counts at all, it is as a failure.
# Seen:
#   before the probe:         half_open
#   after it was timed out:   closed
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check circuitbreaker==2.1.3
venv/bin/python - <<'PY'
import asyncio

from circuitbreaker import CircuitBreakerMonitor, circuit


@circuit(failure_threshold=1, recovery_timeout=0.05, name="bank")
async def call(fail):
    if fail:
        raise ConnectionError
    await asyncio.sleep(60)


async def main():
    await asyncio.gather(call(fail=True), return_exceptions=True)
    await asyncio.sleep(0.1)
    before = CircuitBreakerMonitor.get("bank").state
    try:
        await asyncio.wait_for(call(fail=False), 0.05)
    except asyncio.TimeoutError:
        pass
    return before, CircuitBreakerMonitor.get("bank").state


states = asyncio.run(main())
print("before the probe:        ", states[0])
print("after it was timed out:  ", states[1])
if states != ("half_open", "closed"):
    raise SystemExit("changed: a cancelled probe does not close the circuit")
PY
