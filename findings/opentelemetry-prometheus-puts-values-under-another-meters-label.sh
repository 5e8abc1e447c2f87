#!/usr/bin/env bash
# opentelemetry-exporter-prometheus 0.66b2 (opentelemetry-sdk 1.45.2)
#
# Behaviour: When two meters have a counter of the same name with different attributes, the exporter prints both
#   with the first one's label names: the second meter's y="2" comes out as x="2".
# Surprise: One would expect a series with its own labels, or an error; a value under a label that nobody gave it
#   can't be noticed downstream.
# Seen:
#   recorded: shop country=de, bank currency=EUR
#   orders_total{country="de",otel_scope_name="shop",otel_scope_schema_url="",otel_scope_version=""} 1.0
#   orders_total{country="EUR",otel_scope_name="bank",otel_scope_schema_url="",otel_scope_version=""} 2.0
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
provider.get_meter("shop").create_counter("orders").add(1, {"country": "de"})
provider.get_meter("bank").create_counter("orders").add(2, {"currency": "EUR"})
print("recorded: shop country=de, bank currency=EUR")
lines = [line for line in generate_latest().decode().splitlines() if line.startswith("orders_total{")]
print(*lines, sep="\n")
if 'country="EUR"' not in lines[1]:
    raise SystemExit("changed: the labels are the meter's own")
PY
