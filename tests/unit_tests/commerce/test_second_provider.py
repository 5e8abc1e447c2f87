"""Two providers: the second is asked only when the first surely took nothing, and nobody else may have asked it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from agent.providers.payment import PaymentNotSentError, PaymentUnknownError
from agent.resilience import CircuitOpenError
from agent.services import Services
from tests.support import steps
from tests.support.clock import Clock
from tests.support.outside import at_providers, only, with_second
from tests.support.scenes import (
    TOTAL,
    approved,
    cancel,
    dump,
    entries,
    lost,
    network,
    new_order,
    paid,
    unreachable,
    wire,
)


@pytest.fixture
async def shop(shop: Services) -> AsyncIterator[Services]:
    """The demo shop with two card networks."""
    both = with_second(shop)
    yield both
    await both.providers.clients[1].aclose()


async def taken(shop: Services) -> list[list[int]]:
    """What each network captured of the order."""
    books = [await network(shop, which) for which in (0, 1)]
    return [
        [charge.amount for charge in book.charges if charge.key.startswith("A-1:") and charge.status == "captured"]
        for book in books
    ]


async def provider(shop: Services) -> Any:
    """Who may know of the order's only attempt."""
    [found] = [row["provider"] for row in (await dump(shop))["payments"] if row["order_id"] == "A-1"]
    return found


async def test_the_first_is_asked_first(shop: Services) -> None:
    await paid(shop, new_order())
    assert await taken(shop) == [[TOTAL], []]
    assert await provider(shop) == "sandbox"


async def test_the_second_takes_over_when_the_first_cannot_be_reached(shop: Services) -> None:
    await approved(shop, new_order())
    with wire(shop.providers.clients[0], request=unreachable):
        assert (await shop.payments.capture("A-1")).outcome == "captured"
    assert await taken(shop) == [[], [TOTAL]]
    assert (await provider(shop), await entries(shop)) == ("second", [("capture", TOTAL)])


async def test_an_attempt_that_both_refuse_unread_is_known_to_nobody(shop: Services) -> None:
    await approved(shop, new_order(method="ada_down"))
    with pytest.raises(PaymentNotSentError):
        await shop.payments.capture("A-1")
    assert await provider(shop) is None


async def test_the_second_takes_over_while_the_firsts_circuit_is_open(shop: Services) -> None:
    await approved(shop, new_order())
    shop.breakers["payment"].force_open()
    assert (await shop.payments.capture("A-1")).outcome == "captured"
    assert await taken(shop) == [[], [TOTAL]]


async def test_when_nobody_can_be_asked_the_next_time_begins_with_the_first(shop: Services) -> None:
    await approved(shop, new_order())
    for name in ("payment", "second-payment"):
        shop.breakers[name].force_open()
    with pytest.raises(CircuitOpenError):
        await shop.payments.capture("A-1")
    assert (await provider(shop), await steps.payment_outcome(shop, "A-1")) == (None, "deferred")
    for name in ("payment", "second-payment"):
        shop.breakers[name].reset()
    assert (await shop.payments.capture("A-1")).outcome == "captured"
    assert await taken(shop) == [[TOTAL], []]


async def test_a_decline_is_an_answer_and_nobody_else_is_asked(shop: Services) -> None:
    await approved(shop, new_order(method="ada_declines"))
    assert (await shop.payments.capture("A-1")).outcome == "declined"
    assert (await network(shop, 1)).charges == []


async def test_after_a_lost_answer_only_the_first_is_asked_however_often_it_is_away(shop: Services) -> None:
    await approved(shop, new_order())
    with wire(shop.providers.clients[0], response=lost), pytest.raises(PaymentUnknownError):
        await shop.payments.capture("A-1")
    with wire(shop.providers.clients[0], request=unreachable), pytest.raises(PaymentNotSentError):
        await shop.payments.capture("A-1")
    with wire(shop.providers.clients[0], request=only("/charges", unreachable)):
        assert (await shop.payments.capture("A-1")).outcome == "captured"
    assert await taken(shop) == [[TOTAL], []]


