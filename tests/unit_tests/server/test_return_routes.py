"""The routes of what goes back: who may ask, withdraw and receive, by which rule it is refused, and that it is done."""

from collections.abc import Awaitable, Callable

import httpx
import pytest

from agent.identity import Caller
from agent.services import Services
from tests.support.goods import W1001
from tests.support.scenes import dump, new_order, paid, replace

Ask = Callable[..., Awaitable[httpx.Response]]

ADA = Caller("ada_park", "customer")
BEN = Caller("ben_ortiz", "customer")
WAREHOUSE = Caller("wilma", "warehouse")
ORDER = f"/ops/orders/{W1001}"
LAMP = {"lines": [{"line": 2, "quantity": 1}], "payment_method_id": "ada_card"}


async def line_of(shop: Services, sku: str) -> int:
    """The number of the line with this option."""
    [line] = [line for line in (await shop.queries.get(W1001))["lines"] if line["sku"] == sku]
    return line["number"]


async def lamp(shop: Services) -> dict[str, object]:
    return {"lines": [{"line": await line_of(shop, "LAMP-OAK"), "quantity": 1}], "payment_method_id": "ada_card"}


async def test_a_return_is_asked_for_received_and_refunded(shop: Services, ask: Ask) -> None:
    asked = await ask("POST", f"{ORDER}/return", ADA, json=await lamp(shop))
    assert (asked.status_code, asked.json()["status"]) == (200, "return requested")
    received = await ask("POST", f"{ORDER}/receive", WAREHOUSE, json={})
    assert (received.status_code, received.json()["status"]) == (200, "returned")
    assert [row["amount"] for row in (await dump(shop))["debts"]] == [69_00]


async def test_a_return_is_withdrawn(shop: Services, ask: Ask) -> None:
    await ask("POST", f"{ORDER}/return", ADA, json=await lamp(shop))
    assert (await ask("POST", f"{ORDER}/withdraw", ADA)).json()["status"] == "delivered"
    again = await ask("POST", f"{ORDER}/withdraw", ADA)
    assert (again.status_code, again.json()["detail"][:16]) == (409, "REQUEST-WITHDRAW")


async def test_an_exchange_holds_the_new_piece(shop: Services, ask: Ask) -> None:
    body = {"swaps": [{"old": "LAMP-OAK", "new": "LAMP-BRASS"}], "payment_method_id": "ada_card"}
    assert (await ask("POST", f"{ORDER}/exchange", ADA, json=body)).json()["status"] == "exchange requested"


async def test_an_unpaid_change_is_undone(shop: Services, ask: Ask) -> None:
    await paid(shop, new_order(lines={"CURTAIN-MEDIUM": 1}))
    await replace(shop, "A-1", ("CURTAIN-MEDIUM", "CURTAIN-LONG"), method="ada_declines")
    await shop.payments.collect("A-1")
    undone = await ask("POST", "/ops/orders/A-1/undo-change", ADA)
    assert (undone.status_code, undone.json()["status"]) == (200, "pending")


@pytest.mark.parametrize("verb", ["return", "withdraw", "undo-change", "exchange"])
async def test_anothers_order_is_not_there(shop: Services, ask: Ask, verb: str) -> None:
    bodies = {
        "return": await lamp(shop),
        "exchange": {"swaps": [{"old": "LAMP-OAK", "new": "LAMP-BRASS"}], "payment_method_id": "ben_card"},
    }
    assert (await ask("POST", f"{ORDER}/{verb}", BEN, json=bodies.get(verb))).status_code == 404


async def test_only_the_warehouse_receives(ask: Ask) -> None:
    assert (await ask("POST", f"{ORDER}/receive", ADA, json={})).status_code == 403


@pytest.mark.parametrize(
    "body", [{}, LAMP | {"lines": []}, LAMP | {"more": 1}, LAMP | {"lines": [{"line": 1, "quantity": 0}]}]
)
async def test_what_can_not_be_read_is_refused_and_changes_nothing(shop: Services, ask: Ask, body: object) -> None:
    before = await dump(shop)
    assert (await ask("POST", f"{ORDER}/return", ADA, json=body)).status_code == 422
    assert await dump(shop) == before
