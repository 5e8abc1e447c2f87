"""A payment that its provider will never take is like a declined one; what is our own fault is not."""

import httpx
import pytest

from agent.commerce.payments import BATCH_SIZE
from agent.services import Services
from tests.support import steps
from tests.support.clock import Clock
from tests.support.scenes import (
    approved,
    cancel,
    charges,
    dump,
    entries,
    new_order,
    paid,
    pay_by,
    recard,
    replace,
    wire,
)

CURTAIN = {"CURTAIN-MEDIUM": 2}


async def gone(shop: Services) -> None:
    """An order whose card was removed at the provider."""
    await recard(shop, "ada_card", "tok_gone")
    await approved(shop, new_order())


async def test_a_card_that_is_gone_is_declined_by_its_own_rule(shop: Services) -> None:
    await gone(shop)
    assert (await shop.payments.capture("A-1")).outcome == "declined"
    assert (await shop.queries.get("A-1"))["stage"] == "declined"
    assert await shop.payments.declined("A-1") == ("PAYMENT-REJECTED", True)
    [notice] = [row for row in (await dump(shop))["notices"] if row["event"] == "payment.declined"]
    assert notice["facts"] == {"rule": "PAYMENT-REJECTED"}


async def test_another_method_pays_instead(shop: Services) -> None:
    await gone(shop)
    await shop.payments.capture("A-1")
    await pay_by(shop, "A-1", "ada_slow")
    await steps.move(shop, "A-1", "approved")
    assert (await shop.payments.capture("A-1")).outcome == "captured"
    assert await entries(shop) == [("capture", 233_00)]


async def test_after_so_many_rejections_the_order_is_undone(shop: Services) -> None:
    await gone(shop)
    await recard(shop, "ada_slow", "tok_gone")
    for method in ("ada_slow", "ada_card", None):
        assert (await shop.payments.capture("A-1")).outcome == "declined"
        if method:
            await pay_by(shop, "A-1", method, key=method)
            await steps.move(shop, "A-1", "approved")
    assert await shop.payments.declined("A-1") == ("PAYMENT-REJECTED", False)


async def test_a_rejected_order_is_cancelled_without_a_word_to_the_provider(shop: Services) -> None:
    await gone(shop)
    await shop.payments.capture("A-1")
    assert (await cancel(shop))["stage"] == "cancelled"
    assert await shop.debts.settle("A-1") == {}
    assert await charges(shop) == []


@pytest.mark.parametrize("status", [401, 403, 409])
async def test_what_is_our_own_fault_is_no_decline(shop: Services, status: int) -> None:
    """A wrong key of ours must not undo the orders of all our customers."""
    await approved(shop, new_order())

    async def refused(response: httpx.Response) -> None:
        response.status_code = status

    with wire(shop.providers.clients[0], response=refused), pytest.raises(Exception, match=str(status)):
        await shop.payments.capture("A-1")
    assert (await shop.queries.get("A-1"))["stage"] == "approved"
    assert [ticket["topic"] for ticket in (await dump(shop))["tickets"]] == ["billing"]


async def test_a_rejected_difference_is_declined_as_well(shop: Services) -> None:
    await paid(shop, new_order(lines=CURTAIN))
    await recard(shop, "ada_slow", "tok_gone")
    await replace(shop, "A-1", ("CURTAIN-MEDIUM", "CURTAIN-LONG"), method="ada_slow")
    assert await shop.payments.collect("A-1") == {"c1": "declined"}
    [notice] = [row for row in (await dump(shop))["notices"] if row["event"] == "difference.declined"]
    assert notice["facts"] == {"rule": "PAYMENT-REJECTED", "amount": 24_00}


async def test_money_of_a_payment_that_was_given_up_is_owed_back_at_once(shop: Services) -> None:
    """The provider finds later that it took it: the order waits for another method, and nobody pays twice."""
    await gone(shop)
    await shop.payments.capture("A-1")
    await recard(shop, "ada_card", "tok_approve")
    headers = {"Idempotency-Key": "A-1:pay:1"}
    body = {"amount": 233_00, "currency": "USD", "token": "tok_approve"}
    await shop.providers.clients[0].post("/charges", json=body, headers=headers)
    assert await shop.payments.look_up("A-1:pay:1") == "A-1"
    assert (await shop.queries.get("A-1"))["stage"] == "declined"
    assert await shop.debts.settle("A-1") == {"A-1:pay:1:rest": "settled"}
    await pay_by(shop, "A-1", "ada_slow")
    await steps.move(shop, "A-1", "approved")
    assert (await shop.payments.capture("A-1")).outcome == "captured"
    assert sum(amount for _, amount in await entries(shop)) == 233_00


async def test_the_longest_due_payment_is_asked_for_first_and_none_keeps_others_waiting(
    shop: Services, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert BATCH_SIZE == 500
    monkeypatch.setattr("agent.commerce.payments.BATCH_SIZE", 2)
    await recard(shop, "ada_card", "tok_down")
    orders = [f"A-{n}" for n in range(4)]
    for n, order_id in enumerate(orders):
        await paid(shop, new_order(order_id, method="ada_slow", lines=CURTAIN))
        bad = n < len(orders) - 1
        method = "ada_card" if bad else "ada_lost"
        if not bad:
            await recard(shop, "ada_lost", "tok_approve")
        await replace(shop, order_id, ("CURTAIN-MEDIUM", "CURTAIN-LONG"), method=method, key=f"change-{n}")
        clock.advance(seconds=1)
    first = await shop.payments.collect()
    assert list(first) == ["change-0", "change-1"]
    second = await shop.payments.collect()
    assert second["change-3"] == "captured"


async def test_a_payment_that_is_not_answered_is_asked_for_less_and_less_often(shop: Services, clock: Clock) -> None:
    await paid(shop, new_order(method="ada_slow", lines=CURTAIN))
    await recard(shop, "ada_card", "tok_down")
    await replace(shop, "A-1", ("CURTAIN-MEDIUM", "CURTAIN-LONG"))
    asked = 0
    for _ in range(24 * 60):
        shop.breakers["payment"].reset()
        asked += len(await shop.payments.collect())
        clock.advance(minutes=5)
        if clock.now.day > 2:
            break
    assert asked < 36 + 10  # in a day and a half: once an hour after the first few
    clock.advance(days=3)
    await shop.payments.collect()
    assert [ticket["topic"] for ticket in (await dump(shop))["tickets"]] == ["billing"]
