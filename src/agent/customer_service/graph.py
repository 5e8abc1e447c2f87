"""The picture of the desk: nodes, edges, and beside each node what happens when it fails.

triage ─ knowledge ─ dispatch ─ specialist × wish ─ plan ─ reply, which asks for the customer's yes
yes ─ review ─ approval ⟲ decide ─ execute ─ reply, and back to `approval` while a request is open;
a no may lead from `decide` to `plan`, with one changed proposal
"""

from langgraph.graph import END, START

from agent.context import Context
from agent.customer_service.nodes import (
    after_reply,
    approval,
    decide,
    dispatch,
    execute,
    knowledge,
    not_now,
    plan,
    reply,
    review,
    specialist,
    topic_failed,
    triage,
)
from agent.customer_service.state import DeskInput, DeskState
from agent.node_policies import LEDGER, QUESTIONS, READING
from agent.observability.cache import node_cache
from agent.observability.nodes import ObservedGraph
from agent.settings import Settings

graph = (
    ObservedGraph(
        "customer_service", DeskState, operation="invoke_agent", input_schema=DeskInput, context_schema=Context
    )
    .add_node(triage, retry_policy=LEDGER, timeout=READING, error_handler=not_now)
    .add_node(knowledge, cache_policy=QUESTIONS)
    .add_node(dispatch)
    .add_node(specialist, retry_policy=LEDGER, timeout=READING, error_handler=topic_failed)  # answers, never routes
    .add_node(plan, retry_policy=LEDGER)
    .add_node(review, retry_policy=LEDGER, error_handler=not_now)
    .add_node(approval)  # the only node that may interrupt: no handler, no retry
    .add_node(decide, retry_policy=LEDGER)
    .add_node(execute, retry_policy=LEDGER, error_handler=not_now)
    .add_node(reply, retry_policy=LEDGER)
    .add_edge(START, "triage")
    .add_edge("knowledge", "dispatch")
    .add_edge("specialist", "plan")
    .add_edge("approval", "decide")
    .add_edge("execute", "reply")
    .add_conditional_edges("reply", after_reply, ["approval", END])
    .compile(cache=node_cache("knowledge", Settings().node_cache_file), name="customer_service")
)
