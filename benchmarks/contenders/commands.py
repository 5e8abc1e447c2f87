"""The shop's own commands as steps for whichever engine runs them: the same effects on the ledger."""

from typing import Any, cast

from sqlalchemy.orm import Session

from agent.approvals.chains import case_for_order
from agent.approvals.models import ApprovalView
from agent.approvals.seen import Seen
from agent.commerce.commands import Denial, NewOrder, PlaceOrder
from agent.commerce.locks import locked
from agent.commerce.order_risk import risk_of
from agent.commerce.orders import leave_out, move_on
from agent.commerce.parcels import LEFT
from agent.commerce.queries import customer_history
from agent.commerce.views import order_view
from agent.identity import Caller
from agent.order_processing.nodes import follow
from agent.order_processing.presentation import approval_action
from agent.services import services


class NotDoneError(Exception):
    """A step ended otherwise than these orders should."""


class Commands:
    """An order's steps, each of which may be run again: its effect is asked for by key."""

    async def place(self, order: dict[str, Any]) -> list[int]:
        """Write the order; the numbers of its lines."""
        new = NewOrder.model_validate(order)
        key = f"order:{new.order_id}:place"
        command = PlaceOrder(key=key, actor=new.customer_id, subject=new.customer_id, order=new)
        placed = await (await services()).commerce.place(command)
        if isinstance(placed, Denial):
            raise NotDoneError(f"{placed.rule}: {placed.sentence}")
        return [line["number"] for line in placed["lines"]]

    async def reserve_line(self, order_id: str, line: int) -> None:
        """Hold the stock of a line."""
        await (await services()).orders.reserve_line(order_id, line)

    async def assess(self, order_id: str) -> dict[str, Any] | None:
        """All lines are held; the request that people are shown, or None when nobody need say yes."""
        shop = await services()

        def assessed(session: Session) -> ApprovalView | None:
            order, now = locked(session, order_id), shop.database.clock()
            leave_out(session, order, [])
            risk = risk_of(session, order, shop.settings.order_sum_hours)
            case = case_for_order(order.total + risk.unapproved, risk.score)
            move_on(session, order, "awaiting_approval" if case else "approved", "process", now)
            if case is None:
                return None
            history = customer_history(session, order.customer_id, now)
            return shop.approvals.open_in(
                session, approval_action(order_view(session, order), risk, history), case,
                key=f"order:{order.id}", subject=order.customer_id, order_id=order.id, thread_id="",
                asked_by=order.placed_by,
            )  # fmt: skip

        return cast("dict[str, Any] | None", await shop.database.write(assessed))

    async def decide(self, order_id: str, asked: dict[str, Any], said: dict[str, Any]) -> None:
        """Take the yes of the order manager, who saw this request. An engine knows no callers: it takes our word."""
        shop, request = await services(), cast("ApprovalView", asked)

        def decided(session: Session) -> ApprovalView:
            answered = shop.approvals.decide_in(
                session, request["request_id"], request["action_hash"], said,
                Caller("order-manager-1", "order_manager"), seen=Seen(request, "interrupt"),
            )  # fmt: skip
            order = locked(session, order_id)
            if order.stage == "awaiting_approval":
                follow(session, answered, order, shop.database.clock())
            return answered

        answered = await shop.database.write(decided)
        if answered["status"] != "approved":
            raise NotDoneError(f"the request is {answered['status']}: {answered['refused']}")

    async def charge(self, order_id: str) -> list[str]:
        """Take the money; the parcels that are to leave."""
        taken = await (await services()).payments.capture(order_id)
        if taken.outcome != "captured":
            raise NotDoneError(f"the payment was {taken.outcome}")
        return taken.parcels

    async def ship(self, order_id: str, parcel_id: str) -> None:
        """Give a parcel to the carrier."""
        sent = await (await services()).fulfilment.book(parcel_id, order_id)
        if sent.outcome not in LEFT:
            raise NotDoneError(f"the parcel is {sent.outcome}")

    async def complete(self, order_id: str) -> str:
        """Join the parcels."""
        return str(await (await services()).fulfilment.join(order_id))
