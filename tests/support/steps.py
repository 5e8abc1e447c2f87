"""Steps of an order's process that its graph takes inside larger transactions, each in one of its own.

For tests that begin, or look, between two of the graph's steps.
"""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.commerce.debt_outcomes import people_decided
from agent.commerce.fulfilment import plan_parcels
from agent.commerce.lifecycle import Cause, Stage
from agent.commerce.locks import locked
from agent.commerce.order_risk import risk_of
from agent.commerce.orders import leave_out, move_on
from agent.commerce.price_payments import outcome_of, price_outcome
from agent.commerce.views import OrderView, order_view
from agent.ledger.tables import OrderRow
from agent.services import Services


async def reserved(shop: Services, order_id: str, *, short: Sequence[int]) -> OrderView:
    """All lines are held but the `short` ones; an order that is past this stays as it is."""

    def act(session: Session) -> OrderView:
        order = locked(session, order_id)
        leave_out(session, order, short)
        if order.stage == "placed":
            move_on(session, order, "reserved", "process", shop.database.clock())
        return order_view(session, order)

    return await shop.database.write(act)


async def move(shop: Services, order_id: str, to: Stage, *, by: Cause = "process") -> OrderView:
    """Move an order on; being there already is fine."""

    def act(session: Session) -> OrderView:
        order = locked(session, order_id)
        move_on(session, order, to, by, shop.database.clock())
        return order_view(session, order)

    return await shop.database.write(act)


async def plan(shop: Services, order_id: str) -> list[str]:
    """Plan the parcels of a paid order; the ids of those that have yet to leave."""

    return await shop.database.write(lambda session: plan_parcels(session, locked(session, order_id)))


async def decide_debt(shop: Services, key: str, *, by_hand: bool) -> None:
    """People have said what becomes of a debt past its limit."""
    await shop.database.write(lambda session: people_decided(session, key, by_hand=by_hand, now=shop.database.clock()))


async def payment_outcome(shop: Services, order_id: str) -> str:
    """How the order's own price stands."""
    return await shop.database.read(lambda session: outcome_of(session.scalar(select(price_outcome(order_id)))))


async def risk_score(shop: Services, order_id: str) -> int:
    """The risk score of an order."""
    return await shop.database.read(lambda session: risk_of(session, session.get_one(OrderRow, order_id)).score)
