"""Webhooks: each notification reaches its receiver, however often that is down, and nothing waits for it."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI, Request, Response
from standardwebhooks import Webhook

from agent import services as composition
from agent.approvals.requests import Action
from agent.notifications.webhook_delivery import ALARMING, BATCH_SIZE
from agent.services import Services
from agent.settings import Settings
from tests.support.approvals import decide
from tests.support.chains import OF_LARGE, due_seconds
from tests.support.clock import Clock
from tests.support.goods import W1001
from tests.support.notifications import note, noted
from tests.support.serving import serving, until
from tests.support.threads import APPROVE, events, staff

SECRET = f"whsec_{b64encode(bytes(range(24))).decode()}"


@dataclass
class Receiver:
    """Somebody's endpoint, which verifies what it gets: `taken` are the messages that it said 204 to."""

    url: str = ""
    status: int = 204
    asked: int = 0
    taken: list[dict[str, Any]] = field(default_factory=list)
    answers: asyncio.Event = field(default_factory=asyncio.Event)  # set, unless it is slow

    async def receive(self, request: Request) -> Response:
        self.asked += 1
        message = Webhook(SECRET).verify(await request.body(), dict(request.headers))
        assert request.headers["webhook-id"] == message["id"]
        await self.answers.wait()
        if self.status == 204:
            self.taken.append(message)
        return Response(status_code=self.status)


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    one, app = Receiver(), FastAPI()
    one.answers.set()
    app.add_api_route("/notifications", one.receive, methods=["POST"])
    async with serving(app) as url:
        one.url = f"{url}/notifications"
        yield one


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Who hears of customers' orders."""
    async with receiving() as one:
        yield one


@pytest.fixture
async def staff_tool() -> AsyncIterator[Receiver]:
    """What the staff uses, which hears of approvals."""
    async with receiving() as one:
        yield one


@pytest.fixture
def config(config: Settings, receiver: Receiver, staff_tool: Receiver) -> Settings:
    """Notifications go to the receivers."""
    urls = {"notice_webhook_url": receiver.url, "approval_webhook_url": staff_tool.url}
    secrets = dict.fromkeys(("notice_webhook_secret", "approval_webhook_secret"), SECRET)
    return Settings(**{**dict(config), **urls, **secrets})


async def asked(shop: Services) -> str:
    """An order manager is asked about an order of Ada's; the request's id."""
    view = await shop.approvals.open(
        Action("approve_order", {"order_id": W1001, "total": 1_200_00}, "…"),
        "large_order",
        key=f"order:{W1001}",
        subject="ada_park",
        order_id=W1001,
        thread_id="thread-1",
        asked_by="channel-1",
    )
    return view["request_id"]


async def test_a_notification_reaches_its_receiver_signed_and_once(
    shop: Services, clock: Clock, receiver: Receiver
) -> None:
    key = await note(shop, "refund.settled", "r1", amount=60_00)

    assert await shop.webhook_delivery.deliver() == {key: "delivered"}
    assert await shop.webhook_delivery.deliver() == {}

    assert receiver.taken == [
        {
            "type": "refund.settled",
            "id": key,
            "timestamp": clock.now.isoformat(),
            "data": {"customer_id": "ada_park", "order_id": W1001, "amount": 60_00},
        }
    ]


async def test_a_notification_that_was_not_taken_is_sent_again_later_and_later_and_taken_once(
    shop: Services, clock: Clock, receiver: Receiver
) -> None:
    key = await note(shop, "refund.settled", "r1", amount=60_00)
    receiver.status = 404
    for minutes in (1, 2, 4, 8, 16, 32, 60, 60):
        assert await shop.webhook_delivery.deliver() == {key: "failed"}
        clock.advance(minutes=minutes, seconds=-1)
        assert await shop.webhook_delivery.deliver() == {}, "not due yet"
        clock.advance(seconds=1)
    receiver.status = 204

    assert await shop.webhook_delivery.deliver() == {key: "delivered"}

    clock.advance(hours=2)
    assert await shop.webhook_delivery.deliver() == {}
    assert len(receiver.taken) == 1
    assert receiver.asked == 9


async def test_a_notification_that_is_never_taken_raises_the_alarm_and_is_tried_on(
    shop: Services, clock: Clock, receiver: Receiver
) -> None:
    key = await note(shop, "refund.settled", "r1", amount=60_00)
    receiver.status = 404
    failed, undelivered = events("notification.failed"), events("notification.undelivered")

    for _ in range(ALARMING + 1):
        assert await shop.webhook_delivery.deliver() == {key: "failed"}
        clock.advance(hours=1)

    assert events("notification.failed") == failed + ALARMING - 1
    assert events("notification.undelivered") == undelivered + 2
    receiver.status = 204
    assert await shop.webhook_delivery.deliver() == {key: "delivered"}


@pytest.mark.parametrize("status", [301, 400, 410, 500, 503])
async def test_only_a_success_is_a_taking(shop: Services, receiver: Receiver, status: int) -> None:
    key = await note(shop, "refund.settled", "r1", amount=60_00)
    receiver.status = status

    assert await shop.webhook_delivery.deliver() == {key: "failed"}
    assert (await noted(shop, key)).sent is False


async def test_while_the_receiver_is_down_it_is_left_alone_and_no_attempt_counts(
    shop: Services, receiver: Receiver
) -> None:
    keys = [await note(shop, "refund.settled", f"r{n}", amount=60_00) for n in range(10)]
    receiver.status = 500

    assert await shop.webhook_delivery.deliver() == dict.fromkeys(keys[:4], "failed")

    assert receiver.asked == 4, "the breaker is open now"
    assert [(await noted(shop, key)).attempts for key in keys] == [1] * 4 + [0] * 6
    assert await shop.webhook_delivery.deliver() == {}

    receiver.status = 204
    shop.breakers["customers-webhook"].reset()
    assert await shop.webhook_delivery.deliver() == dict.fromkeys(keys[4:], "delivered")


