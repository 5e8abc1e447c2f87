#!/usr/bin/env bash
# langgraph 1.2.24
#
# Behaviour: A cached node that asks with interrupt() stores its result after the answer. The next thread with an
#   equal input is not asked: it gets what the person said on the first thread.
# Surprise: An interrupt is bound to its thread; one would expect a node that asks not to be cached, or the question
#   to be asked again.
# Seen:
#   thread 1 is asked: True
#   thread 2:          {'question': 'ship?', 'answer': 'yes, says Ann'}
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langgraph==1.2.24 langgraph-checkpoint==4.3.2
venv/bin/python - <<'PY'
from typing import TypedDict

from langgraph.cache.memory import InMemoryCache
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import CachePolicy, Command, interrupt


class State(TypedDict):
    question: str
    answer: str


graph = (
    StateGraph(State)
    .add_node("ask", lambda s: {"answer": interrupt(s["question"])}, cache_policy=CachePolicy())
    .add_edge(START, "ask")
    .compile(checkpointer=InMemorySaver(), cache=InMemoryCache())
)
one, two = ({"configurable": {"thread_id": t}} for t in "12")
question = {"question": "ship?"}
print("thread 1 is asked:", "__interrupt__" in graph.invoke(question, one))
graph.invoke(Command(resume="yes, says Ann"), one)
other = graph.invoke(question, two)
print("thread 2:         ", other)
if other.get("answer") != "yes, says Ann":
    raise SystemExit("changed: the second thread is asked")
PY