async def test_an_attempt_that_may_be_on_its_way_to_the_first_is_made_there_again(shop: Services) -> None:
    """Its process died with the request: the first does not know of it yet, and refuses to be asked again."""
    await approved(shop, new_order())

    class Died(BaseException): ...

    async def die(_: httpx.Request) -> None:
        raise Died

    with wire(shop.providers.clients[0], request=die), pytest.raises(Died):
        await shop.payments.capture("A-1")
    with wire(shop.providers.clients[0], request=only("/charges", unreachable)), pytest.raises(PaymentNotSentError):
        await shop.payments.capture("A-1")
    assert await taken(shop) == [[], []]
    assert (await shop.payments.capture("A-1")).outcome == "captured"
    assert await taken(shop) == [[TOTAL], []]


@pytest.mark.parametrize("of_the_other", [{"response": lost}, {"request": unreachable}], ids=["lost", "refused"])
async def test_the_second_is_not_asked_when_another_worker_began_to_ask_the_first(
    shop: Services, of_the_other: dict[str, Any]
) -> None:
    """One worker's request is refused; before it turns to the second, another has sent one of its own."""
    await approved(shop, new_order())
    others: list[str] = []

    async def another_asks(request: httpx.Request) -> None:
        if not others:
            others.append("asks")
            with (
                wire(shop.providers.clients[0], **of_the_other),
                pytest.raises((PaymentUnknownError, PaymentNotSentError)),
            ):
                await shop.payments.capture("A-1")
        await unreachable(request)

    with wire(shop.providers.clients[0], request=another_asks), pytest.raises(PaymentNotSentError):
        await shop.payments.capture("A-1")
    assert (await network(shop, 1)).charges == []
    assert (await shop.payments.capture("A-1")).outcome == "captured"
    assert await taken(shop) == [[TOTAL], []]


async def test_many_workers_at_once_with_a_first_that_refuses_some_charge_once(shop: Services) -> None:
    await approved(shop, new_order())
    asked = 0

    async def every_other(request: httpx.Request) -> None:
        nonlocal asked
        asked += 1
        if asked % 2:
            await unreachable(request)

    with wire(shop.providers.clients[0], request=every_other):
        await asyncio.gather(*(shop.payments.capture("A-1") for _ in range(4)), return_exceptions=True)
    shop.breakers["payment"].reset()
    assert (await shop.payments.capture("A-1")).outcome == "captured"
    assert sorted(await taken(shop)) == [[], [TOTAL]]
    assert await entries(shop) == [("capture", TOTAL)]


async def test_the_second_is_not_asked_for_an_order_that_was_undone_meanwhile(shop: Services) -> None:
    await approved(shop, new_order())

    async def undone_first(request: httpx.Request) -> None:
        await cancel(shop)
        await unreachable(request)

    with wire(shop.providers.clients[0], request=undone_first), pytest.raises(PaymentNotSentError):
        await shop.payments.capture("A-1")
    await shop.debts.settle("A-1")
    assert await taken(shop) == [[], []]
    assert (await shop.queries.get("A-1"))["stage"] == "cancelled"


async def test_the_provider_that_captured_gives_back(shop: Services) -> None:
    await approved(shop, new_order())
    with wire(shop.providers.clients[0], request=unreachable):
        await shop.payments.capture("A-1")
    await cancel(shop)
    await shop.debts.settle("A-1")
    assert [len((await network(shop, which)).refunds) for which in (0, 1)] == [0, 1]
    assert sum(amount for _, amount in await entries(shop)) == 0


async def test_the_provider_that_may_have_captured_voids(shop: Services) -> None:
    await approved(shop, new_order())
    with (
        wire(shop.providers.clients[0], request=unreachable),
        wire(shop.providers.clients[1], response=lost),
        pytest.raises(PaymentUnknownError),
    ):
        await shop.payments.capture("A-1")
    await cancel(shop)
    await shop.debts.settle("A-1")
    assert (await shop.queries.get("A-1"))["stage"] == "cancelled"
    assert [refund.amount for refund in (await network(shop, 1)).refunds] == [TOTAL]


async def test_what_a_provider_took_that_is_not_configured_any_more_stays_owed(shop: Services, clock: Clock) -> None:
    await approved(shop, new_order())
    with wire(shop.providers.clients[0], request=unreachable):
        await shop.payments.capture("A-1")
    await cancel(shop)
    alone = at_providers(shop, shop.providers.payments[0])
    assert await alone.debts.settle("A-1") == {"A-1:pay:1:rest": "owed"}
    clock.advance(hours=1)
    assert await shop.debts.settle("A-1") == {"A-1:pay:1:rest": "settled"}
    assert [len((await network(shop, which)).refunds) for which in (0, 1)] == [0, 1]
