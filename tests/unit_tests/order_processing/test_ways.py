"""An order's ways through the graph, with the ledger and the card network looked at afterwards."""

from typing import Any

import pytest

from agent.ledger.database import PolicyDenied
from agent.order_processing.graph import graph
from agent.platform import order_thread
from agent.services import Services
from agent.shop import SHOP
from tests.support.goods import W1001
from tests.support.orders import ADA, SMALL, STOREFRONT, charges, order, place, redrive_order, stock, thread_of
from tests.support.threads import SERVICE, Thread


async def test_an_order_is_reserved_charged_once_and_shipped_from_both_warehouses(shop: Services) -> None:
    before = await stock(shop)

    _, ended = await place(SMALL)

    assert (ended["processing_stage"], ended["payment_status"], ended["denial"]) == ("completed", "captured", None)
    assert (ended["order_id"], ended["customer_id"], ended["order_amount"]) == ("N-1", "ada_park", 123_00)
    assert (ended["error_count"], ended["retry_count"], ended["human_approval_needed"]) == (0, 0, False)
    view = await shop.queries.get("N-1")
    assert (view["status"], view["stage"]) == ("processed", "completed")
    assert {parcel["warehouse"] for parcel in view["parcels"]} == {"east", "west"}
    assert all(parcel["tracking_id"] for parcel in view["parcels"])
    assert [charge["amount"] for charge in await charges(shop)] == [123_00]
    after = await stock(shop)
    assert {sku: before[sku][0] - after[sku][0] for sku in SMALL} == SMALL
    assert all(after[sku][1] == before[sku][1] for sku in SMALL)


async def test_who_waits_is_told_of_each_step(shop: Services) -> None:
    thread = thread_of()

    told = [
        part["progress"] async for part in thread.graph.astream(order(SMALL), thread.config(ADA), stream_mode="custom")
    ]

    assert told == ["validated", "charging", "paid", "shipped", "shipped", "completed"]


async def test_a_storefront_places_an_order_for_a_customer(shop: Services) -> None:
    thread = Thread(graph, order_thread("N-1", "channel:storefront"))

    ended = await thread.run(order(SMALL), STOREFRONT)

    assert ended["processing_stage"] == "completed"
    assert (await shop.queries.get("N-1"))["placed_by"] == "storefront"


async def test_the_same_order_again_is_the_same_order(shop: Services) -> None:
    thread, first = await place(SMALL)

    again = await thread.run(order(SMALL), ADA)

    fact = f"N-1 is completed; {SHOP.money(123_00)} captured as N-1:pay:1; N-1/east handed over; N-1/west handed over"
    assert again == first | {"ledger_fact": fact}
    assert len(await charges(shop)) == 1


REFUSED: dict[str, tuple[dict[str, Any], Any, str]] = {
    "an unknown item": (order({"NO-SUCH": 1}), ADA, "ORDER-SKU"),
    "another's card": (order(SMALL, method="ben_card"), ADA, "ORDER-METHOD"),
    "another customer": (order(SMALL, customer_id="ben_ortiz", method="ben_card"), ADA, "ORDER-CALLER"),
    "an unknown customer": (order(SMALL, customer_id="nobody"), STOREFRONT, "ORDER-CUSTOMER"),
    "nobody authenticated": (order(SMALL), None, "ORDER-CALLER"),
    "no line": (order({}), ADA, "ORDER-INPUT"),
    "a price of one's own": (order(SMALL, total=1), ADA, "ORDER-INPUT"),
    "no order": ({"order": "N-1"}, ADA, "ORDER-INPUT"),
    "only an id": ({"order": {"order_id": "N-1"}}, ADA, "ORDER-INPUT"),
    "an old order's id": (order(SMALL, order_id=W1001), ADA, "ORDER-ID-TAKEN"),
}


