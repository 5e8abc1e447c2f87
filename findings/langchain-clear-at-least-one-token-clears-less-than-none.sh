#!/usr/bin/env bash
# langchain 1.5.2 with langchain-core 1.8.3
#
# Behaviour: ClearToolUsesEdit(clear_at_least=...) stops at the first tool result with which the number is reached.
#   The default 0 clears all old results, 1 clears one, and a number that cannot be reached clears all again.
# Surprise: It reads "minimum number of tokens to reclaim", and its default is the least; a higher minimum is
#   expected to clear as much or more, and the API that it mirrors clears nothing where the minimum is out of reach.
# Seen:
#   clear_at_least=0: 5 of 5 cleared
#   clear_at_least=1: 1 of 5 cleared
#   clear_at_least=1000000: 5 of 5 cleared
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langchain==1.5.2 langchain-core==1.8.3 langgraph==1.2.24
venv/bin/python - <<'PY'
from langchain.agents.middleware import ClearToolUsesEdit
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.messages.utils import count_tokens_approximately


def cleared(clear_at_least):
    messages = [HumanMessage("Where are my orders?")]
    for id in "12345":
        messages.append(AIMessage("", tool_calls=[{"name": "look_up", "args": {}, "id": id}]))
        messages.append(ToolMessage("a long answer " * 50, tool_call_id=id))
    edit = ClearToolUsesEdit(trigger=100, keep=0, clear_at_least=clear_at_least)
    edit.apply(messages, count_tokens=count_tokens_approximately)
    return sum(message.content == edit.placeholder for message in messages)


counts = {}
for minimum in (0, 1, 1_000_000):
    counts[minimum] = cleared(minimum)
    print(f"clear_at_least={minimum}: {counts[minimum]} of 5 cleared")
if counts != {0: 5, 1: 1, 1_000_000: 5}:
    raise SystemExit("changed: a higher minimum does not clear less")
PY
