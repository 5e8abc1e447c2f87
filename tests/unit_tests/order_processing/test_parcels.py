"""Paid orders on their way to the carrier: refused, away, slow."""

from typing import Any

import pytest

from agent.providers.carrier import ParcelRefusedError, Shipment
from agent.providers.sandbox_carrier import SandboxCarrier
from agent.services import Services
from agent.settings import Settings
from tests.support.clock import Clock
from tests.support.orders import SMALL, charges, place, redrive_order, stock
from tests.support.outside import NEVER_TAKEN, at_the_carrier, the_van_comes
from tests.support.scenes import repaid

TOO_FAR = {"line1": "1 Far End", "city": "Nowhere", "postcode": NEVER_TAKEN, "country": "US"}


async def parcels(shop: Services) -> dict[str, str]:
    return {parcel["warehouse"]: parcel["state"] for parcel in (await shop.queries.get("N-1"))["parcels"]}


async def test_an_order_that_no_carrier_takes_is_paid_back_and_its_stock_is_free(shop: Services) -> None:
    before = await stock(shop)

    _, ended = await place(SMALL, ship_to=TOO_FAR)

    assert (ended["processing_stage"], ended["denial"]["rule"]) == ("cancelled", "SHIPPING-REFUSED")
    assert await parcels(shop) == {"east": "refused", "west": "refused"}
    assert [charge["amount"] for charge in await charges(shop)] == [123_00]
    assert sum(refund.amount for refund in await repaid(shop, "N-1")) == 123_00
    assert await stock(shop) == before


@pytest.fixture
def west_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The carrier will never take what leaves the western warehouse."""
    book = SandboxCarrier.book

    async def refuse(carrier: SandboxCarrier, parcel_id: str, ship_to: dict[str, Any]) -> Shipment:
        if parcel_id.endswith("/west"):
            raise ParcelRefusedError("too long")
        return await book(carrier, parcel_id, ship_to)

    monkeypatch.setattr(SandboxCarrier, "book", refuse)


@pytest.mark.usefixtures("west_refused")
async def test_a_parcel_that_is_refused_is_paid_back_and_the_other_one_leaves(shop: Services) -> None:
    before = await stock(shop)

    thread, ended = await place(SMALL)
    await redrive_order(thread)

    assert (ended["processing_stage"], ended["denial"]) == ("completed", None)
    assert await parcels(shop) == {"east": "handed_over", "west": "refused"}
    assert [refund.amount for refund in await repaid(shop, "N-1")] == [95_00]  # the clock
    after = await stock(shop)
    assert after["CLOCK-OAK"] == before["CLOCK-OAK"]
    assert after["MUG-BLUE"] == (before["MUG-BLUE"][0] - 2, before["MUG-BLUE"][1])


@pytest.mark.parametrize("basket", [SMALL, {"MUG-BLUE": 1}], ids=["two parcels", "one parcel"])
async def test_while_the_carrier_is_away_a_paid_order_is_parked_and_then_handed_over_once(
    shop: Services, clock: Clock, basket: dict[str, int]
) -> None:
    shop.breakers["carrier"].force_open()
    thread, ended = await place(basket)
    assert (ended["processing_stage"], ended["payment_status"]) == ("paid", "captured")
    assert ended["error_count"] == len(basket)
    clock.advance(seconds=121)
    assert [order["id"] for order in await shop.queries.unfinished(stale_seconds=120)] == ["N-1"]
    shop.breakers["carrier"].reset()

    ended = await redrive_order(thread)

    assert ended["processing_stage"] == "completed"
    assert set((await parcels(shop)).values()) == {"handed_over"}
    assert set((await at_the_carrier(shop)).values()) == {"handed_over"}
    assert len(await charges(shop)) == 1


class TestAVanThatComesLater:
    """The carrier books parcels, and fetches them when it has time."""

    @pytest.fixture
    def config(self, config: Settings) -> Settings:
        return config.model_copy(update={"carrier_hand_over_seconds": 3600.0})

    async def test_a_booked_order_waits_and_is_completed_when_its_parcels_have_left(self, shop: Services) -> None:
        thread, ended = await place(SMALL)
        assert (ended["processing_stage"], ended["payment_status"], ended["error_count"]) == ("paid", "captured", 0)
        assert await parcels(shop) == {"east": "booked", "west": "booked"}
        assert (await redrive_order(thread))["processing_stage"] == "paid"
        await the_van_comes(shop)

        ended = await redrive_order(thread)

        assert ended["processing_stage"] == "completed"
        assert await parcels(shop) == {"east": "handed_over", "west": "handed_over"}
        assert len(await charges(shop)) == 1

    async def test_a_parcel_that_arrived_before_we_heard_that_it_left_is_delivered(self, shop: Services) -> None:
        thread, _ = await place(SMALL)
        await the_van_comes(shop)
        for parcel in ("N-1/east", "N-1/west"):
            arrived: dict[str, Any] = {"json": {}, "headers": {"Idempotency-Key": parcel}}
            (await shop.providers.clients[0].post("/shipments/deliver", **arrived)).raise_for_status()

        await redrive_order(thread)

        assert (await shop.queries.get("N-1"))["status"] == "delivered"
        assert await parcels(shop) == {"east": "delivered", "west": "delivered"}
