"""The nodes of an order's way forward: each a sentence, calling down. Its other ends are in `endings`.

Wiring is in `graph`, rules are in `commerce`.
"""

from typing import Any, Final, Literal

from langgraph.runtime import Runtime
from langgraph.types import Command, Send
from pydantic import ValidationError

from agent.approvals.chains import case_for_order
from agent.approvals.gate import NOBODY, caller_who
from agent.approvals.models import ApprovalView
from agent.commerce.commands import Denial, MarkHandedOver, NewOrder, PlaceOrder, first_error
from agent.commerce.lifecycle import Stage
from agent.commerce.policy import denied, money
from agent.commerce.views import OrderView
from agent.identity import caller_of_run
from agent.ledger.database import Denied, KeyReusedError
from agent.observability.events import emit
from agent.order_processing.guard import ANYWHERE, StateError, guarded, request_of
from agent.order_processing.showing import approval_action, counted, refused, said, shown, tell
from agent.order_processing.state import LineOutcome, LineTask, OrderState, ParcelOutcome, ParcelTask
from agent.platform import this_thread
from agent.policies import OUTSIDE_SECONDS
from agent.resilience import time_budget
from agent.services import services

Update = dict[str, Any]

NEXT_STEP: Final[dict[Stage, str]] = {
    "placed": "reserve_line",
    "reserved": "assess",
    "awaiting_approval": "assess",  # finds the open request, and asks it again
    "approved": "charge",
    "parked": "charge",
    "declined": "charge",  # waits for another payment method, or is undone when the time is up
    "paid": "charge",  # finds the captured payment, and goes on to the parcels
    "completed": "settle",  # finds what is owed, if anything
    "cancelling": "compensate",
    "cancelled": "settle",
    "imported": "close",
}
"""The step that the ledger says is next for an order in this stage."""

Step = Literal["reserve_line", "assess", "charge", "compensate", "settle", "close"]


def next_step(order: OrderView) -> list[Send] | str:
    """Where an order goes on: a branch a line while its stock is yet to be held."""
    if order["stage"] != "placed":
        return NEXT_STEP[order["stage"]]
    return [Send("reserve_line", LineTask(order_id=order["id"], line=line["number"])) for line in order["lines"]]


@guarded()
async def route(state: OrderState, runtime: Runtime[None]) -> Command[Literal[Step, "validate"]]:
    """A new order is validated; an order that the service account names is taken on where the ledger says it is."""
    order, caller, shop = state.get("order"), caller_of_run(runtime), await services()
    if not caller or caller.role != "service":
        return Command(goto="validate")
    if not isinstance(order, dict) or set(order) != {"order_id"}:
        return Command(goto="close", update=refused(denied("ORDER-CALLER")))
    try:
        known = await shop.reads.get(str(order["order_id"]))
    except Denied as denial:
        return Command(goto="close", update=refused(denial))
    emit("order.redriven", order_id=known["id"], stage=known["stage"])
    return Command(goto=next_step(known), update=shown(known))  # type: ignore[arg-type]


@guarded()
async def validate(state: OrderState, runtime: Runtime[None]) -> Command[Step]:
    """Parse the order strictly and place it in the ledger at catalogue prices, or name the field or rule at fault."""
    caller, shop = caller_of_run(runtime), await services()
    try:
        order = NewOrder.model_validate(state.get("order"))
        if caller is None or (caller.role != "channel" and caller.identity != order.customer_id):
            raise denied("ORDER-CALLER")
        key = f"order:{order.order_id}:place"
        command = PlaceOrder(key=key, actor=caller.identity, subject=order.customer_id, order=order)
        answer = await shop.commerce.run(command)
    except ValidationError as wrong:
        return Command(goto="close", update=refused(denied("ORDER-INPUT", first_error(wrong))))
    except KeyReusedError:
        return Command(goto="close", update=refused(denied("ORDER-ID-TAKEN")))
    except Denied as denial:
        return Command(goto="close", update=refused(denial))
    if isinstance(answer, Denial):
        return Command(goto="close", update=refused(answer))
    placed = await shop.reads.get(order.order_id)
    emit("order.placed", order_id=placed["id"], amount=placed["total"])
    tell(runtime, placed["id"], "validated", f"{counted(len(placed['lines']))}, {money(placed['total'])}")
    return Command(goto=next_step(placed), update=shown(placed))  # type: ignore[arg-type]


