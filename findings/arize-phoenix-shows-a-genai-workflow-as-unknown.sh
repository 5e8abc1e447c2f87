#!/usr/bin/env bash
# arize-phoenix 20.26.1
#
# Behaviour: Phoenix takes the kind of a span from gen_ai.operation.name. For invoke_agent, chat and execute_tool it has
#   one; for invoke_workflow, which is in the very version of the conventions that it installs, it has none.
# Surprise: The run of a workflow is shown as "unknown", though it is named as the conventions say. A span that has
#   openinference.span.kind as well is shown as that.
# Seen (850 MB are installed):
#   chat: LLM
#   execute_tool: TOOL
#   invoke_agent: AGENT
#   invoke_workflow: None
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check arize-phoenix==20.26.1
venv/bin/python - <<'PY'
from opentelemetry.semconv._incubating.attributes.gen_ai_attributes import GenAiOperationNameValues as Operation
from phoenix.trace.gen_ai.conversion import get_openinference_attributes

kinds = {}
for operation in (Operation.CHAT, Operation.EXECUTE_TOOL, Operation.INVOKE_AGENT, Operation.INVOKE_WORKFLOW):
    shown = get_openinference_attributes({"gen_ai.operation.name": operation.value})
    kinds[operation.value] = shown.get("openinference.span.kind")
    print(f"{operation.value}: {kinds[operation.value]}")
if kinds["invoke_workflow"] is not None or kinds["invoke_agent"] != "AGENT":
    raise SystemExit("changed: a workflow has a kind")
PY
