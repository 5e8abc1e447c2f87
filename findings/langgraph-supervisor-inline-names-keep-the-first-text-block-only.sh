#!/usr/bin/env bash
# langgraph-supervisor 0.0.31 with langchain-core 1.8.3
#
# Behaviour: with_agent_name(model, 'inline'), which is create_supervisor(include_agent_name='inline'), puts the
#   name around the first text block of an agent's message and drops the other text blocks, on the way to the model.
# Surprise: The mode is there to add a name. A message of several text blocks is what a provider returns that cites
#   its sources or thinks in between; the supervisor decides on its first sentence.
# Seen:
#   the agent said:     ['Order 77 was refunded.', ' It was not shipped back, so charge it again.']
#   the model was sent: ['<name>billing</name><content>Order 77 was refunded.</content>']
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph-supervisor==0.0.31 langgraph==1.2.24 langchain-core==1.8.3
venv/bin/python -W ignore - <<'PY'
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langgraph_supervisor.agent_name import with_agent_name

seen = []


class Model(GenericFakeChatModel):
    def _generate(self, messages, *args, **more):
        seen.extend(messages)
        return super()._generate(messages, *args, **more)


said = ["Order 77 was refunded.", " It was not shipped back, so charge it again."]
message = AIMessage([{"type": "text", "text": text} for text in said], name="billing")
with_agent_name(Model(messages=iter([AIMessage("Thanks.")])), "inline").invoke([HumanMessage("And 77?"), message])
sent = [block["text"] for block in seen[1].content]
print("the agent said:    ", said)
print("the model was sent:", sent)
if sent != [f"<name>billing</name><content>{said[0]}</content>"]:
    raise SystemExit("changed: the other blocks are sent")
PY
