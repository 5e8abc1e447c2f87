#!/usr/bin/env bash
# diskcache 5.6.3
#
# Behaviour: pull(prefix="shop") takes the items of the queue "shop-2" too, and before its own: a queue is the range of
#   the keys from shop-000000000000000 to shop-999999999999999, and shop-2-500000000000000 is within. peek does the
#   same.
# Surprise: Two prefixes are two queues by the documentation, and a number after a dash is how one names the second.
# Seen:
#   pushed: 'for shop' to shop, 'for shop-2' to shop-2
#   pulled from shop: ['for shop-2', 'for shop']
#   left in shop-2: None
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check diskcache==5.6.3
venv/bin/python - <<'PY'
import diskcache

with diskcache.Cache("cache") as cache:
    for prefix in ("shop", "shop-2"):
        cache.push(f"for {prefix}", prefix=prefix)
    pulled = [cache.pull(prefix="shop")[1] for _ in range(2)]
    left = cache.pull(prefix="shop-2")[1]
print("pushed: 'for shop' to shop, 'for shop-2' to shop-2")
print("pulled from shop:", pulled)
print("left in shop-2:", left)
if (pulled, left) != (["for shop-2", "for shop"], None):
    raise SystemExit("changed: a queue has its own items")
PY
