"""An order that its customer cancels while it stands before each node: the next step honours it."""

import pytest

from agent.services import Services
from agent.settings import Settings
from tests.support.commands import cancel_order
from tests.support.orders import ADA, SMALL, charges, place, redrive_order, stock
from tests.support.outside import at_the_carrier, the_van_comes
from tests.support.scenes import denies, repaid
from tests.support.threads import APPROVE

from .standing import MANAGER, WAYS, standing_before

pytestmark = pytest.mark.thorough

BEFORE_MONEY = ["reserve_line", "assess", "approval", "decide", "charge"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("node", [*BEFORE_MONEY, "ship"])
async def test_a_cancel_is_honoured_at_the_next_step_and_what_was_done_is_undone(
    shop: Services, node: str, way: str
) -> None:
    before = await stock(shop)
    thread = await standing_before(shop, node)
    await cancel_order(shop, "N-1")

    await WAYS[way](thread, node)

    told, known = await thread.values(), await shop.queries.get("N-1")
    assert (told["processing_stage"], told["denial"]["rule"]) == ("cancelled", "CUSTOMER-CANCELLED")
    assert (known["status"], known["stage"]) == ("cancelled", "cancelled")
    assert await thread.waits_for() is None
    assert await stock(shop) == before
    assert [charge["amount"] for charge in await charges(shop)] == ([] if node in BEFORE_MONEY else [123_00])
    assert [refund.amount for refund in await repaid(shop, "N-1")] == ([] if node in BEFORE_MONEY else [123_00])


async def test_a_cancel_of_an_order_that_is_about_to_be_parked_is_honoured_when_it_is_taken_on(shop: Services) -> None:
    before = await stock(shop)
    thread = await standing_before(shop, "park")
    await cancel_order(shop, "N-1")
    assert (await thread.run(None, ADA))["processing_stage"] == "cancelling"

    ended = await redrive_order(thread)

    assert (ended["processing_stage"], ended["denial"]["rule"]) == ("cancelled", "CUSTOMER-CANCELLED")
    assert await stock(shop) == before


@pytest.mark.parametrize("node", ["complete", "close"])
async def test_after_the_hand_over_a_cancel_is_refused_and_the_order_is_completed(shop: Services, node: str) -> None:
    thread = await standing_before(shop, node)

    with denies("CANCEL-STATUS"):
        await cancel_order(shop, "N-1")

    assert (await thread.run(None, ADA))["processing_stage"] == "completed"
    assert await repaid(shop, "N-1") == []


async def test_a_cancel_while_the_answer_is_being_taken_wins_over_the_yes(shop: Services) -> None:
    thread = await standing_before(shop, "decide")
    await cancel_order(shop, "N-1")
    await thread.run(None, MANAGER)

    ended = await thread.answer(APPROVE, MANAGER)

    assert ended["processing_stage"] == "cancelled"
    assert await charges(shop) == []


class TestAwaitingTheVan:
    """The carrier has the parcels in its books and has not fetched them."""

    @pytest.fixture
    def config(self, config: Settings) -> Settings:
        return config.model_copy(update={"carrier_hand_over_seconds": 3600.0})

    async def test_a_cancel_stops_the_parcels_at_the_carrier_and_gives_all_back(self, shop: Services) -> None:
        before = await stock(shop)
        thread, ended = await place(SMALL)
        assert ended["processing_stage"] == "paid"
        await cancel_order(shop, "N-1")

        ended = await redrive_order(thread)

        assert (ended["processing_stage"], ended["denial"]["rule"]) == ("cancelled", "CUSTOMER-CANCELLED")
        assert set((await at_the_carrier(shop)).values()) == {"stopped"}
        assert [refund.amount for refund in await repaid(shop, "N-1")] == [123_00]
        assert await stock(shop) == before

    async def test_a_cancel_that_the_van_is_quicker_than_is_too_late_and_says_so(self, shop: Services) -> None:
        thread, _ = await place(SMALL)
        await cancel_order(shop, "N-1")
        await the_van_comes(shop)

        ended = await redrive_order(thread)

        assert (ended["processing_stage"], ended["denial"]["rule"]) == ("completed", "CANCEL-STATUS")
        assert (await shop.queries.get("N-1"))["status"] == "processed"
        assert await repaid(shop, "N-1") == []


async def test_an_order_that_is_not_placed_yet_can_not_be_cancelled(shop: Services) -> None:
    thread = await standing_before(shop, "validate")

    with denies("ORDER-EXISTS"):
        await cancel_order(shop, "N-1")

    assert (await thread.run(None, ADA))["processing_stage"] == "completed"
