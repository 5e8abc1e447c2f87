"""The sandbox and Stripe beside one another: a payment is asked for where its method has a token, and nowhere else."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack

import pytest
from pydantic import SecretStr

from agent import services as composition
from agent.ledger.tables import PaymentMethodRow
from agent.providers.payment import PaymentNotSentError, PaymentUnknownError
from agent.services import Services
from agent.settings import Settings
from tests.support.clock import Clock
from tests.support.goods import W1002
from tests.support.scenes import (
    TOTAL,
    approved,
    cancel,
    charges,
    dump,
    entries,
    network,
    new_order,
    paid,
    replace,
    unreachable,
    wire,
)
from tests.support.stripe_stub import Fault, StripeStub

SANDBOX, STRIPE = 0, 1
"""Which of the shop's clients is whose."""

BOTH = ("sandbox", "stripe")

Building = Callable[[str, str], Awaitable[Services]]


@pytest.fixture
async def stub() -> AsyncIterator[StripeStub]:
    made = StripeStub()
    async with made.serving():
        yield made


@pytest.fixture
async def with_stripe(config: Settings, clock: Clock, stub: StripeStub) -> AsyncIterator[Building]:
    """Builds the demo shop with both."""
    async with AsyncExitStack() as built:

        async def build(first: str, second: str) -> Services:
            named = {"payment_provider": first, "second_payment_provider": second, "stripe_url": stub.url}
            shop = await composition.build(
                config.model_copy(update=named | {"stripe_api_key": SecretStr("sk_test_both")}), clock
            )
            built.push_async_callback(shop.close)
            return shop

        yield build


@pytest.fixture
async def shop(with_stripe: Building) -> Services:
    """The sandbox is asked first, and Stripe when that surely took nothing."""
    return await with_stripe("sandbox", "stripe")


def tokens(shop: Services, stub: StripeStub, names: Sequence[str] = BOTH, method: str = "ada_card") -> None:
    """From now on the method has a token at these providers."""
    all_of_them = {"sandbox": "tok_approve", "stripe": f"{stub.customer()}/pm_card_visa", "elsewhere": "card-1"}
    with shop.database.writing() as session:
        row = session.get_one(PaymentMethodRow, method)
        row.token, row.tokens = "", {name: all_of_them[name] for name in names}


def taken_by_stripe(stub: StripeStub) -> list[int]:
    return [each.amount for each in stub.all("charge") if each.status == "succeeded"]


async def taken(shop: Services, stub: StripeStub) -> tuple[list[int], list[int]]:
    """What the sandbox and Stripe captured of the order."""
    return [each.amount for each in await charges(shop) if each.status == "captured"], taken_by_stripe(stub)


async def payment(shop: Services) -> tuple[str | None, str, str | None]:
    """Who may know of the order's only attempt, how it stands, and by which rule."""
    [row] = [row for row in (await dump(shop))["payments"] if row["order_id"] == "A-1"]
    return row["provider"], row["outcome"], row["reason"]


async def test_stripe_takes_over_by_its_own_token_and_gives_the_money_back(shop: Services, stub: StripeStub) -> None:
    tokens(shop, stub)
    await approved(shop, new_order())
    with wire(shop.providers.clients[SANDBOX], request=unreachable):
        assert (await shop.payments.capture("A-1")).outcome == "captured"
    assert await taken(shop, stub) == ([], [TOTAL])
    assert await payment(shop) == ("stripe", "captured", None)

    await cancel(shop)
    await shop.debts.settle("A-1")
    assert [each.amount for each in stub.all("refund")] == [TOTAL]
    assert sum(amount for _, amount in await entries(shop)) == 0


async def test_the_sandbox_takes_over_from_stripe(with_stripe: Building, stub: StripeStub) -> None:
    shop = await with_stripe("stripe", "sandbox")
    tokens(shop, stub)
    await approved(shop, new_order())
    with wire(shop.providers.clients[STRIPE], request=unreachable):
        assert (await shop.payments.capture("A-1")).outcome == "captured"
    assert await taken(shop, stub) == ([TOTAL], [])
    assert await payment(shop) == ("sandbox", "captured", None)


