"""The picture of the reconciler: four jobs side by side, then the report. A cron starts it, or `desk ops reconcile`."""

from langgraph.graph import END, START, StateGraph

from agent.reconciler.jobs import ReconcilerState, job_failed, settle, take_on, wake, watch_the_clock

graph = (
    StateGraph(ReconcilerState)
    .add_node(watch_the_clock, error_handler=job_failed)
    .add_node(wake, error_handler=job_failed)
    .add_node(take_on, error_handler=job_failed)
    .add_node(settle, error_handler=job_failed)
    .add_edge(START, "watch_the_clock")
    .add_edge(START, "take_on")
    .add_edge(START, "settle")
    .add_edge("watch_the_clock", "wake")
    .add_edge(["wake", "take_on", "settle"], END)
    .compile(name="reconciler")
)
