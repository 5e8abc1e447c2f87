"""The picture of the reconciler: its jobs side by side, then the report. A cron starts it, or `desk ops reconcile`."""

from langgraph.graph import END, START, StateGraph

from agent.reconciler.jobs import ReconcilerState, beat, compare, expire, job_failed, settle, take_on
from agent.reconciler.news import send, tell
from agent.reconciler.people import ask_again, bring_to_end, wake, watch_the_clock

graph = (
    StateGraph(ReconcilerState)
    .add_node(beat, error_handler=job_failed)
    .add_node(watch_the_clock, error_handler=job_failed)
    .add_node(wake, error_handler=job_failed)
    .add_node(ask_again, error_handler=job_failed)
    .add_node(bring_to_end, error_handler=job_failed)
    .add_node(take_on, error_handler=job_failed)
    .add_node(settle, error_handler=job_failed)
    .add_node(compare, error_handler=job_failed)
    .add_node(expire, error_handler=job_failed)
    .add_node(tell, error_handler=job_failed)
    .add_node(send, error_handler=job_failed)
    .add_edge(START, "beat")
    .add_edge(START, "watch_the_clock")
    .add_edge(START, "take_on")
    .add_edge(START, "settle")
    .add_edge(START, "compare")
    .add_edge(START, "expire")
    .add_edge(START, "tell")
    .add_edge(START, "send")
    .add_edge("watch_the_clock", "wake")
    .add_edge("wake", "ask_again")
    .add_edge("ask_again", "bring_to_end")
    .add_edge(["beat", "bring_to_end", "take_on", "settle", "compare", "expire", "tell", "send"], END)
    .compile(name="reconciler")
)