@guarded("placed")
async def reserve_line(state: LineTask, runtime: Runtime[None]) -> Update:  # noqa: ARG001
    """Hold the stock of one line, once. Answers into `results`; the join decides."""
    try:
        await (await services()).orders.reserve_line(state["order_id"], state["line"])
    except Denied as denial:
        emit("request.denied", order_id=state["order_id"], rule=denial.rule)
        return _result(state["line"], "short" if denial.rule == "STOCK-SHORT" else "failed")
    return _result(state["line"], "reserved")


@guarded("placed", "reserved", "awaiting_approval")
async def assess(
    state: OrderState, runtime: Runtime[None]
) -> Command[Literal["approval", "decide", "charge", "compensate", "park"]]:
    """Join the lines; decide by total and risk whether people must say yes."""
    shop, order_id, results = await services(), state["order_id"], state.get("results", {})
    if "damaged" in results.values():
        raise StateError("results: a branch was damaged")
    if "failed" in results.values():
        return Command(goto="park")
    try:
        short = [int(n) for n, it in results.items() if it == "short" and n.isdecimal()]
        order = await shop.orders.reserved(order_id, short=short)
    except Denied as denial:
        if denial.rule != "STOCK-SHORT":
            raise StateError(f"results: {denial.sentence}") from denial
        return Command(goto="compensate", update=refused(denial))
    risk = await shop.reads.risk(order_id)
    case = case_for_order(order["total"], risk)
    if order["stage"] == "awaiting_approval":
        case = case or "large_order"  # whatever the risk is by now: who waits for people goes on with their yes
    await shop.orders.move(order_id, "awaiting_approval" if case else "approved", revision=order["revision"])
    if case is None:
        update = {"processing_stage": "approved", "human_approval_needed": False, "order_amount": order["total"]}
        return Command(goto="charge", update=update)
    request = await shop.approvals.open(
        approval_action(order, risk),
        case,
        key=f"order:{order_id}",
        subject=order["customer_id"],
        order_id=order_id,
        thread_id=this_thread(runtime),
        asked_by=order["placed_by"],
    )
    tell(runtime, order_id, "awaiting_approval", f"waits for {' or '.join(request['roles'])}")
    await shop.index.show(this_thread(runtime), request)
    return ask_people(request, {"processing_stage": "awaiting_approval", "order_amount": order["total"]})


def ask_people(request: ApprovalView, update: Update) -> Command[Any]:
    """To the gate; past it, when the request was decided, or ended by the clock, while the thread was away."""
    update |= {"approval": request, "human_approval_needed": True}
    if request["status"] != "open":
        return Command(goto="decide", update=update | {"answer": NOBODY})
    waits = said(request["request_id"], f"{request['order_id']} waits for approval by {' or '.join(request['roles'])}.")
    return Command(goto="approval", update=update | waits)


@guarded(*ANYWHERE)
async def decide(state: OrderState, runtime: Runtime[None]) -> Command[Literal["approval", "charge", "settle"]]:
    """Take the answer if it counts; else ask again, saying why."""
    shop, asked, answer = await services(), await request_of(state), state.get("answer")
    if answer is None:
        raise StateError("answer: missing")
    who = caller_who(answer, asked.get("head", ""), shop.approvals.trail)
    request = await shop.approvals.decide(asked["request_id"], asked["action_hash"], answer["said"], who)
    await shop.feedback.give(request, who)
    await shop.index.show(this_thread(runtime), request)
    update: Update = {"approval": request}
    if request["status"] == "open":
        again = said(f"{request['request_id']}:refused", request["refused"]) if request["refused"] else {}
        return Command(goto="approval", update=update | again)
    if request["case"] == "debt":
        await shop.debts.decided(request["action_requests"][0]["args"]["debt"], by_hand=request["status"] == "approved")
        return Command(goto="settle", update=update)
    if request["status"] == "void" or (await shop.reads.get(state["order_id"]))["stage"] != "awaiting_approval":
        raise StateError  # what was asked about is not what would be done any more
    if request["status"] == "approved":
        revision = request["action_requests"][0]["args"]["revision"]
        await shop.orders.move(state["order_id"], "approved", by="people", revision=revision)
        return Command(goto="charge", update=update | {"processing_stage": "approved", "denial": None})
    by: Literal["people", "clock"] = "people" if request["status"] == "rejected" else "clock"
    rejected = denied("ORDER-REJECTED", request["note"])
    await shop.orders.undo(state["order_id"], rejected.rule, by=by)
    return Command(goto="settle", update=update | refused(rejected))


