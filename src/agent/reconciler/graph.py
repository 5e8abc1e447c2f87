"""The picture of the reconciler: its jobs side by side, then the report. A cron starts it, or `desk ops reconcile`."""

from langgraph.graph import END, START

from agent.observability.nodes import ObservedGraph
from agent.reconciler.approval_jobs import bring_to_end, enforce_deadlines, reopen_conversations, wake
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
    ObservedGraph("reconciler", ReconcilerState)
    .add_node(heartbeat, error_handler=job_failed)
    .add_node(enforce_deadlines, error_handler=failed_before("wake"))
    .add_node(wake, error_handler=failed_before("reopen_conversations"))
    .add_node(reopen_conversations, error_handler=failed_before("bring_to_end"))
    .add_node(bring_to_end, error_handler=job_failed)
    .add_node(redrive, error_handler=job_failed)
    .add_node(settle, error_handler=job_failed)
    .add_node(compare, error_handler=job_failed)
    .add_node(expire, error_handler=job_failed)
    .add_node(wake_conversations, error_handler=job_failed)
    .add_node(deliver, error_handler=job_failed)
    .add_edge(START, "heartbeat")
    .add_edge(START, "enforce_deadlines")
    .add_edge(START, "redrive")
    .add_edge(START, "settle")
    .add_edge(START, "compare")
    .add_edge(START, "expire")
    .add_edge(START, "wake_conversations")
    .add_edge(START, "deliver")
    .add_edge("enforce_deadlines", "wake")
    .add_edge("wake", "reopen_conversations")
    .add_edge("reopen_conversations", "bring_to_end")
    .add_edge(
        ["heartbeat", "bring_to_end", "redrive", "settle", "compare", "expire", "wake_conversations", "deliver"], END
    )
    .compile(name="reconciler")
)
