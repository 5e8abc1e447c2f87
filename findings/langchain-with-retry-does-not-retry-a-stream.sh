#!/usr/bin/env bash
# langchain-core 1.8.3
#
# Behaviour: A runnable with with_retry repeats invoke and batch, but stream makes one attempt, also when it failed
#   before the first chunk.
# Surprise: The wrapper has all the methods, and code that changes from invoke to stream loses its retries without a
#   sign.
# Seen:
#   attempts: {'invoke': 3, 'stream': 1}
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langchain-core==1.8.3
venv/bin/python - <<'PY'
from langchain_core.runnables import RunnableLambda

attempts = []


def call(question):
    attempts.append(1)
    raise ConnectionError


model = RunnableLambda(call).with_retry(stop_after_attempt=3, wait_exponential_jitter=False)
counts = {}
for name, use in {"invoke": model.invoke, "stream": lambda question: list(model.stream(question))}.items():
    attempts.clear()
    try:
        use("hello")
    except ConnectionError:
        counts[name] = len(attempts)
print("attempts:", counts)
if counts != {"invoke": 3, "stream": 1}:
    raise SystemExit("changed: a stream is retried")
PY
