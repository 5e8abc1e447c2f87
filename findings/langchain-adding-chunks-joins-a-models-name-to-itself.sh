#!/usr/bin/env bash
# langchain-core 1.8.3
#
# Behaviour: Adding two AIMessageChunks joins the texts of equal keys in response_metadata: a model's name that
#   comes with each chunk of a stream is there as often as there were chunks. Numbers and the key id are left alone
#   when they are equal.
# Surprise: Content is what grows in a stream; a setting that is the same in every chunk is expected to stay as it
#   is.
# Seen:
#   'no stock left' {'model': 'm-1m-1m-1', 'id': 'a', 'n': 1}
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langchain-core==1.8.3
venv/bin/python - <<'PY'
from functools import reduce
from operator import add

from langchain_core.messages import AIMessageChunk

metadata = {"model": "m-1", "id": "a", "n": 1}
chunks = [AIMessageChunk(word, response_metadata=metadata) for word in ("no ", "stock ", "left")]
whole = reduce(add, chunks)
print(repr(whole.content), whole.response_metadata)
if whole.response_metadata != {"model": "m-1m-1m-1", "id": "a", "n": 1}:
    raise SystemExit("changed: equal texts are kept as they are")
PY
