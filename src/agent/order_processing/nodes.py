"""The nodes of an order's way forward: each a sentence, calling down. Its other ends are in `recovery`.

Wiring is in `graph`, rules are in `commerce`.
"""

from datetime import datetime
from typing import Any, Literal

from langgraph.runtime import Runtime
from langgraph.types import Command, Send
from pydantic import ValidationError
from sqlalchemy.orm import Session

from agent.approvals.card import not_taken, waits_in_words
from agent.approvals.chains import case_for_order
from agent.approvals.gate import ANONYMOUS, caller_who
from agent.approvals.models import ApprovalView
from agent.approvals.seen import Seen
from agent.commerce.commands import Denial, NewOrder, PlaceOrder
from agent.commerce.debt_outcomes import people_decided
from agent.commerce.locks import locked
from agent.commerce.order_risk import risk_of
from agent.commerce.orders import compensate_order, leave_out, move_on
from agent.commerce.parcels import LEFT
from agent.commerce.policy import money, policy_denied
from agent.commerce.precondition import OrderMovedOnError, Precondition, StateDamagedError
from agent.commerce.queries import customer_history
from agent.commerce.views import order_view
from agent.identity import Caller, caller_of_run
from agent.ledger.database import KeyReusedError, PolicyDenied
from agent.ledger.tables import OrderRow
from agent.node_policies import OUTSIDE_SECONDS
from agent.observability.events import emit
from agent.order_processing.guard import ANYWHERE, guarded, look, request_of
from agent.order_processing.next_step import Step, next_step
from agent.order_processing.presentation import (
    answer_message,
    approval_action,
    counted,
    opening,
    order_state,
    refused,
    stream_progress,
)
from agent.order_processing.state import LineOutcome, LineTask, OrderState, ParcelOutcome, ParcelTask
from agent.platform import this_thread
from agent.resilience import time_budget
from agent.services import services
from agent.text import first_error

Update = dict[str, Any]


@guarded()
async def route(
    state: OrderState, runtime: Runtime[None], precondition: Precondition
) -> Command[Literal[Step, "validate"]]:
    """A new order is validated; an order that the service account names is taken on where the ledger says it is."""
    order, caller, shop = state.get("order"), caller_of_run(runtime), await services()
    await look(precondition)
    if not caller or caller.role != "service":
        return Command(goto="validate")
    if not isinstance(order, dict) or set(order) != {"order_id"}:
        return Command(goto="close", update=refused(policy_denied("ORDER-CALLER")))
    try:
        known = await shop.queries.on_thread(str(order["order_id"]), this_thread(runtime))
    except PolicyDenied as denial:
        return Command(goto="close", update=refused(denial))
    emit("order.redriven", order_id=known["id"], stage=known["stage"])
    return Command(goto=next_step(known), update=order_state(known) | opening(state, known))  # type: ignore[arg-type]


@guarded()
async def validate(state: OrderState, runtime: Runtime[None], precondition: Precondition) -> Command[Step]:
    """Parse the order strictly and place it in the ledger at catalogue prices, or name the field or rule at fault."""
    caller, shop = caller_of_run(runtime), await services()
    await look(precondition)
    try:
        order = NewOrder.model_validate(state.get("order"))
        if caller is None or (caller.role != "channel" and caller.identity != order.customer_id):
            raise policy_denied("ORDER-CALLER")
        key = f"order:{order.order_id}:place"
        placed = await shop.commerce.place(
            PlaceOrder(key=key, actor=caller.identity, subject=order.customer_id, order=order)
        )
    except ValidationError as error:
        return Command(goto="close", update=refused(policy_denied("ORDER-INPUT", first_error(error))))
    except KeyReusedError:
        return Command(goto="close", update=refused(policy_denied("ORDER-ID-TAKEN")))
    except PolicyDenied as denial:
        return Command(goto="close", update=refused(denial))
    if isinstance(placed, Denial):
        return Command(goto="close", update=refused(placed))
    stream_progress(runtime, placed["id"], "validated", f"{counted(len(placed['lines']))}, {money(placed['total'])}")
    return Command(goto=next_step(placed), update=order_state(placed) | opening(state, placed))  # type: ignore[arg-type]


