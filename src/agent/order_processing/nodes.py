"""The nodes of order processing: each a sentence, calling down. Wiring is in `graph.py`, rules are in `commerce`."""

from typing import Any, Final, Literal, cast

from langgraph.errors import NodeError
from langgraph.runtime import Runtime
from langgraph.types import Command, Send
from pydantic import ValidationError

from agent.approvals.chains import case_for_order
from agent.approvals.gate import NOBODY, caller_who
from agent.commerce.commands import Denial, MarkHandedOver, NewOrder, PlaceOrder, first_error
from agent.commerce.lifecycle import Stage
from agent.commerce.policy import RULES, denied, money
from agent.identity import caller_of_run
from agent.ledger.database import Denied, KeyReusedError
from agent.observability.events import emit
from agent.order_processing.showing import approval_action, counted, denial_view, shown
from agent.order_processing.state import DenialView, LineTask, OrderRequest, OrderState, ParcelTask
from agent.platform import this_thread
from agent.services import services

Update = dict[str, Any]

NEXT_STEP: Final[dict[Stage, str]] = {
    "placed": "reserve_line",
    "reserved": "assess",
    "awaiting_approval": "assess",  # finds the open request, and asks it again
    "approved": "charge",
    "parked": "charge",
    "paid": "charge",  # finds the captured payment, and goes on to the parcels
    "completed": "close",
    "cancelling": "compensate",
    "cancelled": "close",
    "imported": "close",
}
"""The step that the ledger says is next for an order in this stage."""


async def route(
    state: OrderRequest, runtime: Runtime[None]
) -> Command[Literal["validate", "reserve_line", "assess", "charge", "compensate", "close"]]:
    """A new order is validated; an order that the service account names is taken on where the ledger says it is."""
    order, caller = state["order"], caller_of_run(runtime)
    if not caller or caller.role != "service":
        return Command(goto="validate")
    if not isinstance(order, dict) or set(order) != {"order_id"}:
        return Command(goto="close", update={"denial": denial_view(denied("ORDER-CALLER"))})
    try:
        known = await (await services()).reads.get(str(order["order_id"]))
    except Denied as denial:
        return Command(goto="close", update={"denial": denial_view(denial)})
    emit("order.redriven", order_id=known["id"], stage=known["stage"])
    update = shown(known) | {"results": None, "denial": None}
    if known["stage"] == "placed":
        return Command(goto=_line_tasks(known["id"], update["lines"]), update=update)
    return Command(goto=NEXT_STEP[known["stage"]], update=update)  # type: ignore[arg-type]


async def validate(state: OrderState, runtime: Runtime[None]) -> Update:
    """Parse the order strictly and place it in the ledger at catalogue prices, or name the field or rule at fault."""
    caller, shop = caller_of_run(runtime), await services()
    try:
        order = NewOrder.model_validate(state["order"])
        if caller is None or (caller.role != "channel" and caller.identity != order.customer_id):
            raise denied("ORDER-CALLER")
        key = f"order:{order.order_id}:place"
        command = PlaceOrder(key=key, actor=caller.identity, subject=order.customer_id, order=order)
        answer = await shop.commerce.run(command)
    except ValidationError as wrong:
        return _refused(denied("ORDER-INPUT", first_error(wrong)))
    except KeyReusedError:
        return _refused(denied("ORDER-ID-TAKEN"))
    except Denied as denial:
        return _refused(denial)
    if isinstance(answer, Denial):
        return _refused(answer)
    placed = await shop.reads.get(order.order_id)
    emit("order.placed", order_id=placed["id"], amount=placed["total"])
    _tell(runtime, placed["id"], "validated", f"{counted(len(placed['lines']))}, {money(placed['total'])}")
    return shown(placed) | {"results": None, "denial": None}


def after_validate(state: OrderState) -> list[Send] | str:
    """A new order's lines are reserved in parallel; one that was sent again goes on where the ledger says it is."""
    if state.get("denial"):
        return "close"
    if state["processing_stage"] == "placed":
        return _line_tasks(state["order_id"], state["lines"])
    return NEXT_STEP[cast(Stage, state["processing_stage"])]


async def reserve_line(state: LineTask) -> Update:
    """Hold the stock of one line, once. Answers into `results`; the join decides."""
    try:
        await (await services()).orders.reserve_line(state["order_id"], state["line"])
    except Denied as denial:
        emit("request.denied", order_id=state["order_id"], rule=denial.rule)
        return _result(state["line"], "short" if denial.rule == "STOCK-SHORT" else denial.rule)
    return _result(state["line"], "reserved")


def line_failed(state: LineTask, error: NodeError) -> Update:
    """A line whose reservation could not be made or refused: the join leaves the order to the reconciler."""
    emit("node.failed", node=error.node, order_id=state["order_id"], error=type(error.error).__name__)
    return _result(state["line"], "failed") | {"error_count": 1}


