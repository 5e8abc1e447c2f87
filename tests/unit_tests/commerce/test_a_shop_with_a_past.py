"""A shop that moves in with payments of a real provider's: they are looked up there, and refunded there."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from agent import services as composition
from agent.commerce.commands import CancelOrder
from agent.commerce.shop_document import Shop
from agent.commerce.shop_import import catalogue, import_shop
from agent.providers.payment import Attempt
from agent.providers.stripe import StripeProvider
from agent.services import Services
from agent.shop import SHOP
from tests.support.clock import Clock
from tests.support.ledgers import home
from tests.support.serving import PATIENCE
from tests.support.stripe_stub import StripeStub


@dataclass(frozen=True)
class House:
    """An empty ledger beside an account at Stripe, and a shop of one pending order that was paid there."""

    services: Services
    stub: StripeStub
    shop: Shop

    async def move_in(self, shop: Shop | None = None) -> None:
        await import_shop(self.services.database, self.services.providers.payments[0], shop or self.shop)

    async def cancel(self) -> None:
        [order] = self.shop.orders
        who = order.customer_id
        cancelled = await self.services.commerce.run(
            CancelOrder(key="c1", actor=who, subject=who, order_id=order.id, reason="no longer needed")
        )
        assert cancelled["status"] == "cancelled"  # type: ignore[index]
        await self.services.debts.settle(order.id)

    def refunded(self) -> list[tuple[str, int]]:
        return [(each.payment_intent, each.amount) for each in self.stub.all("refund")]


@pytest.fixture
async def house(tmp_path: Path, clock: Clock) -> AsyncIterator[House]:
    stub = StripeStub()
    async with stub.serving(), httpx.AsyncClient() as client:
        order = next(
            each for each in catalogue().orders if each.status == "pending" and "gift" not in each.payment_method_id
        )
        token = f"{stub.customer()}/pm_card_visa"
        elsewhere = StripeProvider(client, "sk_test_past", "whsec_past", PATIENCE, url=stub.url)
        paid = await elsewhere.capture(Attempt("their-own-key", order.total, SHOP.currency, token))
        for intent in stub.all("payment_intent"):
            intent.metadata = {}  # whoever made it knows nothing of our keys
        shop = catalogue().model_copy(update={"orders": (order.model_copy(update={"payment_id": paid.provider_id}),)})
        with home(
            tmp_path / "empty",
            payment_provider="stripe",
            stripe_url=stub.url,
            stripe_api_key=SecretStr("sk_test_past"),
        ) as config:
            built = await composition.build(config, clock)
            yield House(built, stub, shop)
            await built.close()


async def test_a_cancel_is_refunded_where_it_was_paid(house: House) -> None:
    await house.move_in()
    await house.cancel()
    [order] = house.shop.orders
    assert house.refunded() == [(order.payment_id, order.total)]


async def test_the_comparison_finds_it_by_the_providers_own_id(house: House) -> None:
    await house.move_in()
    assert await house.services.comparison.compare(house.services.database.clock().replace(year=2000)) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"payment_id": "pi_nobodys"}, f"stripe has no such payment in {SHOP.currency}"),
        ({"lines": ()}, "taken by it, not"),
    ],
)
async def test_a_payment_that_is_not_there_or_not_that_much_moves_nobody_in(
    house: House, change: dict[str, object], told: str
) -> None:
    [order] = house.shop.orders
    if "lines" in change:
        change = {"lines": (order.lines[0],)}
    wrong = house.shop.model_copy(update={"orders": (order.model_copy(update=change),)})
    with pytest.raises(ValueError, match=f"{order.id}.*{told}"):
        await house.move_in(wrong)
    assert await house.services.queries.of_customer(order.customer_id) == []


async def test_a_payment_that_the_provider_does_not_know_by_is_given_back_by_people(house: House) -> None:
    [order] = house.shop.orders
    await house.move_in(house.shop.model_copy(update={"orders": (order.model_copy(update={"payment_id": None}),)}))
    await house.cancel()
    assert house.refunded() == []
    [debt] = await house.services.debts.past_limit()
    assert (debt.order_id, debt.amount) == (order.id, order.total)