@guarded("placed")
async def reserve_line(state: LineTask, runtime: Runtime[None], precondition: Precondition) -> Update:  # noqa: ARG001
    """Hold the stock of one line, once. Answers into `results`; the join decides."""
    try:
        await (await services()).orders.reserve_line(precondition, state["line"])
    except PolicyDenied as denial:
        emit("request.denied", order_id=state["order_id"], rule=denial.rule)
        return _result(state["line"], "short" if denial.rule == "STOCK-SHORT" else "failed")
    return _result(state["line"], "reserved")


@guarded("placed", "reserved", "awaiting_approval")
async def assess(
    state: OrderState, runtime: Runtime[None], precondition: Precondition
) -> Command[Literal["approval", "decide", "charge", "compensate", "park"]]:
    """Join the lines; decide by total and risk whether people must say yes."""
    shop, results, thread_id = await services(), state.get("results", {}), this_thread(runtime)
    short = [int(n) for n, it in results.items() if it == "short" and n.isdecimal()]
    damaged, failed = "damaged" in results.values(), "failed" in results.values()

    def assessed(session: Session) -> tuple[int | None, ApprovalView | None]:
        order, now = locked(session, precondition), shop.database.clock()
        if damaged:
            raise StateDamagedError("results: a branch was damaged")
        if failed:
            return None, None
        leave_out(session, order, short)
        risk = risk_of(session, order, shop.settings.order_sum_hours)
        case = case_for_order(order.total + risk.unapproved, risk.score)
        if order.stage == "awaiting_approval":
            case = case or "large_order"  # whatever the risk is by now: who waits for people goes on with their yes
        move_on(session, order, "awaiting_approval" if case else "approved", "process", now)
        if case is None:
            return order.total, None
        request = shop.approvals.open_in(
            session,
            approval_action(order_view(session, order), risk, customer_history(session, order.customer_id, now)),
            case,
            key=f"order:{order.id}",
            subject=order.customer_id,
            order_id=order.id,
            thread_id=thread_id,
            asked_by=order.placed_by,
        )
        return order.total, request

    try:
        total, request = await shop.database.write(assessed)
    except PolicyDenied as denial:
        if denial.rule != "STOCK-SHORT":
            raise StateDamagedError(f"results: {denial.sentence}") from denial
        return Command(goto="compensate", update=refused(denial))
    if total is None:
        return Command(goto="park")
    if request is None:
        update = {"processing_stage": "approved", "human_approval_needed": False, "order_amount": total}
        return Command(goto="charge", update=update)
    stream_progress(runtime, state["order_id"], "awaiting_approval", waits_in_words(request))
    await shop.index.show(thread_id, request)
    return ask_people(request, {"processing_stage": "awaiting_approval", "order_amount": total})


def ask_people(request: ApprovalView, update: Update) -> Command[Any]:
    """To the gate; past it, when the request was decided, or ended by the clock, while the thread was away."""
    update |= {"approval": request, "human_approval_needed": True}
    if request["status"] != "open":
        return Command(goto="decide", update=update | {"answer": ANONYMOUS})
    return Command(goto="approval", update=update | answer_message(request))


@guarded(*ANYWHERE)
async def decide(
    state: OrderState, runtime: Runtime[None], precondition: Precondition
) -> Command[Literal["approval", "charge", "settle"]]:
    """Take the answer if it counts, and do in the same transaction what it decides; else ask again, saying why."""
    shop, answer = await services(), state.get("answer")

    def decided(session: Session) -> tuple[ApprovalView, Caller | None]:
        asked = request_of(session, state, precondition)
        if answer is None:
            raise StateDamagedError("answer: missing")
        who = caller_who(answer, asked.get("head", ""), shop.approvals.trail)
        seen = Seen(state.get("approval"), answer.get("named", ""))
        request_id, action = asked["request_id"], asked["action_hash"]
        request = shop.approvals.decide_in(session, request_id, action, answer["said"], who, seen=seen)
        try:
            follow(session, request, locked(session, precondition), shop.database.clock())
        except OrderMovedOnError as error:
            raise OrderMovedOnError(answer_message(request)) from error
        return request, who

    request, who = await shop.database.write(decided)
    await shop.feedback.give(request, who)
    await shop.index.show(this_thread(runtime), request)
    update: Update = {"approval": request} | answer_message(request)
    if request["refused"]:
        stream_progress(runtime, state["order_id"], "not_taken", not_taken(request))
    match request["status"]:
        case "open":
            return Command(goto="approval", update=update)
        case "approved" if request["case"] != "debt":
            return Command(goto="charge", update=update | {"processing_stage": "approved", "denial": None})
        case _ if request["case"] == "debt":
            return Command(goto="settle", update=update)
        case _:
            return Command(goto="settle", update=update | refused(policy_denied("ORDER-REJECTED", request["note"])))


