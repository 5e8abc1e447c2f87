#!/usr/bin/env bash
# langsmith 0.15.1
#
# Behaviour: A traceable generator whose reader stops after the first item, with break, is recorded with the error
#   GeneratorExit and a traceback. The same generator read to its end has no error.
# Surprise: Closing a generator is the ordinary way to stop a stream, and the reader got what it wanted; the trace of
#   an answer that a customer stopped reading counts as a failure, in error rates and in alerts.
# Seen:
#   read to the end: outputs [1, 2], error None
#   left after one:  outputs [1], error GeneratorExit()
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langsmith==0.15.1
venv/bin/python - <<'PY'
from langsmith import Client, traceable, tracing_context

ended = []


class Recorder(Client):
    def create_run(self, *args, **kwargs):
        pass

    def update_run(self, run_id, **kwargs):
        error = kwargs.get("error")
        ended.append((kwargs["outputs"]["output"], error and error.split()[0]))


@traceable
def answer():
    yield 1
    yield 2


client = Recorder(api_url="http://127.0.0.1:9", api_key="none", auto_batch_tracing=False)
with tracing_context(enabled=True, client=client):
    list(answer())
    for _ in answer():
        break
for label, (outputs, error) in zip(("read to the end:", "left after one: "), ended):
    print(f"{label} outputs {outputs}, error {error}")
if ended != [([1, 2], None), ([1], "GeneratorExit()")]:
    raise SystemExit("changed: a generator that is closed has not failed")
PY
