"""The picture of the reconciler: its jobs side by side, then the report. A cron starts it, or `desk ops reconcile`."""

from langgraph.graph import END, START, StateGraph

from agent.reconciler.approval_jobs import ask_again, bring_to_end, wake, watch_the_clock
from agent.reconciler.jobs import (
    ReconcilerState,
    compare,
    expire,
    failed_before,
    heartbeat,
    job_failed,
    redrive,
    settle,
)
from agent.reconciler.notification_jobs import deliver, wake_conversations

graph = (
    StateGraph(ReconcilerState)
    .add_node(heartbeat, error_handler=job_failed)
    .add_node(watch_the_clock, error_handler=failed_before("wake"))
    .add_node(wake, error_handler=failed_before("ask_again"))
    .add_node(ask_again, error_handler=failed_before("bring_to_end"))
    .add_node(bring_to_end, error_handler=job_failed)
    .add_node(redrive, error_handler=job_failed)
    .add_node(settle, error_handler=job_failed)
    .add_node(compare, error_handler=job_failed)
    .add_node(expire, error_handler=job_failed)
    .add_node(wake_conversations, error_handler=job_failed)
    .add_node(deliver, error_handler=job_failed)
    .add_edge(START, "heartbeat")
    .add_edge(START, "watch_the_clock")
    .add_edge(START, "redrive")
    .add_edge(START, "settle")
    .add_edge(START, "compare")
    .add_edge(START, "expire")
    .add_edge(START, "wake_conversations")
    .add_edge(START, "deliver")
    .add_edge("watch_the_clock", "wake")
    .add_edge("wake", "ask_again")
    .add_edge("ask_again", "bring_to_end")
    .add_edge(
        ["heartbeat", "bring_to_end", "redrive", "settle", "compare", "expire", "wake_conversations", "deliver"], END
    )
    .compile(name="reconciler")
)