async def test_a_token_without_a_name_is_the_firsts_and_is_not_shown_to_the_second(
    shop: Services, stub: StripeStub
) -> None:
    await approved(shop, new_order())
    with wire(shop.providers.clients[SANDBOX], request=unreachable), pytest.raises(PaymentNotSentError):
        await shop.payments.capture("A-1")
    assert await payment(shop) == (None, "open", None)
    assert (await shop.payments.capture("A-1")).outcome == "captured"
    assert await taken(shop, stub) == ([TOTAL], [])
    assert stub.requests == []


async def test_a_method_of_the_second_alone_is_asked_for_there_alone(shop: Services, stub: StripeStub) -> None:
    tokens(shop, stub, ["stripe"])
    await paid(shop, new_order())
    assert await taken(shop, stub) == ([], [TOTAL])
    assert await payment(shop) == ("stripe", "captured", None)


async def test_a_method_that_nobody_takes_is_rejected_and_another_may_be_named(
    shop: Services, stub: StripeStub
) -> None:
    tokens(shop, stub, ["elsewhere"])
    await approved(shop, new_order())
    assert (await shop.payments.capture("A-1")).outcome == "declined"
    assert await payment(shop) == (None, "declined", "PAYMENT-REJECTED")
    assert (await shop.queries.get("A-1"))["stage"] == "declined"
    assert await taken(shop, stub) == ([], [])


async def test_what_a_change_costs_is_taken_over_as_well(shop: Services, stub: StripeStub) -> None:
    tokens(shop, stub)
    await paid(shop, new_order())
    await replace(shop, "A-1", ("LAMP-OAK", "LAMP-BRASS"))
    with wire(shop.providers.clients[SANDBOX], request=unreachable):
        assert await shop.payments.collect("A-1") == {"c1": "captured"}
    assert await taken(shop, stub) == ([TOTAL], [20_00])


async def test_a_payment_that_stripe_has_not_decided_is_looked_at_and_not_asked_for_again(
    shop: Services, stub: StripeStub
) -> None:
    tokens(shop, stub, ["stripe"])
    await approved(shop, new_order())
    stub.faults.append(Fault("/confirm", after=True))
    with pytest.raises(PaymentUnknownError):
        await shop.payments.capture("A-1")
    [charge] = stub.all("charge")
    charge.status, asked = "pending", len(stub.requests)

    with pytest.raises(PaymentUnknownError, match="stripe has not decided yet"):
        await shop.payments.capture("A-1")
    assert {seen.call.partition(" ")[0] for seen in stub.requests[asked:]} == {"GET"}
    assert await payment(shop) == ("stripe", "unknown", None)
    assert await shop.payments.look_up("A-1:pay:1") == "A-1"
    assert await payment(shop) == ("stripe", "unknown", None)

    charge.status = "succeeded"
    assert (await shop.payments.capture("A-1")).outcome == "captured"
    assert await taken(shop, stub) == ([], [TOTAL])


async def test_one_that_never_came_to_stripe_is_asked_for_there_again(shop: Services, stub: StripeStub) -> None:
    """The request that was lost may still come: no other provider is asked, whatever the look-up says."""
    tokens(shop, stub)
    await approved(shop, new_order())
    stub.faults.append(Fault("/payment_intents"))
    with wire(shop.providers.clients[SANDBOX], request=unreachable), pytest.raises(PaymentUnknownError):
        await shop.payments.capture("A-1")
    with wire(shop.providers.clients[STRIPE], request=unreachable), pytest.raises(PaymentNotSentError):
        await shop.payments.capture("A-1")
    assert (await shop.payments.capture("A-1")).outcome == "captured"
    assert await taken(shop, stub) == ([], [TOTAL])


async def test_a_credit_is_not_paid_at_a_provider_of_which_the_method_has_no_token(
    shop: Services, stub: StripeStub
) -> None:
    tokens(shop, stub, ["stripe"], method="ada_slow")
    await replace(shop, W1002, ("LAMP-BRASS", "LAMP-OAK"), method="ada_slow")
    assert await shop.debts.settle(W1002) == {"c1:0": "owed"}
    assert (await network(shop)).credits == []
