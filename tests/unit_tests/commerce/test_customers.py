"""What changes for a customer: the default address, money on a gift card, a case for a person."""

from typing import Any

import pytest

from agent.commerce.commands import ChangeProfileAddress
from agent.commerce.ticket_commands import OpenTicket
from agent.commerce.types import Address
from agent.services import Services
from tests.support import steps
from tests.support.goods import W1001, W1003
from tests.support.scenes import ELSEWHERE, ask, denies, dump, new_order, placed

TICKET: dict[str, Any] = {"topic": "order", "text": "The lamp came without its shade."}


async def test_a_new_default_address_is_for_new_orders(shop: Services) -> None:
    earlier = (await dump(shop))["orders"]
    answer = await ask(shop, ChangeProfileAddress, address=ELSEWHERE)
    assert answer == {"id": "ada_park", "address": ELSEWHERE.model_dump()}
    assert (await dump(shop))["orders"] == earlier
    assert (await placed(shop, new_order()))["ship_to"] == ELSEWHERE.model_dump()


async def test_nobody_elses_address_changes(shop: Services) -> None:
    before = (await dump(shop))["customers"]
    await ask(shop, ChangeProfileAddress, address=ELSEWHERE)
    after = (await dump(shop))["customers"]
    assert [row["id"] for row, was in zip(after, before, strict=True) if row != was] == ["ada_park"]


async def test_a_changed_profile_is_a_risk_for_a_while(shop: Services) -> None:
    home = {row["id"]: row["address"] for row in (await dump(shop))["customers"]}["ada_park"]
    await ask(shop, ChangeProfileAddress, address=Address(**home))
    await placed(shop, new_order())
    assert await steps.risk_score(shop, "A-1") == 30


async def test_a_ticket_says_what_it_is_about(shop: Services) -> None:
    answer = await ask(shop, OpenTicket, order_id=W1001, **TICKET)
    [row] = (await dump(shop))["tickets"]
    assert answer == {"id": row["id"], "order_id": W1001, "topic": "order", "status": "open"}
    assert (row["customer_id"], row["text"]) == ("ada_park", TICKET["text"])


async def test_a_ticket_need_not_be_about_an_order_and_is_opened_once(shop: Services) -> None:
    assert await ask(shop, OpenTicket, **TICKET) == await ask(shop, OpenTicket, **TICKET)
    await ask(shop, OpenTicket, key="c2", **TICKET)
    assert [row["order_id"] for row in (await dump(shop))["tickets"]] == [None, None]


@pytest.mark.parametrize("order_id", [W1003, "A-404"])
async def test_a_ticket_is_about_an_order_of_ones_own(shop: Services, order_id: str) -> None:
    with denies("ORDER-EXISTS"):
        await ask(shop, OpenTicket, order_id=order_id, **TICKET)
    assert (await dump(shop))["tickets"] == []


@pytest.mark.parametrize(("form", "arguments"), [(ChangeProfileAddress, {"address": ELSEWHERE}), (OpenTicket, TICKET)])
async def test_nothing_is_done_for_a_customer_who_is_not_there(
    shop: Services, form: Any, arguments: dict[str, Any]
) -> None:
    with denies("ORDER-CUSTOMER"):
        await ask(shop, form, subject="nobody", **arguments)
