#!/usr/bin/env bash
# tenacity 9.2.1
#
# Behaviour: With retry_if_not_exception_type(Refused) (or retry_unless_exception_type, or a predicate that says "not
#   Refused") the cancellation of the task is retried like an error: the work starts again, a timeout around it passes
#   unnoticed, and the cancelled task ends as done. The default, retry_if_exception_type(), lets it go.
# Surprise: "Retry all but a refusal" is meant for errors; asyncio.timeout around a call is expected to end it.
# Seen:
#   default:             TimeoutError after 1 call
#   all but a refusal:   'paid' after 2 calls
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check tenacity==9.2.1
venv/bin/python - <<'PY'
import asyncio

import tenacity


class Refused(Exception):
    pass


async def outcome(**options):
    calls = []

    @tenacity.retry(stop=tenacity.stop_after_attempt(3), **options)
    async def pay():
        calls.append("called")
        await asyncio.sleep(0.5)
        return "paid"

    try:
        result = await asyncio.wait_for(pay(), 0.1)
    except asyncio.TimeoutError:
        result = "TimeoutError"
    return result, len(calls)


async def main():
    return await outcome(), await outcome(retry=tenacity.retry_if_not_exception_type(Refused))


default, but_refused = asyncio.run(main())
print(f"default:             {default[0]} after {default[1]} call")
print(f"all but a refusal:   {but_refused[0]!r} after {but_refused[1]} calls")
if (default, but_refused) != (("TimeoutError", 1), ("paid", 2)):
    raise SystemExit("changed: a cancellation is not retried")
PY