async def test_a_notification_that_cannot_be_taken_does_not_stop_the_others(shop: Services, receiver: Receiver) -> None:
    keys = [await note(shop, "refund.settled", f"r{n}", amount=60_00) for n in range(2)]
    receiver.status = 400
    assert await shop.webhook_delivery.deliver() == dict.fromkeys(keys, "failed")
    receiver.status = 204

    other = await note(shop, "refund.settled", "r2", amount=60_00)

    assert await shop.webhook_delivery.deliver() == {other: "delivered"}


async def test_without_a_receiver_notifications_wait_without_attempts(clock: Clock, config: Settings) -> None:
    shop = await composition.build(Settings(**{**dict(config), "notice_webhook_url": ""}), clock)
    key = await note(shop, "refund.settled", "r1", amount=60_00)

    assert await shop.webhook_delivery.deliver() == {}

    assert (await noted(shop, key)).attempts == 0
    await shop.close()


async def test_two_that_deliver_at_the_same_time_send_each_once(shop: Services, receiver: Receiver) -> None:
    keys = [await note(shop, "refund.settled", f"r{n}", amount=60_00) for n in range(5)]

    await asyncio.gather(*(shop.webhook_delivery.deliver() for _ in range(3)))

    assert sorted(message["id"] for message in receiver.taken) == keys


async def test_two_that_fail_at_the_same_time_count_one_attempt(shop: Services, receiver: Receiver) -> None:
    key = await note(shop, "refund.settled", "r1", amount=60_00)
    receiver.status = 404

    await asyncio.gather(*(shop.webhook_delivery.deliver() for _ in range(3)))

    assert (receiver.asked, (await noted(shop, key)).attempts) == (1, 1)


async def test_a_process_that_ends_while_it_sends_is_followed_by_another_attempt(
    shop: Services, clock: Clock, receiver: Receiver
) -> None:
    key = await note(shop, "refund.settled", "r1", amount=60_00)
    receiver.answers.clear()
    delivering = asyncio.create_task(shop.webhook_delivery.deliver())

    async def was_asked() -> bool:
        return receiver.asked == 1

    await until(was_asked)
    delivering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await delivering
    receiver.answers.set()
    assert await shop.webhook_delivery.deliver() == {}, "not due yet"
    clock.advance(minutes=1)

    assert await shop.webhook_delivery.deliver() == {key: "delivered"}


async def test_a_slow_receiver_of_customers_does_not_hold_up_the_staffs(
    shop: Services, receiver: Receiver, staff_tool: Receiver
) -> None:
    await note(shop, "refund.settled", "r1", amount=60_00)
    await asked(shop)
    receiver.answers.clear()
    delivering = asyncio.create_task(shop.webhook_delivery.deliver())

    async def staff_has_heard() -> bool:
        return len(staff_tool.taken) == 1

    await until(staff_has_heard)
    assert not delivering.done()
    receiver.answers.set()
    assert list((await delivering).values()) == ["delivered"] * 2


async def test_a_pass_sends_no_more_than_a_batch(shop: Services, receiver: Receiver) -> None:
    for n in range(BATCH_SIZE + 1):
        await note(shop, "refund.settled", f"r{n}", amount=60_00)

    assert [len(await shop.webhook_delivery.deliver()) for _ in range(2)] == [BATCH_SIZE, 1]


async def test_staff_hears_of_approvals_signed_and_once_and_customers_receivers_do_not(
    shop: Services, clock: Clock, receiver: Receiver, staff_tool: Receiver
) -> None:
    request_id = await asked(shop)
    key = f"approval.requested:{request_id}/0/0"

    assert await shop.webhook_delivery.deliver() == {key: "delivered"}
    assert await asked(shop) == request_id
    assert await shop.webhook_delivery.deliver() == {}

    assert receiver.taken == []
    assert staff_tool.taken == [
        {
            "type": "approval.requested",
            "id": key,
            "timestamp": clock.now.isoformat(),
            "data": {
                "order_id": W1001,
                "request_id": request_id,
                "case": "large_order",
                "status": "open",
                "roles": [OF_LARGE[0]],
                "step": 1,
                "steps": len(OF_LARGE),
                "due": (clock.now + timedelta(seconds=due_seconds("large_order"))).isoformat(),
                "amount": 1_200_00,
            },
        }
    ]


async def test_a_receiver_of_the_staffs_that_is_down_blocks_no_approval_and_no_other_receiver(
    shop: Services, clock: Clock, receiver: Receiver, staff_tool: Receiver
) -> None:
    staff_tool.status = 500
    request_id = await asked(shop)
    view = await shop.approvals.get(request_id)
    for _ in range(4):
        await shop.webhook_delivery.deliver()
        clock.advance(hours=1)
    assert shop.breakers["staff-webhook"].snapshot().state == "open"

    done = await decide(shop.approvals, request_id, view["action_hash"], APPROVE, staff(OF_LARGE[0]))
    refund = await note(shop, "refund.settled", "r1", amount=60_00)

    assert done["status"] == "approved"
    assert (await shop.webhook_delivery.deliver())[refund] == "delivered"
    assert {message["type"] for message in receiver.taken} == {"approval.decided", "refund.settled"}
    staff_tool.status = 204
    shop.breakers["staff-webhook"].reset()
    await shop.webhook_delivery.deliver()
    clock.advance(hours=1)
    await shop.webhook_delivery.deliver()
    assert sorted(message["type"] for message in staff_tool.taken) == ["approval.decided", "approval.requested"]
