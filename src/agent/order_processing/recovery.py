"""The nodes that end a run of an order, or take it back onto its way: undone, settled, parked, rebuilt, closed."""

import json
from typing import Any, Literal

from langgraph.runtime import Runtime
from langgraph.types import Command
from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.approvals.card import waits_in_words
from agent.approvals.deadlines import SOME_ENDED
from agent.commerce.locks import checked
from agent.commerce.policy import RULES, policy_denied
from agent.commerce.precondition import Precondition, StateDamagedError
from agent.commerce.price_payments import outcome_of, price_outcome
from agent.ledger.database import digest
from agent.ledger.tables import OrderRow
from agent.observability.events import emit
from agent.order_processing.guard import ANYWHERE, guarded, sound
from agent.order_processing.next_step import Step, next_step
from agent.order_processing.nodes import ask_people
from agent.order_processing.presentation import (
    assistant_message,
    blank,
    debt_action,
    opening,
    order_state,
    refused,
    stream_progress,
)
from agent.order_processing.state import Damage, DenialView, OrderState
from agent.platform import this_thread
from agent.services import services


@guarded("placed", "reserved", "approved", "parked", "declined", "paid", "cancelling")
async def compensate(
    state: OrderState, runtime: Runtime[None], precondition: Precondition
) -> Command[Literal["settle"]]:
    """Undo in reverse, in the ledger: stop the parcels, release the stock, owe back what was taken."""
    denial = state.get("denial")
    rule = denial["rule"] if denial else "CANCELLED"
    stream_progress(runtime, state["order_id"], "undoing", rule)
    order = await (await services()).orders.compensate(precondition, rule)
    return Command(goto="settle", update={"processing_stage": order["stage"]})


@guarded(*ANYWHERE)
async def settle(
    state: OrderState, runtime: Runtime[None], precondition: Precondition
) -> Command[Literal["approval", "decide", "close"]]:
    """Do what is owed, at providers and carrier; what fails too often people must look into."""
    shop, order_id = await services(), state["order_id"]
    await shop.debts.settle(precondition)
    for debt in await shop.debts.past_limit(order_id):
        request = await shop.approvals.open(
            debt_action(debt),
            "debt",
            key=f"debt:{digest(debt.key)[:16]}:{debt.asked}",
            subject=debt.customer_id,
            order_id=order_id,
            thread_id=this_thread(runtime),
            asked_by="order_processing",
        )
        stream_progress(runtime, order_id, "awaiting_approval", waits_in_words(request))
        await shop.index.show(this_thread(runtime), request)
        return ask_people(request, {})
    return Command(goto="close")


@guarded(*ANYWHERE)
async def park(state: OrderState, runtime: Runtime[None], precondition: Precondition) -> Command[Literal["__end__"]]:
    """Leave the order to the reconciler, in the open: nothing is guessed, nothing is lost."""
    order_id = state["order_id"]
    stage, payment = await (await services()).payments.park(precondition)
    emit("order.parked", order_id=order_id, stage=stage, payment=payment)
    stream_progress(runtime, order_id, "parked", f"payment {payment}; will be taken on again")
    return Command(goto="__end__", update={"processing_stage": stage, "payment_status": payment})


async def rebuild(state: OrderState, runtime: Runtime[None]) -> Command[Literal[Step, "route"]]:
    """Keep a damaged state aside, and go on from the ledger: it knows whose thread this is, and what is next."""
    shop, thread_id, damage = await services(), this_thread(runtime), _damage(state)
    order_id = await shop.queries.order_of_thread(thread_id)
    if damage:
        await shop.quarantine.keep(thread_id, order_id, damage["node"], damage["found"], _plain(state))
        emit("state.quarantined", order_id=order_id, node=damage["node"], found=damage["found"])
    elif order_id is None:
        order_id = state["order_id"]  # the order has another thread by now; what this one says of it is sound
    unread = _stopped_at(state, damage) in ("route", "validate")
    if order_id is None:
        return Command(goto="route" if unread else "close", update=blank() | refused(policy_denied("ORDER-EXISTS")))
    order = await shop.queries.get(order_id)
    stream_progress(runtime, order_id, "rebuilt", f"goes on from the ledger: {order['stage']}")
    update = blank() | order_state(order) | opening(state, order)
    return Command(goto="route" if unread else next_step(order), update=update)  # type: ignore[arg-type]


@guarded()
async def close(
    state: OrderState, runtime: Runtime[None], precondition: Precondition
) -> Command[Literal["assess", "__end__"]]:
    """The last word: where the ledger says the order is, and the rule that stopped it, if one did."""
    denial = state.get("denial")
    if denial:
        emit("order.refused", order_id=state.get("order_id"), rule=denial["rule"])
    if not state.get("order_id"):
        if not denial:
            raise StateDamagedError("order_id: missing")
        last = assistant_message("refused", denial["sentence"])
        return Command(goto="__end__", update={"processing_stage": "refused", **last})
    shop, thread_id = await services(), this_thread(runtime)

    def ending(session: Session) -> tuple[OrderRow, str, bool]:
        query = select(OrderRow, price_outcome(OrderRow.id), SOME_ENDED)
        row = session.execute(query.where(OrderRow.id == precondition.order_id), {"of_thread": thread_id}).one_or_none()
        order = checked(precondition, row[0] if row else None)
        return order, outcome_of(row[1]) if row else "none", bool(row and row[2])

    order, payment, ended = await shop.database.read(ending)
    if ended and await shop.deadlines.ended_meanwhile(thread_id):
        await shop.index.show(thread_id, None)
    if not denial and order.reason in RULES:
        denial = DenialView(rule=order.reason, sentence=RULES[order.reason])
    stream_progress(runtime, order.id, order.stage, "done" if order.stage == "completed" else order.stage)
    why = f" {denial['sentence']}" if denial else ""
    update = {
        "processing_stage": order.stage,
        "order_amount": order.total,
        "payment_status": payment,
        "denial": denial,
        **assistant_message(f"{order.id}:{order.stage}", f"{order.id} is {order.stage.replace('_', ' ')}.{why}"),
    }
    # a word said to an order that waits for people does not end its waiting: the same request is asked again
    return Command(goto="assess" if order.stage == "awaiting_approval" else "__end__", update=update)


def _damage(state: OrderState) -> Damage | None:
    """What was found to be damaged, or has been since then; None: the order has gone on without this thread."""
    match state.get("damage"):
        case {"node": str(node), "found": str(found)} if found:
            return Damage(node=node, found=found)
    try:
        sound(OrderState, state)
    except StateDamagedError as error:
        return Damage(node="rebuild", found=error.found)
    return None


def _stopped_at(state: OrderState, damage: Damage | None) -> str | None:
    """The node from which the thread came here."""
    known = damage or state.get("damage")  # of release 0.2.0 also where the order had gone on
    return known["node"] if known else state.get("overtaken_at")


def _plain(state: OrderState) -> dict[str, Any]:
    """The state as JSON, whatever is in it."""
    kept: dict[str, Any] = json.loads(json.dumps(state, default=repr, skipkeys=True), parse_constant=str)
    return kept
