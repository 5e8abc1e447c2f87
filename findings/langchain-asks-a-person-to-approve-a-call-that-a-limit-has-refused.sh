#!/usr/bin/env bash
# langchain 1.5.2 with langchain-core 1.8.3 and langgraph 1.2.24
#
# Behaviour: HumanInTheLoopMiddleware and ToolCallLimitMiddleware in one agent, in either order: the person is asked
#   about every call of the turn, also about those above the limit. One that is approved does not run. One that is
#   rejected has two results in the history.
# Surprise: What a person approves is expected to be done, or not to be asked; and two results for one call is a
#   history that model providers refuse.
# Seen:
#   HumanInTheLoopMiddleware, ToolCallLimitMiddleware: asked about [1, 2], approved both, refunded [1]
#   HumanInTheLoopMiddleware, ToolCallLimitMiddleware: rejected both, results for the second call: 2
#   ToolCallLimitMiddleware, HumanInTheLoopMiddleware: asked about [1, 2], approved both, refunded [1]
#   ToolCallLimitMiddleware, HumanInTheLoopMiddleware: rejected both, results for the second call: 2
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langchain==1.5.2 langchain-core==1.8.3 langgraph==1.2.24
venv/bin/python - <<'PY'
from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware, ToolCallLimitMiddleware
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

THREAD = {"configurable": {"thread_id": "1"}}


class Model(GenericFakeChatModel):
    def bind_tools(self, tools, **more):
        return self


def turn(middleware, decision):
    """One turn of two refunds with a limit of one; returns what was asked, what ran, and the results of call 2."""
    refunded = []

    def refund(order: int) -> str:
        """Refund an order."""
        refunded.append(order)
        return "done"

    calls = [{"name": "refund", "args": {"order": order}, "id": str(order)} for order in (1, 2)]
    model = Model(messages=iter([AIMessage("", tool_calls=calls), AIMessage("Goodbye.")]))
    agent = create_agent(model, [refund], middleware=middleware, checkpointer=InMemorySaver())
    waiting = agent.invoke({"messages": [("user", "Refund 1 and 2.")]}, THREAD)["__interrupt__"][0].value
    asked = [request["args"]["order"] for request in waiting["action_requests"]]
    end = agent.invoke(Command(resume={"decisions": [{"type": decision}] * len(asked)}), THREAD)
    return asked, refunded, sum(message.type == "tool" and message.tool_call_id == "2" for message in end["messages"])


for order in (1, -1):
    middleware = [HumanInTheLoopMiddleware({"refund": True}), ToolCallLimitMiddleware(run_limit=1)][::order]
    names = ", ".join(type(one).__name__ for one in middleware)
    asked, refunded, _ = turn(middleware, "approve")
    print(f"{names}: asked about {asked}, approved both, refunded {refunded}")
    _, _, results = turn(middleware, "reject")
    print(f"{names}: rejected both, results for the second call: {results}")
    if (asked, refunded, results) != ([1, 2], [1], 2):
        raise SystemExit("changed: a refused call is not asked about, or runs when it is approved")
PY
