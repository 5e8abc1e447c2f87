"""An order whose payment was declined waits for another method: not too often, not too long."""

from datetime import timedelta

import pytest

from agent.commerce.payments import ATTEMPTS
from agent.providers.payment import PaymentNotSentError
from agent.services import Services
from tests.support import steps
from tests.support.clock import Clock
from tests.support.scenes import approved, cancel, charges, denies, dump, entries, new_order, pay_by, recard


@pytest.fixture
async def declined(shop: Services) -> None:
    """A-1: its card was declined."""
    await approved(shop, new_order(method="ada_declines"))
    assert (await shop.payments.capture("A-1")).outcome == "declined"


async def try_another(shop: Services, method: str, key: str = "c1") -> str:
    """What comes of another method of the customer's."""
    order = await pay_by(shop, "A-1", method, key=key)
    assert order["stage"] == "reserved"
    await steps.move(shop, "A-1", "approved")
    return (await shop.payments.capture("A-1")).outcome


async def waiting(shop: Services) -> list[str]:
    return [order["id"] for order in await shop.queries.unfinished(stale_seconds=0)]


@pytest.mark.usefixtures("declined")
async def test_a_declined_order_holds_its_stock_and_waits_for_another_method(shop: Services) -> None:
    order = await shop.queries.get("A-1")
    assert (order["stage"], order["status"]) == ("declined", "pending")
    assert {line["reservation"] for line in order["lines"]} == {"held"}
    assert (await shop.payments.declined("A-1"))[1]


@pytest.mark.usefixtures("declined")
async def test_another_method_pays_under_a_key_of_its_own(shop: Services) -> None:
    assert await try_another(shop, "ada_card") == "captured"
    assert [(charge.key, charge.status) for charge in await charges(shop)] == [
        ("A-1:pay:1", "declined"),
        ("A-1:pay:2", "captured"),
    ]
    assert [kind for kind, _ in await entries(shop)] == ["capture"]
    assert (await shop.queries.get("A-1"))["stage"] == "paid"
    assert await steps.plan(shop, "A-1")  # what was declined keeps nothing back
    assert (await shop.fulfilment.book("A-1/east")).outcome == "booked"


@pytest.mark.usefixtures("declined")
async def test_the_method_that_was_declined_is_not_asked_again(shop: Services) -> None:
    await recard(shop, "ada_declines", "tok_approve")
    assert (await shop.payments.capture("A-1")).outcome == "declined"
    assert len(await charges(shop)) == 1
    with denies("PAYMENT-DIFFERENT"):
        await pay_by(shop, "A-1", "ada_declines")


@pytest.mark.usefixtures("declined")
async def test_after_so_many_declined_methods_no_other_is_waited_for(shop: Services) -> None:
    for n, method in enumerate(("ada_card", "ada_slow"), 2):
        assert (await shop.payments.declined("A-1"))[1]
        await recard(shop, method, "tok_decline")
        assert await try_another(shop, method, key=f"c{n}") == "declined"
    assert len(await charges(shop)) == ATTEMPTS
    assert not (await shop.payments.declined("A-1"))[1]


@pytest.mark.usefixtures("declined")
async def test_a_declined_order_is_waited_for_from_its_last_decline_on_and_then_taken_on(
    shop: Services, clock: Clock
) -> None:
    wait = timedelta(seconds=shop.settings.payment_wait_seconds)
    clock.now += wait - timedelta(seconds=1)
    assert (await shop.payments.declined("A-1"))[1]
    assert await waiting(shop) == []
    clock.advance(seconds=2)
    assert not (await shop.payments.declined("A-1"))[1]
    assert await waiting(shop) == ["A-1"]


async def test_what_declines_late_is_waited_for_as_long(shop: Services, clock: Clock) -> None:
    """The time runs from the answer, not from the asking."""
    await approved(shop, new_order(method="ada_down"))
    with pytest.raises(PaymentNotSentError):
        await shop.payments.capture("A-1")
    clock.advance(days=2)
    await recard(shop, "ada_down", "tok_decline")
    assert (await shop.payments.capture("A-1")).outcome == "declined"
    assert (await shop.payments.declined("A-1"))[1]


@pytest.mark.usefixtures("declined")
async def test_a_customer_may_cancel_instead(shop: Services) -> None:
    assert (await cancel(shop))["stage"] == "cancelled"
    assert await shop.debts.settle("A-1") == {}
    assert (await dump(shop))["debts"] == []


@pytest.mark.parametrize(
    ("method", "rule"), [("ada_declines", "PAYMENT-DECLINED"), ("ada_gift", "PAYMENT-GIFT-COVERS")]
)
async def test_the_rule_behind_a_decline_is_told(shop: Services, method: str, rule: str) -> None:
    await approved(shop, new_order(method=method))
    assert (await shop.payments.capture("A-1")).outcome == "declined"
    assert (await shop.payments.declined("A-1"))[0] == rule
    assert (await shop.queries.get("A-1"))["stage"] == "declined"


async def test_an_order_without_a_payment_waits_for_none(shop: Services) -> None:
    await approved(shop, new_order())
    assert not (await shop.payments.declined("A-1"))[1]
