"""Commands as tests give them: run by the shop, and raised as `PolicyDenied` where it denies.

For tests that care about what came of a command, not about the form of its answer.
"""

from typing import Any, cast

from agent.commerce.commands import CancelOrder, Command, Denial, MarkHandedOver, NewOrder, PlaceOrder, RefundPayment
from agent.commerce.views import OrderView
from agent.ledger.database import PolicyDenied
from agent.services import Services


async def done(shop: Services, command: Command) -> dict[str, Any]:
    """What the command changed."""
    answer = await shop.commerce.run(command)
    if isinstance(answer, Denial):
        raise PolicyDenied(answer.rule, answer.sentence)
    return answer


async def place_order(shop: Services, order: NewOrder, actor: str = "storefront") -> OrderView:
    """The order, placed under its own key."""
    key = f"order:{order.order_id}:place"
    answer = await done(shop, PlaceOrder(key=key, actor=actor, subject=order.customer_id, order=order))
    return cast(OrderView, answer)


async def cancel_order(
    shop: Services,
    order_id: str,
    reason: str | None = "no longer needed",
    subject: str = "ada_park",
    key: str = "k1",
) -> OrderView:
    """The order, cancelled by its customer's own word."""
    command = CancelOrder(key=key, actor=subject, subject=subject, order_id=order_id, reason=reason)
    return cast(OrderView, await done(shop, command))


async def refund_payment(
    shop: Services, order_id: str, amount: int, *, subject: str = "ada_park", key: str = "r1"
) -> None:
    """Money given back, as if everybody had approved it."""
    await done(shop, RefundPayment(key=key, actor=subject, subject=subject, order_id=order_id, amount=amount))


async def hand_over_parcel(shop: Services, parcel_id: str) -> str:
    """The parcel has left; gives its tracking id."""
    key = f"parcel:{parcel_id}:hand-over"
    answer = await done(shop, MarkHandedOver(key=key, actor="warehouse", subject="ada_park", parcel_id=parcel_id))
    return str(next(parcel["tracking_id"] for parcel in answer["parcels"] if parcel["id"] == parcel_id))
