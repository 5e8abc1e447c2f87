"""Which notifications a customer gets in which conversation, and where they last wrote."""

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from agent.ledger.tables import ConversationRow
from agent.notifications.conversations import BATCH_SIZE, MAX_AGE, RECORD_EVERY
from agent.services import Services
from tests.support.clock import Clock
from tests.support.goods import W1001, W1003
from tests.support.notifications import note, noted


async def pending(shop: Services, thread_id: str = "chat-1", customer: str = "ada_park", *already: str) -> list[str]:
    """The keys of what is to be delivered in a conversation."""
    return [each.key for each in await shop.notifications.take_pending(customer, thread_id, set(already))]


async def last_conversation(shop: Services, customer: str = "ada_park") -> tuple[str, datetime]:
    with shop.database.reading() as session:
        row = session.scalars(select(ConversationRow).where(ConversationRow.customer_id == customer)).one()
        return row.thread_id, row.at


async def test_notifications_are_delivered_oldest_first_and_once(shop: Services, clock: Clock) -> None:
    first = await note(shop, "refund.settled", "z", amount=5_00)
    clock.advance(seconds=1)
    second = await note(shop, "refund.settled", "a", amount=6_00)

    assert await pending(shop) == [first, second]
    assert await pending(shop, "chat-1", "ada_park", first, second) == []


async def test_a_notification_is_for_its_own_customer(shop: Services) -> None:
    await note(shop, "refund.settled", "1", amount=5_00)

    assert await pending(shop, "chat-1", "ben_ortiz") == []


async def test_a_notification_is_delivered_in_one_conversation(shop: Services) -> None:
    await note(shop, "refund.settled", "1", amount=5_00)
    await pending(shop, "chat-1")

    assert await pending(shop, "chat-2") == []


async def test_of_conversations_at_the_same_time_one_delivers_it(shop: Services) -> None:
    key = await note(shop, "refund.settled", "1", amount=5_00)

    answers = await asyncio.gather(*(pending(shop, f"chat-{n}") for n in range(5)))

    assert sorted(answers) == [[], [], [], [], [key]]


async def test_what_was_not_saved_is_delivered_again_in_the_same_conversation_only(shop: Services) -> None:
    saved, lost = [await note(shop, "refund.settled", about, amount=5_00) for about in ("1", "2")]
    await pending(shop, "chat-1")

    assert await pending(shop, "chat-2") == []
    assert await pending(shop, "chat-1", "ada_park", saved) == [lost]


async def test_many_notifications_are_delivered_in_parts(shop: Services) -> None:
    keys = {await note(shop, "refund.settled", f"{n:02}", amount=5_00) for n in range(BATCH_SIZE + 3)}

    first = await pending(shop)
    rest = await pending(shop, "chat-1", "ada_park", *first)

    assert (len(first), len(rest)) == (BATCH_SIZE, 3)
    assert {*first, *rest} == keys


async def test_what_is_old_is_not_delivered(shop: Services, clock: Clock) -> None:
    await shop.notifications.record_conversation("ada_park", "chat-1")
    await note(shop, "refund.settled", "1", amount=5_00)
    clock.advance(seconds=MAX_AGE.total_seconds())

    assert await shop.notifications.with_pending() == []
    assert await pending(shop) == []


async def test_what_a_reply_has_said_is_not_pending(shop: Services) -> None:
    key = await note(shop, "order.cancelled", W1001, rule="CUSTOMER-CANCELLED")
    await shop.notifications.mark_delivered("order.cancelled", W1001)

    assert await pending(shop) == []
    assert (await noted(shop, key)).sent is False


async def test_what_was_told_already_stays_told_where_it_was(shop: Services) -> None:
    key = await note(shop, "order.cancelled", W1001, rule="CUSTOMER-CANCELLED")
    await pending(shop, "chat-1")
    await shop.notifications.mark_delivered("order.cancelled", W1001)

    assert (await noted(shop, key)).thread_id == "chat-1"


async def test_the_newest_conversation_of_each_customer_is_woken(shop: Services, clock: Clock) -> None:
    for customer, thread_id in (("ben_ortiz", "chat-1"), ("ada_park", "chat-2"), ("ada_park", "chat-3")):
        await shop.notifications.record_conversation(customer, thread_id)
        clock.advance(seconds=1)
    assert await shop.notifications.with_pending() == []
    await note(shop, "refund.settled", "1", order_id=W1003, amount=5_00)
    await note(shop, "refund.settled", "2", amount=5_00)

    assert await shop.notifications.with_pending() == ["chat-3", "chat-1"]

    await pending(shop, "chat-3")
    assert await shop.notifications.with_pending() == ["chat-1"]


async def test_what_is_pending_waits_for_the_next_conversation_when_the_last_is_lost(shop: Services) -> None:
    await note(shop, "refund.settled", "1", amount=5_00)
    await shop.notifications.record_conversation("ada_park", "chat-1")
    await shop.notifications.forget_conversation("chat-1")
    assert await shop.notifications.with_pending() == []

    await shop.notifications.record_conversation("ada_park", "chat-2")

    assert await shop.notifications.with_pending() == ["chat-2"]


@pytest.mark.parametrize(("later", "noted_again"), [(RECORD_EVERY - timedelta(seconds=1), False), (RECORD_EVERY, True)])
async def test_a_conversation_that_goes_on_is_noted_now_and_then(
    shop: Services, clock: Clock, later: timedelta, noted_again: bool
) -> None:
    await shop.notifications.record_conversation("ada_park", "chat-1")
    began = clock.now
    clock.advance(seconds=later.total_seconds())

    await shop.notifications.record_conversation("ada_park", "chat-1")

    assert await last_conversation(shop) == ("chat-1", clock.now if noted_again else began)


async def test_first_conversations_at_the_same_time_do_not_fail(shop: Services) -> None:
    await asyncio.gather(*(shop.notifications.record_conversation("ada_park", f"chat-{n}") for n in range(5)))

    assert (await last_conversation(shop))[0].startswith("chat-")


async def test_who_is_no_customer_any_more_is_not_noted(shop: Services) -> None:
    await shop.notifications.record_conversation("nobody", "chat-1")

    assert await shop.notifications.with_pending() == []
