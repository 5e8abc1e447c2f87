"""What happens to an order is notified of in the transaction in which it happens, and once."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from agent.commerce.commands import MarkHandedOver
from agent.notifications.notify import LONGEST_KEY, NO_CONVERSATION, notification_key
from agent.services import Services
from tests.support import steps
from tests.support.clock import Clock
from tests.support.commands import refund_payment
from tests.support.outside import NEVER_TAKEN, readdress, the_van_comes
from tests.support.scenes import TOTAL, approved, ask, booked, cancel, denies, dump, new_order, paid, unreachable, wire

Act = Callable[[Services], Awaitable[None]]

EAST, WEST = "A-1/east", "A-1/west"


async def noted(shop: Services) -> dict[str, dict[str, Any]]:
    """The facts of each notification, by its key."""
    return {row["key"]: row["facts"] for row in (await dump(shop))["notices"]}


async def deferred(shop: Services) -> None:
    await approved(shop, new_order())
    for _ in range(2):
        await shop.payments.park("A-1")


async def declined(shop: Services) -> None:
    await approved(shop, new_order(method="ada_declines"))
    for _ in range(2):
        await shop.payments.capture("A-1")


async def declined_by_gift_card(shop: Services) -> None:
    await approved(shop, new_order(method="ada_gift"))
    for _ in range(2):
        await shop.payments.capture("A-1")


async def refused(shop: Services) -> None:
    await paid(shop, new_order())
    await steps.plan(shop, "A-1")
    await readdress(shop, "A-1", NEVER_TAKEN)
    for _ in range(2):
        await shop.fulfilment.book(WEST)


async def refunded(shop: Services) -> None:
    await paid(shop, new_order())
    await refund_payment(shop, "A-1", 10_00)
    for _ in range(2):
        await shop.debts.settle()


async def refunded_to_a_gift_card(shop: Services) -> None:
    await paid(shop, new_order(method="ada_gift", lines={"CANDLE-SMALL": 4}))
    for _ in range(2):
        await refund_payment(shop, "A-1", 9_00)


async def refunded_by_hand(shop: Services) -> None:
    await paid(shop, new_order())
    await refund_payment(shop, "A-1", 10_00)
    for _ in range(2):
        await steps.decide_debt(shop, "r1:A-1:pay:1", by_hand=True)


async def cancelled(shop: Services) -> None:
    await approved(shop, new_order())
    await cancel(shop)
    await shop.orders.compensate("A-1", "CANCELLED")


async def too_late(shop: Services) -> None:
    await booked(shop, new_order(lines={"LAMP-OAK": 2}))
    await cancel(shop)
    await the_van_comes(shop)
    for _ in range(2):
        await shop.debts.settle()


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (deferred, {"payment.deferred:A-1": {}}),
        (declined, {"payment.declined:A-1:pay:1": {"rule": "PAYMENT-DECLINED"}}),
        (declined_by_gift_card, {"payment.declined:A-1:pay:1": {"rule": "PAYMENT-GIFT-COVERS"}}),
        (refused, {f"parcel.refused:{WEST}": {"parcel_id": WEST, "amount": 95_00}}),
        (refunded, {"refund.settled:r1:A-1:pay:1": {"amount": 10_00}}),
        (refunded_to_a_gift_card, {"refund.settled:r1:A-1:pay:1": {"amount": 9_00}}),
        (refunded_by_hand, {"refund.settled:r1:A-1:pay:1": {"amount": 10_00}}),
        (cancelled, {"order.cancelled:A-1": {"rule": "CUSTOMER-CANCELLED"}}),
        (too_late, {"cancel.refused:A-1": {"rule": "CANCEL-STATUS"}}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_what_happened_is_noted_once(shop: Services, act: Act, expected: dict[str, Any]) -> None:
    await act(shop)
    assert await noted(shop) == expected


async def test_a_parcel_that_left_is_noted_with_its_tracking_id(shop: Services) -> None:
    await booked(shop, new_order())
    for _ in range(2):
        await ask(shop, MarkHandedOver, parcel_id=EAST)
    tracking_id = (await shop.queries.get("A-1"))["parcels"][0]["tracking_id"]
    assert await noted(shop) == {f"parcel.shipped:{EAST}": {"parcel_id": EAST, "tracking_id": tracking_id}}


async def test_a_notification_is_for_the_orders_customer_and_due_now(shop: Services, clock: Clock) -> None:
    await cancelled(shop)
    [row] = (await dump(shop))["notices"]
    assert (row["customer_id"], row["order_id"], row["at"], row["next_at"]) == ("ada_park", "A-1", clock(), clock())
    assert (row["thread_id"], row["sent"], row["attempts"]) == (NO_CONVERSATION, False, 0)


async def test_an_order_that_waits_to_be_undone_is_not_said_to_be_cancelled(shop: Services) -> None:
    await booked(shop, new_order())
    await cancel(shop)
    assert await noted(shop) == {}
    await shop.debts.settle("A-1")
    assert set(await noted(shop)) == {"order.cancelled:A-1", "refund.settled:A-1:pay:1:rest"}


async def test_a_refund_that_failed_notifies_nobody(shop: Services) -> None:
    await paid(shop, new_order())
    await refund_payment(shop, "A-1", TOTAL)
    with wire(shop.providers.clients[0], request=unreachable):
        await shop.debts.settle()
    assert await noted(shop) == {}


async def test_what_was_denied_is_not_noted(shop: Services) -> None:
    await booked(shop, new_order())
    await cancel(shop)
    with denies("ORDER-STAGE"):
        await ask(shop, MarkHandedOver, parcel_id=EAST)
    assert await noted(shop) == {}


def test_long_names_that_begin_alike_are_told_apart() -> None:
    keys = {notification_key("refund.settled", "x" * 200 + end) for end in ("1", "2")}
    assert len(keys) == 2
    assert max(map(len, keys)) <= LONGEST_KEY
