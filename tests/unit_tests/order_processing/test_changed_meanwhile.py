"""An order that its customer changes while it is assessed or approved: what was agreed to was another order (law 6)."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from agent.approvals.requests import Approvals
from agent.commerce.commands import Address, ChangeShipTo, ReplaceLines, Swap
from agent.commerce.reads import Reads
from agent.ledger.tables import VariantRow
from agent.services import Services
from tests.unit_tests.acts import done
from tests.unit_tests.threads import APPROVE, staff

from .ordering import LARGE, charges, place

SOMEWHERE = Address(line1="1 Quay", city="Astoria", postcode="97103", country="US")
BELOW = {"RUG-SAND": 3}  # 987.00, needs nobody
ABOVE = (Swap(old="RUG-SAND", new="RUG-INDIGO"),)  # 20.00 more each


async def send_it_elsewhere(shop: Services) -> None:
    await done(shop, ChangeShipTo(key="c1", actor="ada_park", subject="ada_park", order_id="N-1", ship_to=SOMEWHERE))


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
    async with shop.database.write() as session:
        (await session.get_one(VariantRow, "RUG-INDIGO")).on_hand = 5

    async def make_it_dearer() -> None:
        swaps = ABOVE * 3
        command = ReplaceLines(
            key="c1", actor="ada_park", subject="ada_park", order_id="N-1", swaps=swaps, payment_method_id="ada_card"
        )
        await done(shop, command)

    monkeypatch.setattr(Reads, "risk", once_after(Reads.risk, make_it_dearer))

    thread, ended = await place(BELOW)

    assert ended["processing_stage"] == "awaiting_approval"
    view = await thread.waits_for()
    assert view
    assert view["action_requests"][0]["args"]["total"] == 3 * 349_00
    assert await charges(shop) == []
