#!/usr/bin/env bash
# prometheus-client 0.26.0
#
# Behaviour: On an async function Histogram.time() measures how long it takes to make the coroutine,
#   Gauge.track_inprogress() is back at 0 before the body starts, and Counter.count_exceptions() counts none. A with
#   statement inside the function does what the decorators do for plain functions.
# Surprise: The decorators take the function without a word, its calls are counted, and the times look like those of
#   a very fast service; the alert on errors never fires.
# Seen:
#   in progress while it runs: 0
#   calls counted: 1, seconds below 0.05: True (it slept 0.1)
#   errors counted: 0 (it raised one)
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check prometheus-client==0.26.0
venv/bin/python - <<'PY'
import asyncio

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

registry = CollectorRegistry()
took = Histogram("pay_seconds", "time", registry=registry)
running = Gauge("pay_running", "calls", registry=registry)
failed = Counter("pay_failed", "errors", registry=registry)
during = []


@took.time()
@running.track_inprogress()
@failed.count_exceptions()
async def pay():
    during.append(registry.get_sample_value("pay_running"))
    await asyncio.sleep(0.1)
    raise TimeoutError


try:
    asyncio.run(pay())
except TimeoutError:
    pass
calls, seconds = registry.get_sample_value("pay_seconds_count"), registry.get_sample_value("pay_seconds_sum")
errors = registry.get_sample_value("pay_failed_total")
print(f"in progress while it runs: {during[0]:.0f}")
print(f"calls counted: {calls:.0f}, seconds below 0.05: {seconds < 0.05} (it slept 0.1)")
print(f"errors counted: {errors:.0f} (it raised one)")
if (during, calls, errors) != ([0], 1, 0) or seconds >= 0.05:
    raise SystemExit("changed: the run of an async function is measured")
PY
