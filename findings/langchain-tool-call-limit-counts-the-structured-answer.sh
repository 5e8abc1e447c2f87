#!/usr/bin/env bash
# langchain 1.5.2 with langchain-core 1.8.3 and langgraph 1.2.24
#
# Behaviour: ToolCallLimitMiddleware(run_limit=1) on an agent with one tool and a structured answer (ToolStrategy): the
#   tool is called once, and the answer is the call above the limit. With 'error' the run fails although the answer
#   was complete; with 'continue' and 'end' the answer has two results in the history, one of them an error.
# Surprise: The answer is no tool of the caller's, and the parameter counts "tool calls allowed per run"; a refund that
#   was made ends as a failed run.
# Seen:
#   continue: refunded [7], answer 7, results of the answer's call: 2
#   end: refunded [7], answer 7, results of the answer's call: 2
#   error: refunded [7], ToolCallLimitExceededError: Tool call limit reached: run limit exceeded (2/1 calls).
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langchain==1.5.2 langchain-core==1.8.3 langgraph==1.2.24
venv/bin/python - <<'PY'
import logging

from langchain.agents import create_agent
from langchain.agents.middleware import ToolCallLimitMiddleware
from langchain.agents.middleware.tool_call_limit import ToolCallLimitExceededError
from langchain.agents.structured_output import ToolStrategy
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from pydantic import BaseModel

logging.disable()


class Refunded(BaseModel):
    """The order that was refunded."""

    order: int


class Model(GenericFakeChatModel):
    def bind_tools(self, tools, **more):
        return self


def calling(name, id):
    return AIMessage("", tool_calls=[{"name": name, "args": {"order": 7}, "id": id}])


def run(exit_behavior):
    refunded = []

    def refund(order: int) -> str:
        """Refund an order."""
        refunded.append(order)
        return "refunded"

    agent = create_agent(
        Model(messages=iter([calling("refund", "1"), calling("Refunded", "2")])),
        [refund],
        middleware=[ToolCallLimitMiddleware(run_limit=1, exit_behavior=exit_behavior)],
        response_format=ToolStrategy(Refunded),
    )
    try:
        end = agent.invoke({"messages": [("user", "Refund order 7.")]})
    except ToolCallLimitExceededError as error:
        return f"refunded {refunded}, ToolCallLimitExceededError: {error}"
    results = sum(getattr(message, "tool_call_id", "") == "2" for message in end["messages"])
    return f"refunded {refunded}, answer {end['structured_response'].order}, results of the answer's call: {results}"


seen = {behavior: run(behavior) for behavior in ("continue", "end", "error")}
for behavior, result in seen.items():
    print(f"{behavior}: {result}")
if "call: 2" not in seen["continue"] or "call: 2" not in seen["end"] or "Exceeded" not in seen["error"]:
    raise SystemExit("changed: the answer is not counted")
PY
