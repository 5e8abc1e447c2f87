#!/usr/bin/env bash
# langchain-core 1.8.3
#
# Behaviour: InMemoryRateLimiter's bucket starts empty, so the first call of a process waits a whole interval; and
#   with a max_bucket_size below 1 no call is ever let through.
# Surprise: A limiter that nobody has used is expected to be full: at one request in ten seconds the first answer
#   comes ten seconds late.
# Seen:
#   2 a second, a bucket of 5: the first call waits 0.5 s
#   100 a second, a bucket of 0.5: [False, False, False, False, False]
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langchain-core==1.8.3
venv/bin/python - <<'PY'
import time

from langchain_core.rate_limiters import InMemoryRateLimiter

limiter = InMemoryRateLimiter(requests_per_second=2, check_every_n_seconds=0.01, max_bucket_size=5)
began = time.monotonic()
limiter.acquire()
waited = time.monotonic() - began
print(f"2 a second, a bucket of 5: the first call waits {waited:.1f} s")
small = InMemoryRateLimiter(requests_per_second=100, max_bucket_size=0.5)
tries = []
for _ in range(5):
    tries.append(small.acquire(blocking=False))
    time.sleep(0.05)
print("100 a second, a bucket of 0.5:", tries)
if waited < 0.4 or any(tries):
    raise SystemExit("changed: the first call goes through")
PY
