#!/usr/bin/env bash
# langchain 1.5.2 with langchain-core 1.8.3 and langgraph 1.2.24
#
# Behaviour: SummarizationMiddleware first trims what it summarizes to its last 4000 tokens that begin with a human
#   message. If there is none in them, because a tool said much after the question, no summary is made: the history
#   with the question is deleted, and a fixed sentence stands in its place.
# Surprise: The failure is taken for a summary, without a warning, at the default setting and for a turn of two
#   tool calls; a summary that fails is expected to leave the history alone.
# Seen:
#   summaries made: 0
#   the model sees: human 'Here is a summary of the conversation to date:\n\nPrevious conversation was too long to summarize.'
#   the model sees: ai ''
#   the model sees: tool 'shipped'
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langchain==1.5.2 langchain-core==1.8.3 langgraph==1.2.24
venv/bin/python - <<'PY'
from langchain.agents import create_agent
from langchain.agents.middleware import SummarizationMiddleware
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

seen, summaries = [], []


class Model(GenericFakeChatModel):
    def _generate(self, messages, *args, **more):
        seen.extend(messages)
        return super()._generate(messages, *args, **more)


def summarize(messages):
    summaries.append(messages)
    return "Ann wants order 77 refunded."


def call(id):
    return AIMessage("", tool_calls=[{"name": "look_up", "args": {}, "id": id}])


model = Model(messages=iter([AIMessage("Done.")]))
middleware = SummarizationMiddleware(model, trigger=("messages", 5), keep=("messages", 2), summarizer=summarize)
history = [
    HumanMessage("I am Ann, please refund order 77."),
    call("1"),
    ToolMessage("a long list of orders " * 1000, tool_call_id="1"),
    call("2"),
    ToolMessage("shipped", tool_call_id="2"),
]
create_agent(model, middleware=[middleware]).invoke({"messages": history})
print("summaries made:", len(summaries))
for message in seen:
    print("the model sees:", message.type, repr(message.content))
if summaries or "too long to summarize" not in seen[0].content:
    raise SystemExit("changed: the history is summarized or kept")
PY
