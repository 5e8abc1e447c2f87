#!/usr/bin/env bash
# prometheus-client 0.26.0
#
# Behaviour: inc() and observe() with an exemplar whose labels are too long raise ValueError, after the value was
#   counted.
# Surprise: A refused call is expected to change nothing; whoever catches the error and calls again without the
#   exemplar counts twice.
# Seen:
#   refused: Exemplar labels have %d UTF-8 characters, exceeding the limit of 128
#   refused: Exemplar labels have %d UTF-8 characters, exceeding the limit of 128
#   counted: (1.0, 1.0)
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check prometheus-client==0.26.0
venv/bin/python - <<'PY'
from prometheus_client import CollectorRegistry, Counter, Histogram

registry = CollectorRegistry()
paid = Counter("paid", "orders", registry=registry)
took = Histogram("took_seconds", "time", registry=registry)
exemplar = {"trace_id": "a" * 129}
for call in (lambda: paid.inc(exemplar=exemplar), lambda: took.observe(1, exemplar=exemplar)):
    try:
        call()
    except ValueError as error:
        print("refused:", error)
counted = registry.get_sample_value("paid_total"), registry.get_sample_value("took_seconds_count")
print("counted:", counted)
if counted != (1.0, 1.0):
    raise SystemExit("changed: a refused call is not counted")
PY