@guarded("approved", "parked", "declined", "paid")
@time_budget(OUTSIDE_SECONDS)
async def charge(
    state: OrderState, runtime: Runtime[None]
) -> Command[Literal["ship", "complete", "compensate", "close"]]:
    """Take the customer's money exactly once; an unknown outcome is parked, not guessed. Then a parcel a warehouse."""
    shop, order_id = await services(), state["order_id"]
    retries = (runtime.execution_info.node_attempt - 1) if runtime.execution_info else 0
    tell(runtime, order_id, "charging", "asks the payment provider" + (" again" if retries else ""))
    outcome = await shop.payments.capture(order_id)
    update: Update = {"payment_status": outcome, "retry_count": retries}
    if outcome == "declined":
        update |= refused(denied(await shop.payments.why_declined(order_id)))
        waits = await shop.payments.waits_for_another(order_id)
        return Command(goto="close" if waits else "compensate", update=update)
    tell(runtime, order_id, "paid", "captured once")
    parcels = await shop.fulfilment.plan(order_id)
    tasks = [ParcelTask(order_id=order_id, customer_id=state["customer_id"], parcel=parcel) for parcel in parcels]
    update |= {"processing_stage": "paid", "parcels": parcels}
    return Command(goto=[Send("ship", task) for task in tasks] or "complete", update=update)


@guarded("paid")
@time_budget(OUTSIDE_SECONDS)
async def ship(state: ParcelTask, runtime: Runtime[None]) -> Update:
    """Give one parcel to the carrier, once. Answers into `results`; the join decides."""
    parcel, shop = state["parcel"], await services()
    booked = await shop.fulfilment.book(parcel)
    if booked != "handed_over" and booked != "delivered":  # noqa: PLR1714  (tells the type checker)
        return _result(parcel, booked)
    key = f"parcel:{parcel}:hand-over"
    answer = await shop.commerce.run(
        MarkHandedOver(key=key, actor="order_processing", subject=state["customer_id"], parcel_id=parcel)
    )
    if isinstance(answer, Denial):
        return _result(parcel, "stopped")
    tracking = next(each["tracking_id"] for each in answer["parcels"] if each["id"] == parcel)
    tell(runtime, state["order_id"], "shipped", f"{parcel} left as {tracking}")
    if booked == "delivered":  # its webhook came before we knew that it had left
        await shop.commerce.delivered(parcel, state["customer_id"], "order_processing")
    return _result(parcel, "handed over")


@guarded("paid")
async def complete(state: OrderState, runtime: Runtime[None]) -> Command[Literal["park", "compensate", "close"]]:  # noqa: ARG001
    """Join the parcels: each has left, or was refused for good; none will; or the rest is looked after later."""
    if "damaged" in state.get("results", {}).values():
        raise StateError("results: a branch was damaged")
    match await (await services()).fulfilment.join(state["order_id"]):
        case "completed":
            return Command(goto="close")
        case "refused":
            return Command(goto="compensate", update=refused(denied("SHIPPING-REFUSED")))
        case "waiting":
            return Command(goto="park")


def _result(key: int | str, outcome: LineOutcome | ParcelOutcome) -> Update:
    return {"results": {str(key): outcome}}
