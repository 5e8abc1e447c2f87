"""Every command: well-formed or not made at all, once by its key, by a rule's word, and one after the other."""

import asyncio
from typing import Any

import pytest
from pydantic import ValidationError

from agent.commerce.commands import (
    CancelOrder,
    ChangeShipTo,
    Command,
    Denial,
    MarkDelivered,
    MarkHandedOver,
    RefundPayment,
    ReplaceLines,
    RequestReturn,
    Swap,
)
from agent.commerce.dispatcher import DENIALS_NOT_KEPT, HANDLERS
from agent.commerce.policy import RULES
from agent.commerce.ticket_commands import TicketCommand
from agent.ledger.database import KeyReusedError
from agent.ledger.tables import VariantRow
from agent.services import Services
from tests.support import steps
from tests.support.goods import W1001, W1002
from tests.support.scenes import (
    ELSEWHERE,
    ask,
    cancel,
    denies,
    dump,
    gift,
    new_order,
    paid,
    placed,
    reserved,
    send_to,
    stock,
)

WHO: dict[str, Any] = {"key": "c1", "actor": "ada_park", "subject": "ada_park"}
CANCEL = CancelOrder(**WHO, order_id=W1002, reason="no longer needed")


def test_every_command_has_a_handler() -> None:
    assert set(HANDLERS) == {*Command.__subclasses__(), *TicketCommand.__subclasses__()} - {TicketCommand}


