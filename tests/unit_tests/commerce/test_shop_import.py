"""Importing a shop: everything or nothing, with past money that adds up here and at the card network."""

import re
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError

from agent import services as composition
from agent.commerce.booking import gift_balance
from agent.commerce.shop_document import Shop
from agent.commerce.shop_import import NotEmptyError, import_shop, is_empty
from agent.providers.payment import PaymentNotSentError, PaymentUnknownError
from agent.providers.sandbox import SandboxProvider
from agent.services import Services
from tests.support.clock import Clock
from tests.support.goods import W1001, W1002, W1006, W1008, goods
from tests.support.ledgers import home
from tests.support.scenes import dump, lost, network, unreachable, wire


@pytest.fixture
def document(clock: Clock) -> Shop:
    return goods()


@pytest.fixture
async def house(tmp_path: Path, clock: Clock) -> AsyncIterator[Services]:
    """A house without a shop: an empty ledger, an empty network."""
    with home(tmp_path / "empty", seed_shop=False, payment_timeout_seconds=30) as empty:
        built = await composition.build(empty, clock)
        yield built
        await built.close()


async def move_in(house: Services, document: Shop) -> None:
    await import_shop(house.database, SandboxProvider(house.providers.clients[0], timeout=5), document, pay_again=True)


async def holds_nothing(house: Services) -> bool:
    return not any((await dump(house, "schema_steps")).values())


async def test_what_the_ledger_took_is_what_the_network_took(house: Services, document: Shop) -> None:
    await move_in(house, document)
    ledger, at_network = await dump(house), await network(house)
    captured = {entry["key"]: entry["amount"] for entry in ledger["money_entries"] if entry["kind"] == "capture"}
    assert captured == {charge.key: charge.amount for charge in at_network.charges}
    assert {charge.id for charge in at_network.charges} == {
        payment["provider_id"] for payment in ledger["payments"] if payment["provider_id"]
    }
    assert at_network.refunds == []


async def test_each_past_order_was_paid_in_full_unless_it_was_cancelled(house: Services, document: Shop) -> None:
    await move_in(house, document)
    paid = {payment["order_id"]: payment["amount"] for payment in (await dump(house))["payments"]}
    assert paid == {order.id: order.total for order in document.orders if order.status != "cancelled"}


async def test_what_pending_orders_hold_is_on_top_of_what_can_be_sold(house: Services, document: Shop) -> None:
    await move_in(house, document)
    ledger, held = await dump(house), Counter[str]()
    for line in ledger["order_lines"]:
        if line["reservation"] == "held":
            held[line["sku"]] += line["quantity"]
    assert held.total() > 0
    assert {row["sku"]: row["reserved"] for row in ledger["variants"]} == {
        row["sku"]: held[row["sku"]] for row in ledger["variants"]
    }
    assert {row["sku"]: row["on_hand"] - row["reserved"] for row in ledger["variants"]} == {
        variant.sku: variant.on_hand for product in document.products for variant in product.variants
    }


async def test_pieces_on_lines_of_their_own_are_all_held(house: Services, document: Shop) -> None:
    pending = document.orders[1]
    twice = pending.model_copy(update={"lines": (pending.lines[0], pending.lines[0])})
    await move_in(house, document.model_copy(update={"orders": (twice,)}))
    held = {row["sku"]: row["reserved"] for row in (await dump(house))["variants"] if row["reserved"]}
    assert held == {pending.lines[0].sku: 2}


async def test_a_parcel_that_left_is_known_by_its_tracking_id(house: Services, document: Shop) -> None:
    left = document.orders[0].model_copy(update={"tracking_id": "1Z-0001"})
    await move_in(house, document.model_copy(update={"orders": (left,)}))
    assert [parcel["tracking_id"] for parcel in (await house.queries.get(left.id))["parcels"]] == ["1Z-0001"]


async def test_gift_cards_are_worth_what_the_document_says(house: Services, document: Shop) -> None:
    await move_in(house, document)
    methods = [method for customer in document.customers for method in customer.payment_methods]
    cards = {method.id: method.balance for method in methods if method.kind == "gift_card"}
    with house.database.reading() as session:
        assert {card: gift_balance(session, card) for card in cards} == cards


@pytest.mark.parametrize(
    ("order_id", "status", "stage", "parcels"),
    [
        (W1001, "delivered", "completed", ["delivered"]),
        (W1002, "pending", "imported", ["planned"]),
        (W1006, "processed", "completed", ["handed_over"]),
        (W1008, "cancelled", "cancelled", []),
    ],
)
async def test_past_orders_are_where_they_were(
    shop: Services, order_id: str, status: str, stage: str, parcels: list[str]
) -> None:
    order = await shop.queries.get(order_id)
    assert (order["status"], order["stage"]) == (status, stage)
    assert [parcel["state"] for parcel in order["parcels"]] == parcels


async def test_a_house_is_empty_until_a_shop_moved_in(house: Services, document: Shop) -> None:
    assert await is_empty(house.database)
    await move_in(house, document)
    assert not await is_empty(house.database)


async def test_a_crash_between_the_charges_and_the_ledger_is_harmless(house: Services, document: Shop) -> None:
    async def the_last_is_lost(response: httpx.Response) -> None:
        if response.request.headers["Idempotency-Key"].startswith(last):
            await lost(response)

    last = max(order.id for order in document.orders if order.status != "cancelled")
    with wire(house.providers.clients[0], response=the_last_is_lost), pytest.raises(PaymentUnknownError):
        await move_in(house, document)
    charged = (await network(house)).charges
    assert charged
    assert await holds_nothing(house)
    await move_in(house, document)
    assert (await network(house)).charges == charged


async def test_a_shop_whose_past_cannot_be_charged_does_not_move_in(house: Services, document: Shop) -> None:
    with wire(house.providers.clients[0], request=unreachable), pytest.raises(PaymentNotSentError):
        await move_in(house, document)
    assert await holds_nothing(house)


async def test_a_past_payment_that_the_network_declines_is_not_taken_for_paid(house: Services, document: Shop) -> None:
    declines = document.orders[1].model_copy(update={"payment_method_id": "ada_declines"})
    with pytest.raises(ValueError, match=f"{declines.id}.*declined"):
        await move_in(house, document.model_copy(update={"orders": (document.orders[0], declines)}))
    assert await holds_nothing(house)


@pytest.mark.parametrize("wrong", ['"currency":"KWD"', '"price":0'])
def test_a_shop_whose_orders_could_not_be_charged_is_no_shop(document: Shop, wrong: str) -> None:
    """New orders are charged in the shop's currency, and nobody charges nothing."""
    field, _, value = wrong.partition(":")
    changed = re.sub(rf"{field}:[^,}}]+", f"{field}:{value}", document.model_dump_json(), count=1)
    with pytest.raises(ValidationError, match=field.strip('"')):
        Shop.model_validate_json(changed)


async def test_a_second_shop_does_not_move_in_on_top(shop: Services, document: Shop) -> None:
    before = await dump(shop)
    with pytest.raises(NotEmptyError):
        await move_in(shop, document)
    assert await dump(shop) == before
