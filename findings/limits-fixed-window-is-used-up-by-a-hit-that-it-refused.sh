#!/usr/bin/env bash
# limits 5.8.0
#
# Behaviour: A hit with a cost that does not fit is refused by the fixed window and is counted all the same: smaller
#   hits that would fit are refused too until the window ends. The moving window and the sliding counter do not
#   count it.
# Surprise: The three strategies have one interface, and test() before the smaller hit would be the only hint.
# Seen:
#   FixedWindowRateLimiter of 5, hits of 3, 3 and 2: [True, False, False]
#   MovingWindowRateLimiter of 5, hits of 3, 3 and 2: [True, False, True]
#   SlidingWindowCounterRateLimiter of 5, hits of 3, 3 and 2: [True, False, True]
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check limits==5.8.0
venv/bin/python - <<'PY'
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter, SlidingWindowCounterRateLimiter

five = parse("5/minute")
results = {}
for strategy in (FixedWindowRateLimiter, MovingWindowRateLimiter, SlidingWindowCounterRateLimiter):
    limiter = strategy(MemoryStorage())
    results[strategy.__name__] = [limiter.hit(five, "a", cost=cost) for cost in (3, 3, 2)]
    print(strategy.__name__, "of 5, hits of 3, 3 and 2:", results[strategy.__name__])
if [r[2] for r in results.values()] != [False, True, True]:
    raise SystemExit("changed: the strategies agree on refused hits")
PY
