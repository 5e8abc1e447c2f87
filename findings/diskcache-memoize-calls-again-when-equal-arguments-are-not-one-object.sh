#!/usr/bin/env bash
# diskcache 5.6.3
#
# Behaviour: A function with memoize that is called with the same text twice, as customer and payer, is called again
#   with equal arguments when the two texts are two objects in memory: the key is the arguments' pickle, which writes
#   one object that comes twice in another way than two that are equal.
# Surprise: Which of the two it is depends on where the texts come from: literals are often one object, values of a
#   request are not. The documentation says that the bytes of a key's pickle are what is compared; that equal texts
#   have two such pickles one does not expect, and functools.cache has no such difference. What was to be done once is
#   done twice.
# Seen:
#   open("ann", "ann") from one object: call 1
#   open("ann", "ann") from two:        call 2
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check diskcache==5.6.3
venv/bin/python - <<'PY'
import json

import diskcache

calls = []


with diskcache.Cache("cache") as cache:

    @cache.memoize()
    def open_account(customer, payer):
        calls.append((customer, payer))
        return len(calls)

    name = json.loads('"ann"')
    one = open_account(name, name)
    order = json.loads('{"customer": "ann", "payer": "ann"}')
    two = open_account(order["customer"], order["payer"])
print('open("ann", "ann") from one object: call', one)
print('open("ann", "ann") from two:        call', two)
if calls != [("ann", "ann")] * 2:
    raise SystemExit("changed: equal arguments are one call")
PY