async def assess(
    state: OrderState, runtime: Runtime[None]
) -> Command[Literal["approval", "assess", "decide", "charge", "compensate", "park", "close"]]:
    """Join the lines; decide by total and risk whether people must say yes."""
    shop, order_id = await services(), state["order_id"]
    outcomes = set((state.get("results") or {}).values())
    if "short" in outcomes:
        return Command(goto="compensate", update={"denial": denial_view(denied("STOCK-SHORT"))})
    if "failed" in outcomes:
        return Command(goto="park")
    order = await shop.reads.get(order_id)
    if order["stage"] == "placed":
        order = await shop.orders.move(order_id, "reserved")
    if order["stage"] not in ("reserved", "awaiting_approval"):  # went on, or was undone, meanwhile
        return Command(goto=NEXT_STEP[order["stage"]])  # type: ignore[arg-type]
    risk = await shop.reads.risk(order_id)
    case = case_for_order(order["total"], risk)
    try:
        if case is None:
            await shop.orders.move(order_id, "approved", revision=order["revision"])
            return Command(goto="charge", update={"processing_stage": "approved", "human_approval_needed": False})
        await shop.orders.move(order_id, "awaiting_approval", revision=order["revision"])
    except Denied:  # its customer changed or cancelled it while it was assessed: look again
        return Command(goto="assess")
    request = await shop.approvals.open(
        approval_action(order, risk),
        case,
        key=f"order:{order_id}",
        subject=order["customer_id"],
        order_id=order_id,
        thread_id=this_thread(runtime),
        asked_by=order["placed_by"],
    )
    _tell(runtime, order_id, "awaiting_approval", f"waits for {' or '.join(request['roles'])}")
    update = {"approval": request, "processing_stage": "awaiting_approval", "human_approval_needed": True}
    if request["status"] != "open":  # decided, or ended by the clock, while the thread was away
        return Command(goto="decide", update=update | {"answer": NOBODY})
    return Command(goto="approval", update=update)


async def decide(state: OrderState) -> Command[Literal["approval", "assess", "charge", "compensate", "close"]]:
    """Take the answer if it counts; else ask again, saying why."""
    shop, view, answer = await services(), state["approval"], state["answer"]
    request = await shop.approvals.decide(view["request_id"], view["action_hash"], answer["said"], caller_who(answer))
    update: Update = {"approval": request}
    match request["status"]:
        case "open":
            return Command(goto="approval", update=update)
        case "approved":
            revision = request["action_requests"][0]["args"]["revision"]
            try:
                await shop.orders.move(state["order_id"], "approved", revision=revision)
            except Denied as stopped:
                return Command(goto=await _after_change(state["order_id"]), update=update | _refused(stopped))
            return Command(goto="charge", update=update | {"processing_stage": "approved", "denial": None})
        case "void":
            return Command(goto=await _after_change(state["order_id"]), update=update | {"denial": None})
        case _:
            denial = denial_view(denied("ORDER-REJECTED", request["note"]))
            return Command(goto="compensate", update=update | {"denial": denial})


async def _after_change(order_id: str) -> Literal["assess", "close"]:
    """An order that its customer changed while people looked at it is assessed anew; any other has its last word."""
    return "assess" if (await (await services()).reads.get(order_id))["stage"] == "reserved" else "close"


async def charge(state: OrderState, runtime: Runtime[None]) -> Update:
    """Take the customer's money exactly once; an unknown outcome is parked, not guessed."""
    shop, order_id = await services(), state["order_id"]
    retries = (runtime.execution_info.node_attempt - 1) if runtime.execution_info else 0
    _tell(runtime, order_id, "charging", "asks the payment provider" + (" again" if retries else ""))
    outcome = await shop.payments.capture(order_id)
    if outcome == "declined":
        denial = denial_view(denied(await shop.payments.why_declined(order_id)))
        return {
            "payment_status": outcome,
            "processing_stage": "declined",
            "denial": denial,
            "retry_count": retries,
        }
    _tell(runtime, order_id, "paid", "captured once")
    parcels = await shop.fulfilment.plan(order_id)
    return {"payment_status": outcome, "processing_stage": "paid", "parcels": parcels, "retry_count": retries}


def to_park(state: OrderState, error: NodeError) -> Command[Literal["park", "close"]]:
    """Only routes: a rule's word ends the run; anything else, an open breaker or a lost answer, waits in `park`."""
    emit("node.failed", node=error.node, order_id=state["order_id"], error=type(error.error).__name__)
    count = {"error_count": 1}
    if isinstance(error.error, Denied):
        return Command(goto="close", update=count | _refused(error.error))
    return Command(goto="park", update=count)


