#!/usr/bin/env bash
# langgraph-supervisor 0.0.31 with langgraph 1.2.24 and langchain-core 1.8.3
#
# Behaviour: A supervisor with parallel_tool_calls=True calls a tool of its own and hands off in one message. The tool
#   runs; neither its call nor its result is in the history that the agent, and then the supervisor again, gets.
# Surprise: The parameter allows calls in parallel, and the effect is done. The model that ordered it sees no trace
#   of it, and would order it once more.
# Seen:
#   refunded: [77]
#   the supervisor sees next: human, ai billing, ai billing, tool transfer_back_to_supervisor
#   calls of refund in the thread: 0, results: 0
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph-supervisor==0.0.31 langgraph==1.2.24 langchain-core==1.8.3
venv/bin/python -W ignore - <<'PY'
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langgraph.prebuilt import create_react_agent
from langgraph_supervisor import create_supervisor

seen, refunded = [], []


class Model(GenericFakeChatModel):
    def bind_tools(self, tools, **more):
        return self

    def _generate(self, messages, *args, **more):
        seen[:] = messages
        return super()._generate(messages, *args, **more)


def refund(order: int) -> str:
    """Refund an order."""
    refunded.append(order)
    return "refunded"


calls = [
    {"name": "refund", "args": {"order": 77}, "id": "1"},
    {"name": "transfer_to_billing", "args": {}, "id": "2"},
]
billing = create_react_agent(Model(messages=iter([AIMessage("The invoice is corrected.")])), [], name="billing")
desk = Model(messages=iter([AIMessage("", tool_calls=calls), AIMessage("All done.")]))
graph = create_supervisor([billing], model=desk, tools=[refund], parallel_tool_calls=True).compile()
thread = graph.invoke({"messages": [("user", "Refund 77 and correct the invoice.")]})["messages"]
called = sum(call["name"] == "refund" for message in thread for call in getattr(message, "tool_calls", []))
results = sum(message.type == "tool" and message.name == "refund" for message in thread)
print("refunded:", refunded)
print("the supervisor sees next:", ", ".join(f"{message.type} {message.name or ''}".strip() for message in seen))
print(f"calls of refund in the thread: {called}, results: {results}")
if (refunded, called, results) != ([77], 0, 0):
    raise SystemExit("changed: the tool's result is in the history")
PY
