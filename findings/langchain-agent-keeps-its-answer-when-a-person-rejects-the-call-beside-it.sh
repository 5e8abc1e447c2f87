#!/usr/bin/env bash
# langchain 1.5.2 with langchain-core 1.8.3 and langgraph 1.2.24
#
# Behaviour: The model calls a tool that a person approves and, in the same message, gives its structured answer
#   (ToolStrategy). The answer is in the state while the run waits for the person, and it stays the result when the
#   call is rejected: the model is not called again.
# Surprise: A call that is rejected goes back to the model in every other run, which then says so. Here the customer is
#   told of a refund that did not take place, and an interrupted run looks answered.
# Seen:
#   while it waits:   Order 7 is refunded.
#   after the reject: Order 7 is refunded.
#   refunded: [] - calls of the model: 1
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langchain==1.5.2 langchain-core==1.8.3 langgraph==1.2.24
venv/bin/python - <<'PY'
import logging

from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain.agents.structured_output import ToolStrategy
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from pydantic import BaseModel

logging.disable()
refunded, asked = [], []


class Reply(BaseModel):
    """What the customer is told."""

    text: str


class Model(GenericFakeChatModel):
    def bind_tools(self, tools, **more):
        return self

    def _generate(self, messages, *args, **more):
        asked.append(messages)
        return super()._generate(messages, *args, **more)


def refund(order: int) -> str:
    """Refund an order."""
    refunded.append(order)
    return "refunded"


calls = [
    {"name": "refund", "args": {"order": 7}, "id": "1"},
    {"name": "Reply", "args": {"text": "Order 7 is refunded."}, "id": "2"},
]
agent = create_agent(
    Model(messages=iter([AIMessage("", tool_calls=calls), AIMessage("It was rejected.")])),
    [refund],
    middleware=[HumanInTheLoopMiddleware({"refund": True})],
    response_format=ToolStrategy(Reply),
    checkpointer=InMemorySaver(),
)
thread = {"configurable": {"thread_id": "1"}}
waiting = agent.invoke({"messages": [("user", "Refund order 7.")]}, thread)
end = agent.invoke(Command(resume={"decisions": [{"type": "reject", "message": "too late"}]}), thread)
replies = [state["structured_response"].text for state in (waiting, end)]
print("while it waits:  ", replies[0])
print("after the reject:", replies[1])
print(f"refunded: {refunded} - calls of the model: {len(asked)}")
if "__interrupt__" not in waiting or (replies, refunded) != (["Order 7 is refunded."] * 2, []) or len(asked) != 1:
    raise SystemExit("changed: the model hears of the rejection")
PY
