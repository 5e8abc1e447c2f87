#!/usr/bin/env bash
# pybreaker 1.4.1
#
# Behaviour: A CircuitBreaker used as a decorator on an async function counts each call as a success when the
#   coroutine is made. Whatever the coroutine raises later is not seen, and the circuit never opens.
# Surprise: The decorator takes the function without a complaint, and the library has call_async, so one expects it
#   to await or to refuse.
# Seen:
#   errors: ['ConnectionError', 'ConnectionError', 'ConnectionError', 'ConnectionError', 'ConnectionError']
#   state:  closed - failures counted: 0
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check pybreaker==1.4.1
venv/bin/python - <<'PY'
import asyncio

import pybreaker

breaker = pybreaker.CircuitBreaker(fail_max=2)


@breaker
async def call():
    raise ConnectionError


async def main():
    return [type(e).__name__ for e in await asyncio.gather(*(call() for _ in range(5)), return_exceptions=True)]


errors = asyncio.run(main())
print("errors:", errors)
print("state: ", breaker.current_state, "- failures counted:", breaker.fail_counter)
if (breaker.current_state, breaker.fail_counter) != ("closed", 0):
    raise SystemExit("changed: it counts, or refuses, async functions")
PY
