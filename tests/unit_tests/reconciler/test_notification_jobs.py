"""Conversations are woken for notifications, webhooks are sent, and neither keeps the other waiting."""

import pytest

from agent.services import Services
from tests.support.goods import W1003
from tests.support.notifications import note
from tests.support.platform_stub import Platform

from .test_jobs import NOW, inputs, reconcile


async def with_pending(shop: Services, thread_id: str = "chat-1") -> str:
    """Ada last wrote in this conversation, and has not heard of her refund; the notification's key."""
    await shop.notifications.record_conversation("ada_park", thread_id)
    return await note(shop, "refund.settled", "r1", amount=60_00)


@pytest.mark.parametrize("status", ["idle", "interrupted", "error"])
async def test_a_conversation_with_a_pending_notification_is_woken_without_a_message(
    shop: Services, platform: Platform, status: str
) -> None:
    await with_pending(shop)
    platform.thread("chat-1", status, graph="customer_service", updated_at=NOW)

    assert (await reconcile())["conversations"] == {"chat-1": "woken"}

    assert inputs(platform) == [("chat-1", {"messages": []})]
    ((_, body),) = platform.runs
    assert (body["assistant_id"], body["multitask_strategy"]) == ("customer_service", "reject")


async def test_a_conversation_with_nothing_pending_is_left_alone(shop: Services, platform: Platform) -> None:
    await with_pending(shop)
    platform.thread("chat-1", "idle", graph="customer_service", updated_at=NOW)
    await shop.notifications.take_pending("ada_park", "chat-1", set())

    assert (await reconcile())["conversations"] == {}
    assert platform.runs == []


async def test_a_conversation_that_is_at_work_is_woken_later(shop: Services, platform: Platform) -> None:
    await with_pending(shop)
    platform.thread("chat-1", "busy", graph="customer_service", updated_at=NOW)
    assert (await reconcile())["conversations"] == {"chat-1": "at work"}
    assert platform.runs == []

    platform.thread("chat-1", "idle", graph="customer_service", updated_at=NOW)
    assert (await reconcile())["conversations"] == {"chat-1": "woken"}


async def test_what_a_lost_conversation_had_pending_waits_for_the_next(shop: Services, platform: Platform) -> None:
    await with_pending(shop, "lost")
    assert (await reconcile())["conversations"] == {"lost": "thread is gone"}
    assert (await reconcile())["conversations"] == {}

    await shop.notifications.record_conversation("ada_park", "chat-1")
    platform.thread("chat-1", "idle", graph="customer_service", updated_at=NOW)
    assert (await reconcile())["conversations"] == {"chat-1": "woken"}


async def test_a_conversation_that_cannot_be_woken_does_not_keep_the_others_waiting(
    shop: Services, platform: Platform
) -> None:
    await with_pending(shop)
    await shop.notifications.record_conversation("ben_ortiz", "chat-2")
    await note(shop, "refund.settled", "r2", order_id=W1003, amount=60_00)
    for thread in ("chat-1", "chat-2"):
        platform.thread(thread, "idle", graph="customer_service", updated_at=NOW)
    platform.broken["/threads/chat-1/runs"] = 409

    assert (await reconcile())["conversations"] == {"chat-1": "refused (409)", "chat-2": "woken"}
