#!/usr/bin/env bash
# arize-phoenix 20.26.1
#
# Behaviour: Phoenix names the model of a chat span by gen_ai.request.model alone. One that has gen_ai.response.model
#   only is shown without a model, and with an output that nobody sent: {"model": "gpt-x"}.
# Surprise: The conventions have both, and the answer's is the one that really ran. Tokens are counted, and have no
#   model that they belong to.
# Seen (850 MB are installed):
#   requested: gpt-x, output None
#   answered by: None, output {"model": "gpt-x"}
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check arize-phoenix==20.26.1
venv/bin/python - <<'PY'
from phoenix.trace.gen_ai.conversion import get_openinference_attributes

seen = {}
for name, key in (("requested", "gen_ai.request.model"), ("answered by", "gen_ai.response.model")):
    shown = get_openinference_attributes({"gen_ai.operation.name": "chat", key: "gpt-x"})
    seen[name] = shown.get("llm.model_name"), shown.get("output.value")
    print(f"{name}: {seen[name][0]}, output {seen[name][1]}")
if seen != {"requested": ("gpt-x", None), "answered by": (None, '{"model": "gpt-x"}')}:
    raise SystemExit("changed: the answer's model is shown as the model")
PY