def follow(session: Session, request: ApprovalView, order: OrderRow, now: datetime) -> None:
    """What a decided request means for its order.

    Raises `OrderMovedOnError` when what was asked about is not what would be done any more.
    """
    arguments = request["arguments"]
    if request["status"] == "open":
        return
    if request["case"] == "debt":
        people_decided(session, arguments["debt"], by_hand=request["status"] == "approved", now=now)
    elif request["status"] == "void" or order.stage != "awaiting_approval":
        raise OrderMovedOnError
    elif request["status"] != "approved":
        compensate_order(
            session, order, "ORDER-REJECTED", "people" if request["status"] == "rejected" else "clock", now
        )
    elif order.revision == arguments["revision"]:
        move_on(session, order, "approved", "people", now)
    else:
        raise OrderMovedOnError


@guarded("approved", "parked", "declined", "paid")
@time_budget(OUTSIDE_SECONDS)
async def charge(
    state: OrderState, runtime: Runtime[None], precondition: Precondition
) -> Command[Literal["ship", "complete", "compensate", "close"]]:
    """Take the customer's money exactly once; an unknown outcome is parked, not guessed. Then a parcel a warehouse."""
    shop, order_id = await services(), state["order_id"]
    retries = (runtime.execution_info.node_attempt - 1) if runtime.execution_info else 0
    stream_progress(runtime, order_id, "charging", "asks the payment provider" + (" again" if retries else ""))
    taken = await shop.payments.capture(precondition)
    update: Update = {"payment_status": taken.outcome, "retry_count": retries}
    if taken.outcome == "declined":
        rule, waits = await shop.payments.declined(order_id)
        return Command(goto="close" if waits else "compensate", update=update | refused(policy_denied(rule)))
    stream_progress(runtime, order_id, "paid", "captured once")
    tasks = [ParcelTask(order_id=order_id, customer_id=state["customer_id"], parcel=parcel) for parcel in taken.parcels]
    update |= {"processing_stage": "paid", "parcels": taken.parcels}
    return Command(goto=[Send("ship", task) for task in tasks] or "complete", update=update)


@guarded("paid")
@time_budget(OUTSIDE_SECONDS)
async def ship(state: ParcelTask, runtime: Runtime[None], precondition: Precondition) -> Update:
    """Give one parcel to the carrier, once. Answers into `results`; the join decides."""
    parcel, shop = state["parcel"], await services()
    sent = await shop.fulfilment.book(parcel, precondition)
    if sent.outcome not in LEFT:
        return _result(parcel, sent.outcome)  # type: ignore[arg-type]
    stream_progress(runtime, state["order_id"], "shipped", f"{parcel} left as {sent.tracking_id}")
    return _result(parcel, "handed over")


@guarded("paid")
async def complete(
    state: OrderState,
    runtime: Runtime[None],  # noqa: ARG001
    precondition: Precondition,
) -> Command[Literal["park", "compensate", "close"]]:
    """Join the parcels: each has left, or was refused for good; none will; or the rest is looked after later."""
    if "damaged" in state.get("results", {}).values():
        raise StateDamagedError("results: a branch was damaged")
    match await (await services()).fulfilment.join(precondition):
        case "completed":
            return Command(goto="close")
        case "refused":
            return Command(goto="compensate", update=refused(policy_denied("SHIPPING-REFUSED")))
        case "waiting":
            return Command(goto="park")


def _result(key: int | str, outcome: LineOutcome | ParcelOutcome) -> Update:
    return {"results": {str(key): outcome}}