@pytest.mark.parametrize(("given", "who", "rule"), REFUSED.values(), ids=REFUSED)
async def test_a_refused_order_names_its_rule_and_leaves_no_trace(
    shop: Services, given: dict[str, Any], who: Any, rule: str
) -> None:
    before = await stock(shop)

    ended = await thread_of().run(given, who)

    assert (ended["processing_stage"], ended["denial"]["rule"]) == ("refused", rule)
    assert ended["denial"]["sentence"]
    assert await stock(shop) == before
    with pytest.raises(PolicyDenied, match="ORDER-EXISTS"):
        await shop.queries.get("N-1")


async def undone(shop: Services, before: dict[str, tuple[int, int]], rule: str) -> None:
    """The ledger is as if the order had never been, but for the cancelled order itself."""
    view = await shop.queries.get("N-1")
    assert (view["status"], view["stage"], view["reason"]) == ("cancelled", "cancelled", rule)
    assert await stock(shop) == before
    assert await charges(shop) == []


async def test_one_short_line_undoes_the_whole_order(shop: Services) -> None:
    before = await stock(shop)

    _, ended = await place({"MUG-BLUE": 3, "CLOCK-WALNUT": 2})

    assert (ended["processing_stage"], ended["denial"]["rule"]) == ("cancelled", "STOCK-SHORT")
    assert ended["payment_status"] == "none"
    await undone(shop, before, "STOCK-SHORT")


async def test_two_lines_of_one_item_do_not_get_more_than_there_is(shop: Services) -> None:
    before = await stock(shop)
    wanted = [{"sku": "CLOCK-WALNUT", "quantity": 1}] * 2

    ended = await thread_of().run(order({}, lines=wanted), ADA)

    assert ended["denial"]["rule"] == "STOCK-SHORT"
    await undone(shop, before, "STOCK-SHORT")


@pytest.mark.parametrize(
    ("method", "lines", "rule"),
    [("ada_declines", SMALL, "PAYMENT-DECLINED"), ("ada_gift", {"RUG-SAND": 1}, "PAYMENT-GIFT-COVERS")],
)
async def test_a_declined_payment_leaves_the_order_waiting_for_another_method_and_says_why(
    shop: Services, method: str, lines: dict[str, int], rule: str
) -> None:
    _, ended = await place(lines, method=method)

    assert (ended["processing_stage"], ended["payment_status"]) == ("declined", "declined")
    assert ended["denial"]["rule"] == rule
    assert (await shop.queries.get("N-1"))["stage"] == "declined"
    assert await charges(shop) == []


async def test_a_gift_card_pays_without_the_card_network(shop: Services) -> None:
    _, ended = await place({"MUG-WHITE": 1}, method="ada_gift")

    assert (ended["processing_stage"], ended["payment_status"]) == ("completed", "captured")
    assert await charges(shop) == []


async def test_an_order_sent_again_after_it_was_undone_is_still_undone_and_says_why(shop: Services) -> None:
    short = {"CLOCK-WALNUT": 2}
    thread, _ = await place(short)

    ended = await thread.run(order(short), ADA)

    assert (ended["processing_stage"], ended["denial"]["rule"]) == ("cancelled", "STOCK-SHORT")
    assert ended["ledger_fact"] == "N-1 is cancelled; STOCK-SHORT"


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"order": {"order_id": "N-9"}}, "ORDER-EXISTS"),
        ({"order": {"order_id": "N-1", "lines": []}}, "ORDER-CALLER"),
        (order(SMALL), "ORDER-CALLER"),
        ({"order": None}, "ORDER-CALLER"),
    ],
)
async def test_the_service_account_takes_known_orders_on_and_places_none(
    shop: Services, given: dict[str, Any], rule: str
) -> None:
    ended = await thread_of().run(given, SERVICE)

    assert (ended["processing_stage"], ended["denial"]["rule"]) == ("refused", rule)


async def test_an_order_is_not_driven_on_a_strangers_thread(shop: Services) -> None:
    await place(SMALL)
    strangers = Thread(graph, order_thread("N-1", "customer:ben_ortiz"))

    ended = await redrive_order(strangers)

    assert ended["denial"]["rule"] == "ORDER-EXISTS"
    assert not ended.get("order_amount")
