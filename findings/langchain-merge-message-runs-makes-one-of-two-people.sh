#!/usr/bin/env bash
# langchain-core 1.8.3
#
# Behaviour: merge_message_runs joins neighbouring human messages whatever their names: the result has no name at
#   all, and numbers of the same key in additional_kwargs are added up.
# Surprise: A different name is a different speaker, and a number beside a message is most often an id.
# Seen:
#   'ship it\ncancel it' - name: None - customer: 3
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langchain-core==1.8.3
venv/bin/python - <<'PY'
from langchain_core.messages import HumanMessage, merge_message_runs

(merged,) = merge_message_runs(
    [
        HumanMessage("ship it", name="ann", additional_kwargs={"customer": 1}),
        HumanMessage("cancel it", name="bob", additional_kwargs={"customer": 2}),
    ]
)
print(repr(merged.content), "- name:", merged.name, "- customer:", merged.additional_kwargs["customer"])
if (merged.name, merged.additional_kwargs) != (None, {"customer": 3}):
    raise SystemExit("changed: the speakers are kept apart")
PY
