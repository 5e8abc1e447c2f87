#!/usr/bin/env bash
# cashews 7.6.0
#
# Behaviour: With the key that the decorator makes by default, None and "" are one argument, so are 1 and "1", True and
#   "true", and ["a", "b"] and ["a:b"]; and a text with ":name:" in it takes the place of the next argument. The second
#   call is not made: it gets the answer of the first.
# Surprise: A cache of a function is expected to tell the arguments apart that the function does, as functools.cache
#   does all of these but True and 1; here "nothing asked" and "asked for the empty text" are one, and one customer's
#   tags are another's.
# Seen:
#   find('', ()) after find(None, ()): (None, ())
#   find('1', ()) after find(1, ()): (1, ())
#   find('x', ['a:b']) after find('x', ['a', 'b']): ('x', ['a', 'b'])
#   find('red:tags:x', 'y') after find('red', 'x:tags:y'): ('red', 'x:tags:y')
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
async def find(name=None, tags=()):
    return name, tags


async def main():
    pairs = [
        ((None, ()), ("", ())),
        ((1, ()), ("1", ())),
        (("x", ["a", "b"]), ("x", ["a:b"])),
        (("red", "x:tags:y"), ("red:tags:x", "y")),
    ]
    answers = []
    for first, second in pairs:
        await find(*first)
        answers.append(await find(*second))
        print(f"find{second} after find{first}: {answers[-1]}")
    return [answer == first for (first, _), answer in zip(pairs, answers)]


if not all(asyncio.run(main())):
    raise SystemExit("changed: such calls are told apart")
PY
