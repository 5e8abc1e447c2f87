#!/usr/bin/env bash
# circuitbreaker 2.1.3
#
# Behaviour: A call that began before the circuit opened and succeeds afterwards closes the circuit at once, and
#   resets its failure count, long before recovery_timeout is over.
# Surprise: An open circuit is expected to stay open until its timeout, and then to let a probe decide; a slow
#   answer from before says nothing about now.
# Seen:
#   after two failures:  open
#   after a late answer: closed
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check circuitbreaker==2.1.3
venv/bin/python - <<'PY'
import asyncio

from circuitbreaker import CircuitBreakerMonitor, circuit


@circuit(failure_threshold=2, recovery_timeout=60, name="bank")
async def call(slow):
    if not slow:
        raise ConnectionError
    await asyncio.sleep(0.1)


async def main():
    early = asyncio.create_task(call(slow=True))
    await asyncio.sleep(0)
    await asyncio.gather(call(slow=False), call(slow=False), return_exceptions=True)
    before = CircuitBreakerMonitor.get("bank").state
    await early
    return before, CircuitBreakerMonitor.get("bank").state


states = asyncio.run(main())
print("after two failures: ", states[0])
print("after a late answer:", states[1])
if states != ("open", "closed"):
    raise SystemExit("changed: the circuit stays open")
PY
