#!/usr/bin/env bash
# stamina 26.1.0
#
# Behaviour: retry on an async generator function starts the generator again after a failure in the middle of the
#   iteration: the consumer gets the items that it already has once more, in one unbroken stream.
# Surprise: A retry is expected to hide failed attempts; here the failed attempts' items stay in the output, with
#   nothing to tell them apart.
# Seen:
#   got: ['row 1', 'row 1', 'row 1', 'row 2']
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check stamina==26.1.0
venv/bin/python - <<'PY'
import asyncio

import stamina

stamina.instrumentation.set_on_retry_hooks([])
attempts = []


@stamina.retry(on=ConnectionError, attempts=3, wait_initial=0.01, wait_jitter=0)
async def rows():
    attempts.append(1)
    yield "row 1"
    if len(attempts) < 3:
        raise ConnectionError
    yield "row 2"


async def main():
    return [row async for row in rows()]


got = asyncio.run(main())
print("got:", got)
if got != ["row 1", "row 1", "row 1", "row 2"]:
    raise SystemExit("changed: items are not repeated")
PY
