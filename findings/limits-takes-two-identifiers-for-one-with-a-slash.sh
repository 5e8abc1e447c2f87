#!/usr/bin/env bash
# limits 5.8.0
#
# Behaviour: The identifiers of a hit are joined with a slash, so hit(limit, 'a', 'b/c') and hit(limit, 'a/b', 'c')
#   use one counter.
# Surprise: The signature takes any number of identifiers, which reads as a tuple; paths and ids with slashes are
#   common in keys.
# Seen:
#   shop, eu/orders: True
#   shop/eu, orders: False
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check limits==5.8.0
venv/bin/python - <<'PY'
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

once = parse("1/minute")
limiter = MovingWindowRateLimiter(MemoryStorage())
first, second = limiter.hit(once, "shop", "eu/orders"), limiter.hit(once, "shop/eu", "orders")
print("shop, eu/orders:", first)
print("shop/eu, orders:", second)
if (first, second) != (True, False):
    raise SystemExit("changed: the identifiers are kept apart")
PY
