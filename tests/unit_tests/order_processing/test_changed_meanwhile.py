"""An order that its customer changes while it is assessed or approved: what was agreed to was another order (law 6)."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from agent.approvals.requests import Approvals
from agent.commerce.commands import Address, ChangeShipTo, ReplaceLines, Swap
from agent.commerce.reads import Reads
from agent.ledger.tables import CustomerRow
from agent.services import Services
from tests.unit_tests.acts import done
from tests.unit_tests.threads import APPROVE, staff

from .ordering import LARGE, charges, drive_on, place

CHANGE: dict[str, Any] = {"key": "c1", "actor": "ada_park", "subject": "ada_park", "order_id": "N-1"}
SOMEWHERE = Address(line1="1 Quay", city="Astoria", postcode="97103", country="US")
BELOW = {"SHELF-ASH": 3}  # 897.00, needs nobody
ABOVE = (Swap(old="SHELF-ASH", new="SHELF-WALNUT"),)  # 100.00 more each


async def send_it_elsewhere(shop: Services) -> None:
    await done(shop, ChangeShipTo(**CHANGE, ship_to=SOMEWHERE))


def once_after(method: Callable[..., Awaitable[Any]], then: Callable[[], Awaitable[None]]) -> Any:
    """The method; when it is done for the first time, something else happens before its caller goes on."""
    left = [then]

    async def called(*args: Any, **more: Any) -> Any:
        answer = await method(*args, **more)
        while left:
            await left.pop()()
        return answer

    return called


async def test_a_waiting_order_that_is_changed_is_asked_for_anew_and_the_old_yes_counts_for_nothing(
    shop: Services,
) -> None:
    thread, _ = await place(LARGE)
    first = await thread.waits_for()
    await send_it_elsewhere(shop)

    await thread.answer(APPROVE, staff("order_manager"))

    second = await thread.waits_for()
    assert first
    assert second
    assert second["request_id"] != first["request_id"]
    assert second["action_requests"][0]["args"]["ship_to"]["city"] == "Astoria"
    assert await charges(shop) == []
    assert (await thread.answer(APPROVE, staff("order_manager")))["processing_stage"] == "completed"


async def test_a_waiting_order_whose_lines_are_changed_is_asked_for_anew_at_its_new_price(shop: Services) -> None:
    thread, _ = await place(LARGE)
    swap = (Swap(old="SOFA-WOOL", new="SOFA-VELVET"),)
    await done(shop, ReplaceLines(**CHANGE, swaps=swap, payment_method_id="ada_card"))

    await thread.answer(APPROVE, staff("order_manager"))

    view = await thread.waits_for()
    assert view
    assert view["action_requests"][0]["args"]["lines"] == [["SOFA-VELVET", 1, 1_499_00]]
    assert await charges(shop) == []
    ended = await thread.answer(APPROVE, staff("order_manager"))
    assert (ended["processing_stage"], ended["order_amount"]) == ("completed", 1_499_00)
    assert [charge["amount"] for charge in await charges(shop)] == [1_499_00]


async def test_a_risk_that_is_gone_while_people_are_asked_does_not_do_without_their_yes(shop: Services) -> None:
    for n in range(2, 5):
        await place({"MUG-WHITE": 1}, order_id=f"N-{n}")  # more than three in a day, and a low median
    thread, ended = await place({"RUG-SAND": 1}, ship_to=SOMEWHERE.model_dump())
    assert ended["processing_stage"] == "awaiting_approval"
    with shop.database.writing() as session:  # it is where its customer lives, after all
        session.get_one(CustomerRow, "ada_park").address = SOMEWHERE.model_dump()

    again = await drive_on(thread)

    view = await thread.waits_for()
    assert view
    assert view["action_requests"][0]["args"]["risk"] < 70
    assert (again["processing_stage"], view["roles"]) == ("awaiting_approval", ["order_manager"])
    assert [charge for charge in await charges(shop) if charge["key"].startswith("N-1:")] == []


async def test_a_change_between_the_last_yes_and_the_charge_is_asked_for_anew(
    shop: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread, _ = await place(LARGE)
    monkeypatch.setattr(Approvals, "decide", once_after(Approvals.decide, lambda: send_it_elsewhere(shop)))

    await thread.answer(APPROVE, staff("order_manager"))

    view = await thread.waits_for()
    assert view
    assert view["action_requests"][0]["args"]["ship_to"]["city"] == "Astoria"
    assert await charges(shop) == []


async def test_a_change_while_it_is_assessed_is_assessed_too(shop: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    async def make_it_dearer() -> None:
        swaps = ABOVE * 3
        await done(shop, ReplaceLines(**CHANGE, swaps=swaps, payment_method_id="ada_card"))

    monkeypatch.setattr(Reads, "risk", once_after(Reads.risk, make_it_dearer))

    thread, ended = await place(BELOW)

    assert ended["processing_stage"] == "awaiting_approval"
    view = await thread.waits_for()
    assert view
    assert view["action_requests"][0]["args"]["total"] == 3 * 399_00
    assert await charges(shop) == []
