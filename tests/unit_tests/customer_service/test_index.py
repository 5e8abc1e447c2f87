"""A conversation's thread says what it waits for, before it waits."""

from typing import Any, cast

import pytest

from agent.services import Services
from tests.support.chains import BILLING
from tests.support.clock import Clock
from tests.support.conversations import MUCH, conversation, refunds, say, waiting_refund
from tests.support.goods import W1001
from tests.support.platform_stub import Platform
from tests.support.threads import APPROVE, events, reject, staff


@pytest.fixture
def said(indexed: Platform) -> dict[str, Any]:
    """What the thread of the conversation says."""
    indexed.thread("chat-1", "busy", graph="customer_service")
    return cast(dict[str, Any], indexed.threads["chat-1"]["metadata"])


async def test_each_step_is_said_until_the_end(shop: Services, said: dict[str, Any]) -> None:
    thread = await waiting_refund(MUCH)
    assert (said["awaiting"], said["request_type"], said["order_id"]) == (BILLING[0], "billing", W1001)

    await thread.answer(APPROVE, staff(BILLING[0]))
    assert said["awaiting"] == BILLING[1]

    await thread.answer(APPROVE, staff(BILLING[1]))
    assert said["awaiting"] is None


async def test_after_a_decision_the_next_request_is_said(shop: Services, said: dict[str, Any], clock: Clock) -> None:
    thread = await waiting_refund(MUCH)
    clock.advance(minutes=1)
    await waiting_refund(20_00, thread)
    first = said["request_id"]

    await thread.answer(reject("no"), staff(BILLING[0]))

    assert (said["awaiting"], said["request_id"] != first) == (BILLING[0], True)


async def test_a_conversation_that_waits_for_nobody_says_nothing(shop: Services, said: dict[str, Any]) -> None:
    await say(conversation(), f"where is {W1001}?")

    assert said == {"graph_id": "customer_service"}


async def test_a_thread_that_cannot_be_written_on_is_approved_all_the_same(shop: Services, indexed: Platform) -> None:
    failed = events("index.failed")
    thread = await waiting_refund(MUCH)
    for role in (BILLING[0], BILLING[1]):
        await thread.answer(APPROVE, staff(role))

    assert await refunds(shop) == [MUCH]
    assert events("index.failed") == failed + 3
