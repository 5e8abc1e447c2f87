"""The picture of order processing: nodes, edges, and beside each node what happens when it fails.

route ─ validate ─ reserve_line × line ─ assess ─ approval ⟲ decide ─ charge ─ ship × parcel ─ complete ─ close
with `compensate` and `settle` for what is undone, `park` for what must wait, `rebuild` for a thread that does not fit
the ledger. Nodes that return a `Command` name where they go in their signature.
"""

from langgraph.graph import START

from agent.node_policies import BRANCH, CARRIER, LEDGER, PARCEL, PAYMENT
from agent.observability.nodes import ObservedGraph
from agent.order_processing.guard import approval, trace_of
from agent.order_processing.handlers import line_failed, parcel_failed, to_park
from agent.order_processing.nodes import assess, charge, complete, decide, reserve_line, route, ship, validate
from agent.order_processing.recovery import close, compensate, park, rebuild, settle
from agent.order_processing.state import OrderRequest, OrderResult, OrderState

graph = (
    ObservedGraph(
        "order_processing", OrderState, trace_of=trace_of, input_schema=OrderRequest, output_schema=OrderResult
    )
    .add_node(route, retry_policy=LEDGER)
    .add_node(validate, retry_policy=LEDGER)
    .add_node(reserve_line, retry_policy=LEDGER, timeout=BRANCH, error_handler=line_failed)  # answers, never routes
    .add_node(assess, retry_policy=LEDGER, error_handler=to_park)
    .add_node(approval, retry_policy=LEDGER)  # the only node that may interrupt: no handler
    .add_node(decide, retry_policy=LEDGER, error_handler=to_park)
    .add_node(charge, retry_policy=PAYMENT, error_handler=to_park)  # unknown is not failed
    .add_node(ship, retry_policy=CARRIER, timeout=PARCEL, error_handler=parcel_failed)  # answers, never routes
    .add_node(complete, retry_policy=LEDGER, error_handler=to_park)
    .add_node(compensate, retry_policy=LEDGER, error_handler=to_park)  # what is owed stays owed
    .add_node(settle, retry_policy=LEDGER, error_handler=to_park)
    .add_node(park, retry_policy=LEDGER)
    .add_node(rebuild, retry_policy=LEDGER)  # where the guard of each node leads
    .add_node(close, retry_policy=LEDGER)
    .add_edge(START, "route")
    .add_edge("reserve_line", "assess")
    .add_edge("approval", "decide")
    .add_edge("ship", "complete")
    .compile(name="order_processing")
    .with_config(recursion_limit=100)  # steps of a run; a longer one goes round and round
)
