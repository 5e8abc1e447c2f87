#!/usr/bin/env bash
# opentelemetry-sdk 1.45.2
#
# Behaviour: start_as_current_span marks a span as ERROR, with an exception event, when its block raises. When the
#   block is cancelled (asyncio.CancelledError) the span ends UNSET and without any event.
# Surprise: In a trace a call that a timeout cut looks the same as one that went well.
# Seen:
#   failed: ERROR ['exception']
#   timed out: UNSET []
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check opentelemetry-sdk==1.45.2
venv/bin/python - <<'PY'
import asyncio

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
tracer = provider.get_tracer("shop")


async def call(name, seconds):
    with tracer.start_as_current_span(name):
        await asyncio.sleep(seconds)
        raise ConnectionError


async def main():
    await asyncio.gather(call("failed", 0), return_exceptions=True)
    await asyncio.gather(asyncio.wait_for(call("timed out", 60), 0.05), return_exceptions=True)


asyncio.run(main())
spans = {s.name: (s.status.status_code.name, [e.name for e in s.events]) for s in exporter.get_finished_spans()}
for name, what in spans.items():
    print(f"{name}:", *what)
if spans["timed out"] != ("UNSET", []):
    raise SystemExit("changed: a cancelled span is told apart")
PY
