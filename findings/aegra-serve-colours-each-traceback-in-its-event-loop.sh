#!/usr/bin/env bash
# aegra-cli 0.11.0 with aegra-api 0.11.0
#
# Behaviour: A server that sets no ENV_MODE, by `aegra serve` as much as by `aegra dev`, writes each error's traceback
#   through rich: the source of ten frames is read, coloured and framed, in the event loop. A traceback costs more than
#   thirty times the processor time that it costs with ENV_MODE=PRODUCTION, and one of chained errors several times
#   that: a worker that logs a few of them answers nobody, and renews no lease, for seconds.
# Surprise: serve is the command for production, its output is no terminal, and an outage, in which many runs fail at
#   once, is when a worker has the least time to lose.
# Seen:
#   LOCAL, the default: RichTracebackFormatter
#   PRODUCTION: JSONRenderer
#   LOCAL takes more than 30 times as long: True
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
"${PYTHON:-python3.12}" -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check aegra-cli==0.11.0 aegra-api==0.11.0
cat > one.py <<'PY'
import io
import logging.config
import time

from aegra_api.utils.setup_logging import get_logging_config, setup_logging

setup_logging()
import structlog

config = get_logging_config()
renderer = config["formatters"]["default"]["processors"][-1]
out = io.StringIO()
for handler in logging.getLogger().handlers:
    handler.setStream(out)
log = structlog.getLogger("aegra_api.services")


def fail(depth):
    if depth:
        fail(depth - 1)
    import json

    json.loads("{")


times = []
for _ in range(12):
    try:
        fail(12)
    except ValueError:
        since = time.process_time()
        log.exception("a run failed")
        times.append(time.process_time() - since)
formatter = getattr(renderer, "_exception_formatter", renderer)
print(type(formatter).__name__, sorted(times)[len(times) // 2])
PY
read -r local local_time < <(env -u ENV_MODE venv/bin/python one.py)
read -r production production_time < <(ENV_MODE=PRODUCTION venv/bin/python one.py)
echo "LOCAL, the default: $local"
echo "PRODUCTION: $production"
venv/bin/python - "$local_time" "$production_time" <<'PY'
import sys

longer = float(sys.argv[1]) > 30 * float(sys.argv[2])
print(f"LOCAL takes more than 30 times as long: {longer}")
sys.exit(not longer)
PY
