#!/usr/bin/env bash
# opentelemetry-exporter-prometheus 0.66b2 (opentelemetry-sdk 1.45.2)
#
# Behaviour: Attributes whose names become equal as Prometheus labels (payment.kind and payment_kind) overwrite each
#   other: one value is lost, which one depends on the order in which they are given.
# Surprise: The standard for this exporter says that such values are joined with a semicolon, so that nothing is
#   lost.
# Seen:
#   recorded: payment.kind=card, payment_kind=invoice
#   orders_total{otel_scope_name="shop",otel_scope_schema_url="",otel_scope_version="",payment_kind="invoice"} 1.0
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check opentelemetry-sdk==1.45.2 opentelemetry-exporter-prometheus==0.66b2 prometheus-client==0.26.0
venv/bin/python - <<'PY'
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import generate_latest

provider = MeterProvider(metric_readers=[PrometheusMetricReader(disable_target_info=True)])
counter = provider.get_meter("shop").create_counter("orders")
counter.add(1, {"payment.kind": "card", "payment_kind": "invoice"})
(line,) = [line for line in generate_latest().decode().splitlines() if line.startswith("orders_total{")]
print("recorded: payment.kind=card, payment_kind=invoice")
print(line)
if ("card" in line) == ("invoice" in line):
    raise SystemExit("changed: both values are kept, or none")
PY