def after_charge(state: OrderState) -> list[Send] | Literal["compensate", "complete"]:
    """Captured: a parcel a warehouse, in parallel. Declined: everything is undone."""
    if state["payment_status"] == "declined":
        return "compensate"
    parcels = [
        Send("ship", ParcelTask(order_id=state["order_id"], customer_id=state["customer_id"], parcel=parcel))
        for parcel in state["parcels"]
    ]
    return parcels or "complete"


async def ship(state: ParcelTask, runtime: Runtime[None]) -> Update:
    """Hand one parcel over, once. Answers into `results`; the join decides."""
    parcel, shop = state["parcel"], await services()
    key = f"parcel:{parcel}:hand-over"
    answer = await shop.commerce.run(
        MarkHandedOver(key=key, actor="order_processing", subject=state["customer_id"], parcel_id=parcel)
    )
    if isinstance(answer, Denial):
        return _result(parcel, "stopped")
    tracking = next(each["tracking_id"] for each in answer["parcels"] if each["id"] == parcel)
    _tell(runtime, state["order_id"], "shipped", f"{parcel} left as {tracking}")
    return _result(parcel, "handed over")


def parcel_failed(state: ParcelTask, error: NodeError) -> Update:
    """A parcel that could not leave: the join leaves the order to the reconciler."""
    emit("node.failed", node=error.node, order_id=state["order_id"], error=type(error.error).__name__)
    return _result(state["parcel"], "failed") | {"error_count": 1}


async def complete(state: OrderState) -> Command[Literal["park", "close"]]:
    """Join the parcels: all have left, or the rest is tried again later, or the order was undone meanwhile."""
    outcomes = {(state.get("results") or {}).get(parcel) for parcel in state["parcels"]}
    if "stopped" in outcomes:
        return Command(goto="close")
    if "failed" in outcomes:
        return Command(goto="park")
    await (await services()).fulfilment.complete(state["order_id"])
    return Command(goto="close")


async def compensate(state: OrderState, runtime: Runtime[None]) -> Update:
    """Undo in reverse: learn what became of a charge, owe back what was taken, release the stock, pay what is owed."""
    shop, order_id = await services(), state["order_id"]
    denial = state.get("denial")
    _tell(runtime, order_id, "undoing", denial["rule"] if denial else "cancelled")
    await shop.orders.undo(order_id, denial["rule"] if denial else "CANCELLED")
    await shop.payments.find_out(order_id)
    await shop.refunds.settle(order_id)
    await shop.orders.undo(order_id, "CANCELLED")  # closes it, now that nothing is unknown
    return {"processing_stage": "cancelling"}


async def park(state: OrderState, runtime: Runtime[None]) -> Update:
    """Leave the order to the reconciler, in the open: nothing is guessed, nothing is lost."""
    payment = await (await services()).payments.park(state["order_id"])
    emit("payment.parked", order_id=state["order_id"], payment=payment)
    _tell(runtime, state["order_id"], "parked", f"payment {payment}; will be taken on again")
    return {"processing_stage": "parked", "payment_status": payment}


async def close(state: OrderState, runtime: Runtime[None]) -> Update:
    """The last word: where the ledger says the order is, and the rule that stopped it, if one did."""
    denial = state.get("denial")
    if denial:
        emit("order.refused", order_id=state.get("order_id"), rule=denial["rule"])
    if "order_id" not in state:
        return {"processing_stage": "refused"}
    shop = await services()
    await shop.deadlines.ended_meanwhile(this_thread(runtime))
    order = await shop.reads.get(state["order_id"])
    if not denial and order["reason"] in RULES:
        denial = DenialView(rule=order["reason"], sentence=RULES[order["reason"]])
    _tell(runtime, order["id"], order["stage"], "done" if order["stage"] == "completed" else order["stage"])
    payment = await shop.payments.outcome(order["id"])
    return {"processing_stage": order["stage"], "payment_status": payment, "denial": denial}


def when_closed(state: OrderState) -> Literal["assess", "__end__"]:
    """A word said to an order that waits for people does not end its waiting: the same request is asked again."""
    return "assess" if state["processing_stage"] == "awaiting_approval" else "__end__"


def _tell(runtime: Runtime[None], order_id: str, progress: str, text: str) -> None:
    """Stream a line of progress to whoever waits."""
    runtime.stream_writer({"progress": progress, "order_id": order_id, "text": text})


def _line_tasks(order_id: str, lines: list[int]) -> list[Send]:
    return [Send("reserve_line", LineTask(order_id=order_id, line=line)) for line in lines]


def _result(key: int | str, outcome: str) -> Update:
    return {"results": {str(key): outcome}}


def _refused(denial: Denied | Denial) -> Update:
    return {"denial": denial_view(denial)}