@pytest.mark.parametrize(
    ("form", "arguments"),
    [
        (CancelOrder, {"order_id": "W 1002", "reason": None}),
        (CancelOrder, {"order_id": W1002, "reason": None, "refund": True}),
        (CancelOrder, {"order_id": 1002, "reason": None}),
        (RefundPayment, {"order_id": W1002, "amount": 0}),
        (RefundPayment, {"order_id": W1002, "amount": 1.5}),
        (RefundPayment, {"order_id": W1002, "amount": True}),
        (ReplaceLines, {"order_id": W1002, "swaps": (), "payment_method_id": "ada_card"}),
        (RequestReturn, {"order_id": W1001, "skus": (), "payment_method_id": "ada_card"}),
    ],
)
def test_what_makes_no_sense_is_no_command(form: type[Command], arguments: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        form(**WHO, **arguments)


async def test_a_denial_is_a_rule_with_a_sentence_for_the_customer(shop: Services) -> None:
    assert await shop.commerce.run(CANCEL.model_copy(update={"reason": "too dear"})) == Denial(
        rule="CANCEL-REASON", sentence=RULES["CANCEL-REASON"]
    )


async def test_the_same_key_again_gives_the_first_answer_whatever_happened_since(shop: Services) -> None:
    first = await send_to(shop, W1002)
    await cancel(shop, W1002)
    before = await dump(shop)
    assert await send_to(shop, W1002) == first
    assert first["status"] == "pending"
    assert await dump(shop) == before


async def test_a_denial_is_remembered_as_well(shop: Services) -> None:
    for scene in (placed, reserved):
        await scene(shop, new_order())
        with denies("ORDER-BUSY"):
            await send_to(shop, "A-1")
    await send_to(shop, "A-1", key="c2")


@pytest.mark.parametrize(
    "other",
    [
        CANCEL.model_copy(update={"reason": "ordered by mistake"}),
        CANCEL.model_copy(update={"order_id": W1001}),
        CANCEL.model_copy(update={"subject": "ben_ortiz"}),
        ChangeShipTo(**WHO, order_id=W1002, ship_to=ELSEWHERE),
    ],
    ids=["reason", "order", "customer", "command"],
)
async def test_a_key_is_good_for_one_command_only(shop: Services, other: Command) -> None:
    await shop.commerce.run(CANCEL)
    before = await dump(shop)
    with pytest.raises(KeyReusedError):
        await shop.commerce.run(other)
    assert await dump(shop) == before


async def test_who_sends_a_command_again_does_not_matter(shop: Services) -> None:
    """A resume, a retry, the reconciler: the command is the customer's, whoever brings it."""
    first = await shop.commerce.run(CANCEL)
    assert await shop.commerce.run(CANCEL.model_copy(update={"actor": "service"})) == first
    [effect] = [row for row in (await dump(shop))["effects"] if row["key"] == CANCEL.key]
    assert (effect["actor"], effect["subject"]) == ("ada_park", "ada_park")


async def test_a_command_that_names_what_it_is_about_may_be_asked_again_after_a_denial(shop: Services) -> None:
    deliver = MarkDelivered(**WHO | {"key": f"delivered:{W1002}/all"}, parcel_id=f"{W1002}/all")
    answer = await shop.commerce.run(deliver)
    assert isinstance(answer, Denial)
    assert answer.rule == "PARCEL-STATE"
    await shop.commerce.run(MarkHandedOver(**WHO, parcel_id=f"{W1002}/all"))
    assert not isinstance(await shop.commerce.run(deliver), Denial)
    assert (await shop.queries.get(W1002))["status"] == "delivered"


async def test_only_those_commands_are_forgotten(shop: Services) -> None:
    of_orders = {"PlaceOrder", "MarkHandedOver", "MarkDelivered", "ReceiveReturn"}
    assert {form.__name__ for form in DENIALS_NOT_KEPT} == of_orders | {"TakeTicket", "AnswerTicket", "CloseTicket"}


async def test_an_order_is_delivered_when_its_last_parcel_is(shop: Services) -> None:
    await paid(shop, new_order())
    parcels = await steps.plan(shop, "A-1")
    for n, parcel in enumerate(parcels):
        await ask(shop, MarkHandedOver, key=f"out:{n}", parcel_id=parcel)
    for n, (parcel, status) in enumerate(zip(parcels, ("processed", "delivered"), strict=True)):
        assert (await ask(shop, MarkDelivered, key=f"in:{n}", parcel_id=parcel))["status"] == status
    assert (await shop.queries.get("A-1"))["stage"] == "completed"
    assert await shop.fulfilment.join("A-1") == "completed"
    assert (await shop.queries.get("A-1"))["status"] == "delivered"


@pytest.mark.parametrize("form", [MarkHandedOver, MarkDelivered])
async def test_a_parcel_that_is_not_there_goes_nowhere(shop: Services, form: type[Command]) -> None:
    with denies("PARCEL-EXISTS"):
        await ask(shop, form, parcel_id=f"{W1002}/west")


async def test_a_parcel_arrives_once(shop: Services) -> None:
    await ask(shop, MarkHandedOver, key="out", parcel_id=f"{W1002}/all")
    await ask(shop, MarkDelivered, key="in", parcel_id=f"{W1002}/all")
    with denies("PARCEL-STATE"):
        await ask(shop, MarkDelivered, key="in again", parcel_id=f"{W1002}/all")


async def test_many_commands_on_one_order_at_once_lose_no_update(shop: Services) -> None:
    """147.00 were paid: there is room for nine of twelve refunds."""
    await asyncio.gather(
        *(shop.commerce.run(RefundPayment(**WHO | {"key": f"r{n}"}, order_id=W1002, amount=15_00)) for n in range(12))
    )
    debts = (await dump(shop))["debts"]
    assert [row["amount"] for row in debts] == [15_00] * 9
    assert await shop.queries.refundable(W1002) == 12_00


async def test_changes_of_different_kinds_at_once_all_count(shop: Services) -> None:
    swap = ReplaceLines(
        **WHO | {"key": "items"},
        order_id=W1002,
        swaps=(Swap(old="LAMP-BRASS", new="LAMP-OAK"),),
        payment_method_id="ada_card",
    )
    answers = await asyncio.gather(shop.commerce.run(swap), send_to(shop, W1002, key="address"))
    assert not [answer for answer in answers if isinstance(answer, Denial)]
    order = await shop.queries.get(W1002)
    assert (order["status"], order["total"]) == ("pending (item modified)", 127_00)
    assert order["ship_to"] == ELSEWHERE.model_dump()


async def test_one_gift_card_does_not_pay_twice_at_once(shop: Services) -> None:
    """70.00 are on it; each of two orders would take 60.00."""
    for order_id in ("A-1", "A-2"):
        await paid(shop, new_order(order_id, lines={"LAMP-OAK": 1}))
    with shop.database.writing() as session:
        session.get_one(VariantRow, "LAMP-BRASS").price = 129_00
    answers = await asyncio.gather(
        *(
            shop.commerce.run(
                ReplaceLines(
                    **WHO | {"key": order_id},
                    order_id=order_id,
                    swaps=(Swap(old="LAMP-OAK", new="LAMP-BRASS"),),
                    payment_method_id="ada_gift",
                )
            )
            for order_id in ("A-1", "A-2")
        )
    )
    assert [answer.rule for answer in answers if isinstance(answer, Denial)] == ["DIFFERENCE-GIFT-COVERS"]
    assert await gift(shop) == 10_00


async def test_the_same_command_many_times_at_once_is_one(shop: Services) -> None:
    on_hand, held = await stock(shop, "LAMP-BRASS")
    answers = await asyncio.gather(*(shop.commerce.run(CANCEL) for _ in range(6)))
    assert all(answer == answers[0] for answer in answers)
    assert await stock(shop, "LAMP-BRASS") == (on_hand, held - 1)
    assert len((await dump(shop))["debts"]) == 1
