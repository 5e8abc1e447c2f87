#!/usr/bin/env bash
# cashews 7.6.0
#
# Behaviour: With the key that the decorator makes by default, None and "" are one argument, and so are 1 and "1". The
#   second call is not made: it gets the answer of the first.
# Surprise: A cache of a function is expected to tell the arguments apart that the function does, as functools.cache
#   does; here "nothing asked" and "asked for the empty text" are one.
# Seen:
#   find('') after find(None): None
#   find('1') after find(1): 1
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check cashews==7.6.0
venv/bin/python - <<'PY'
import asyncio

from cashews import cache

cache.setup("mem://")


@cache(ttl="1m")
async def find(name=None):
    return name


async def main():
    answers = []
    for first, second in [(None, ""), (1, "1")]:
        await find(first)
        answers.append(await find(second))
        print(f"find({second!r}) after find({first!r}): {answers[-1]!r}")
    return answers


if asyncio.run(main()) != [None, 1]:
    raise SystemExit("changed: such calls are told apart")
PY
