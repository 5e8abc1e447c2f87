"""An order that its customer changes while it is assessed or approved: what was agreed to was another order (law 6)."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest
from sqlalchemy.orm import Session

from agent.commerce.commands import ChangeShipTo, ReplaceLines, Swap
from agent.commerce.types import Address
from agent.ledger.database import Database
from agent.ledger.tables import CustomerRow
from agent.order_processing import nodes
from agent.services import Services
from tests.support.chains import OF_LARGE, OF_VERY_LARGE
from tests.support.commands import done
from tests.support.orders import BELOW, LARGE, charges, place, redrive_order
from tests.support.scenes import denies
from tests.support.threads import APPROVE, seen, staff

CHANGE: dict[str, Any] = {"key": "c1", "actor": "ada_park", "subject": "ada_park", "order_id": "N-1"}
SOMEWHERE = Address(line1="1 Quay", city="Astoria", postcode="97103", country="US")


async def send_it_elsewhere(shop: Services) -> None:
    await done(shop, ChangeShipTo(**CHANGE, ship_to=SOMEWHERE))


async def test_a_waiting_order_that_is_changed_is_asked_for_anew_and_the_old_yes_counts_for_nothing(
    shop: Services,
) -> None:
    thread, _ = await place(LARGE)
    first = await thread.waits_for()
    await send_it_elsewhere(shop)

    await thread.answer(APPROVE, staff(OF_LARGE[0]))

    second = await thread.waits_for()
    assert first
    assert second
    assert second["request_id"] != first["request_id"]
    assert second["arguments"]["ship_to"]["city"] == "Astoria"
    assert await charges(shop) == []
    assert "Not taken: APPROVAL-ENDED" in (await thread.values())["messages"][-2]["content"]
    await thread.answer(APPROVE, staff(OF_LARGE[0]))  # of a card that may still show the first
    again = await thread.waits_for()
    assert again
    assert "has changed" in str(again["refused"])
    assert (await thread.answer(APPROVE, staff(OF_LARGE[0])))["processing_stage"] == "completed"


async def test_a_waiting_order_whose_lines_are_changed_is_asked_for_anew_at_its_new_price(shop: Services) -> None:
    thread, _ = await place(LARGE)
    swap = (Swap(old="SOFA-WOOL", new="SOFA-VELVET"),)
    await done(shop, ReplaceLines(**CHANGE, swaps=swap, payment_method_id="ada_card"))

    await thread.answer(APPROVE, staff(OF_LARGE[0]))

    view = await thread.waits_for()
    assert view
    assert view["arguments"]["lines"] == [["SOFA-VELVET", 1, 1_499_00]]
    assert await charges(shop) == []
    ended = await thread.answer(seen(view, APPROVE), staff(OF_LARGE[0]))
    assert (ended["processing_stage"], ended["order_amount"]) == ("completed", 1_499_00)
    assert [charge["amount"] for charge in await charges(shop)] == [1_499_00]


async def test_a_risk_that_is_gone_while_people_are_asked_does_not_do_without_their_yes(shop: Services) -> None:
    for n in range(2, 5):
        await place({"MUG-WHITE": 1}, order_id=f"N-{n}")  # more than three in a day, and a low median
    thread, ended = await place({"RUG-SAND": 1}, ship_to=SOMEWHERE.model_dump())
    assert ended["processing_stage"] == "awaiting_approval"
    with shop.database.writing() as session:  # it is where its customer lives, after all
        session.get_one(CustomerRow, "ada_park").address = SOMEWHERE.model_dump()

    again = await redrive_order(thread)

    view = await thread.waits_for()
    assert view
    assert view["arguments"]["risk"] < 70
    assert (again["processing_stage"], view["roles"]) == ("awaiting_approval", [OF_VERY_LARGE[0]])
    assert [charge for charge in await charges(shop) if charge["key"].startswith("N-1:")] == []


async def test_a_change_that_comes_before_the_last_yes_is_written_is_asked_for_anew(
    shop: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread, _ = await place(LARGE)
    left, write = [send_it_elsewhere], Database.write

    async def change_first(ledger: Database, act: Callable[[Session], Any]) -> Any:
        while left:
            await left.pop()(shop)
        return await write(ledger, act)

    monkeypatch.setattr(Database, "write", change_first)

    await thread.answer(APPROVE, staff(OF_LARGE[0]))

    view = await thread.waits_for()
    assert view
    assert view["arguments"]["ship_to"]["city"] == "Astoria"
    assert await charges(shop) == []


@pytest.mark.parametrize(
    ("step", "basket"),
    [("risk_of", BELOW), ("follow", LARGE)],
    ids=["assessed", "decided"],
)
async def test_a_change_that_comes_while_an_order_is_assessed_or_decided_waits_and_is_then_too_late(
    shop: Services, monkeypatch: pytest.MonkeyPatch, step: str, basket: dict[str, int]
) -> None:
    loop, changes = asyncio.get_running_loop(), list[Future[None]]()
    act: Callable[..., Any] = getattr(nodes, step)

    def change_meanwhile(*args: Any) -> Any:
        changes.append(asyncio.run_coroutine_threadsafe(send_it_elsewhere(shop), loop))
        return act(*args)

    monkeypatch.setattr(nodes, step, change_meanwhile)

    thread, ended = await place(basket)
    if await thread.waits_for():
        ended = await thread.answer(APPROVE, staff(OF_LARGE[0]))

    [change] = changes
    with denies("ORDER-BUSY"):
        await asyncio.wrap_future(change)
    assert ended["processing_stage"] == "completed"
    assert (await shop.queries.get("N-1"))["ship_to"]["city"] != "Astoria"
    assert len(await charges(shop)) == 1
