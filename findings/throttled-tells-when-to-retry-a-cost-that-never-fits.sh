#!/usr/bin/env bash
# throttled-py 3.5.0
#
# Behaviour: With a burst of 3, a cost of 5 is limited with retry_after 40 s for the token bucket, the leaking bucket
#   and GCRA, while nothing is used and 3 remain. After any wait it is limited with the same 40 s.
# Surprise: retry_after is the time after which the request can succeed, and it goes into the Retry-After header.
#   This one never succeeds, so a client that obeys asks for ever; one expects an error or no time at all.
# Seen:
#   token_bucket: remaining 3, retry_after 40 s; on a fresh, full limiter the same again
#   leaking_bucket: remaining 3, retry_after 40 s; on a fresh, full limiter the same again
#   gcra: remaining 3, retry_after 40 s; on a fresh, full limiter the same again
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check throttled-py==3.5.0
venv/bin/python - <<'PY'
from throttled import Throttled, rate_limiter, store

seen = {}
for using in ("token_bucket", "leaking_bucket", "gcra"):
    states = []
    for _ in range(2):
        limiter = Throttled(key="ann", using=using, quota=rate_limiter.per_min(3, burst=3), store=store.MemoryStore())
        result = limiter.limit(cost=5)
        states.append((result.limited, result.state.remaining, round(result.state.retry_after)))
    seen[using] = states
    print(f"{using}: remaining {states[0][1]}, retry_after {states[0][2]} s;", end=" ")
    print("on a fresh, full limiter the same again" if states[0] == states[1] else states[1])
if any(states != [(True, 3, 40)] * 2 for states in seen.values()):
    raise SystemExit("changed: a cost above the burst is refused for good")
PY
