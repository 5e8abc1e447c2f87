"""What of a customer's notices is told where, and where they were last heard."""

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from agent.commerce.news import BATCH_SIZE, FRESH, HEARD_AGAIN
from agent.ledger.tables import ConversationRow
from agent.services import Services
from tests.support.clock import Clock
from tests.support.notices import note, noted


async def told(shop: Services, thread_id: str = "chat-1", customer: str = "ada_park", *already: str) -> list[str]:
    """The keys of what is to be told in a conversation."""
    return [notice.key for notice in await shop.news.untold(customer, thread_id, set(already))]


async def last_heard(shop: Services, customer: str = "ada_park") -> tuple[str, datetime]:
    with shop.database.reading() as session:
        row = session.scalars(select(ConversationRow).where(ConversationRow.customer_id == customer)).one()
        return row.thread_id, row.at


async def test_news_is_told_oldest_first_and_once(shop: Services, clock: Clock) -> None:
    first = await note(shop, "refund.settled", "z", amount=5_00)
    clock.advance(seconds=1)
    second = await note(shop, "refund.settled", "a", amount=6_00)

    assert await told(shop) == [first, second]
    assert await told(shop, "chat-1", "ada_park", first, second) == []


async def test_news_is_for_its_own_customer(shop: Services) -> None:
    await note(shop, "refund.settled", "1", amount=5_00)

    assert await told(shop, "chat-1", "ben_ortiz") == []


async def test_news_is_told_in_one_conversation(shop: Services) -> None:
    await note(shop, "refund.settled", "1", amount=5_00)
    await told(shop, "chat-1")

    assert await told(shop, "chat-2") == []


async def test_of_conversations_at_the_same_time_one_tells_the_news(shop: Services) -> None:
    key = await note(shop, "refund.settled", "1", amount=5_00)

    answers = await asyncio.gather(*(told(shop, f"chat-{n}") for n in range(5)))

    assert sorted(answers) == [[], [], [], [], [key]]


async def test_news_whose_message_was_not_saved_is_told_again_in_the_same_conversation_only(shop: Services) -> None:
    saved, lost = [await note(shop, "refund.settled", about, amount=5_00) for about in ("1", "2")]
    await told(shop, "chat-1")

    assert await told(shop, "chat-2") == []
    assert await told(shop, "chat-1", "ada_park", saved) == [lost]


async def test_a_lot_of_news_is_told_in_parts(shop: Services) -> None:
    keys = {await note(shop, "refund.settled", f"{n:02}", amount=5_00) for n in range(BATCH_SIZE + 3)}

    first = await told(shop)
    rest = await told(shop, "chat-1", "ada_park", *first)

    assert (len(first), len(rest)) == (BATCH_SIZE, 3)
    assert {*first, *rest} == keys


async def test_what_is_old_is_no_news(shop: Services, clock: Clock) -> None:
    await shop.news.heard("ada_park", "chat-1")
    await note(shop, "refund.settled", "1", amount=5_00)
    clock.advance(seconds=FRESH.total_seconds())

    assert await shop.news.conversations() == []
    assert await told(shop) == []


async def test_what_an_answer_has_told_is_no_news(shop: Services) -> None:
    key = await note(shop, "order.cancelled", "W-1001", rule="CUSTOMER-CANCELLED")
    await shop.news.said("order.cancelled", "W-1001")

    assert await told(shop) == []
    assert (await noted(shop, key)).sent is False


async def test_what_was_told_already_stays_told_where_it_was(shop: Services) -> None:
    key = await note(shop, "order.cancelled", "W-1001", rule="CUSTOMER-CANCELLED")
    await told(shop, "chat-1")
    await shop.news.said("order.cancelled", "W-1001")

    assert (await noted(shop, key)).thread_id == "chat-1"


async def test_the_newest_conversation_of_each_customer_is_to_tell_their_news(shop: Services, clock: Clock) -> None:
    for customer, thread_id in (("ben_ortiz", "chat-1"), ("ada_park", "chat-2"), ("ada_park", "chat-3")):
        await shop.news.heard(customer, thread_id)
        clock.advance(seconds=1)
    assert await shop.news.conversations() == []
    await note(shop, "refund.settled", "1", order_id="W-1003", amount=5_00)
    await note(shop, "refund.settled", "2", amount=5_00)

    assert await shop.news.conversations() == ["chat-3", "chat-1"]

    await told(shop, "chat-3")
    assert await shop.news.conversations() == ["chat-1"]


async def test_news_waits_for_the_next_conversation_when_the_last_is_lost(shop: Services) -> None:
    await note(shop, "refund.settled", "1", amount=5_00)
    await shop.news.heard("ada_park", "chat-1")
    await shop.news.forget("chat-1")
    assert await shop.news.conversations() == []

    await shop.news.heard("ada_park", "chat-2")

    assert await shop.news.conversations() == ["chat-2"]


@pytest.mark.parametrize(("later", "noted_again"), [(HEARD_AGAIN - timedelta(seconds=1), False), (HEARD_AGAIN, True)])
async def test_a_conversation_that_goes_on_is_noted_now_and_then(
    shop: Services, clock: Clock, later: timedelta, noted_again: bool
) -> None:
    await shop.news.heard("ada_park", "chat-1")
    began = clock.now
    clock.advance(seconds=later.total_seconds())

    await shop.news.heard("ada_park", "chat-1")

    assert await last_heard(shop) == ("chat-1", clock.now if noted_again else began)


async def test_first_conversations_at_the_same_time_do_not_fail(shop: Services) -> None:
    await asyncio.gather(*(shop.news.heard("ada_park", f"chat-{n}") for n in range(5)))

    assert (await last_heard(shop))[0].startswith("chat-")


async def test_who_is_no_customer_any_more_is_not_noted(shop: Services) -> None:
    await shop.news.heard("nobody", "chat-1")

    assert await shop.news.conversations() == []
