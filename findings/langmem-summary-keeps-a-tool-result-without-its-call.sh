#!/usr/bin/env bash
# langmem 0.0.30 with langchain-core 1.8.3
#
# Behaviour: summarize_messages cuts between the results of two calls that the model made at once: the call and the
#   first result go into the summary, and the messages that are left begin with the second result.
# Surprise: The function says that it keeps calls and their results together; it does so only when the cut falls on
#   the calling message itself. Providers refuse a result without its call.
# Seen:
#   system 'Summary of the conversation so far: Ann asked about two orders.'
#   tool 'order 2 is paid'
#   human 'Thanks, cancel the first.'
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langmem==0.0.30 langgraph==1.2.24 langchain-core==1.8.3
venv/bin/python -W ignore - <<'PY'
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langmem.short_term import summarize_messages

messages = [
    HumanMessage("What about orders 1 and 2?", id="a"),
    AIMessage("", id="b", tool_calls=[{"name": "look_up", "args": {"order": n}, "id": str(n)} for n in (1, 2)]),
    ToolMessage("order 1 is paid", tool_call_id="1", id="c"),
    ToolMessage("order 2 is paid", tool_call_id="2", id="d"),
    HumanMessage("Thanks, cancel the first.", id="e"),
]
left = summarize_messages(
    messages,
    running_summary=None,
    model=GenericFakeChatModel(messages=iter([AIMessage("Ann asked about two orders.")])),
    max_tokens=4,
    max_tokens_before_summary=3,
    max_summary_tokens=1,
    token_counter=len,
).messages
for message in left:
    print(message.type, repr(message.content))
if [message.type for message in left] != ["system", "tool", "human"]:
    raise SystemExit("changed: a result stays with its call")
PY
