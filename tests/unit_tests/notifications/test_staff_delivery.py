"""Addresses of staff, over the wire: each hears of its queue once, in a sentence, however long another is dead."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import get_args

import pytest
from blockbuster import blockbuster_ctx
from fastapi import FastAPI, Request, Response
from pydantic import SecretStr
from sqlalchemy import func, select

from agent import services as composition
from agent.approvals.requests import Action
from agent.commerce.ticket_commands import OpenTicket
from agent.ledger.tables import StaffDeliveryRow
from agent.notifications.notify import StaffEvent
from agent.notifications.staff_delivery import MAX_AGE, MAX_ATTEMPTS, TOO_OLD
from agent.notifications.staff_sentences import SENTENCES
from agent.services import Services
from agent.settings import Settings
from tests.support.approvals import decide
from tests.support.chains import BILLING, OF_LARGE, due_seconds, next_role
from tests.support.clock import Clock
from tests.support.goods import W1001
from tests.support.serving import free_port, serving, until
from tests.support.threads import APPROVE, events, staff

PATH = "T0pS3cr3t"


@dataclass
class Chat:
    """Somebody's chat with a channel a path; a channel answers with the status that is set for it, else with 200."""

    url: str = ""
    asked: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    taken: list[tuple[str, str]] = field(default_factory=list)  # channel, sentence

    async def receive(self, channel: str, request: Request) -> Response:
        self.asked += 1
        status = self.statuses.get(channel, 200)
        if status == 200:
            self.taken.append((channel, (await request.json())["message"]))
        return Response(status_code=status)


@pytest.fixture
async def chat() -> AsyncIterator[Chat]:
    one, app = Chat(), FastAPI()
    app.add_api_route(f"/{PATH}/{{channel}}", one.receive, methods=["POST"])
    async with serving(app) as url:
        one.url = f"{url.replace('http', 'json')}/{PATH}"
        yield one


def addresses(**urls: str) -> SecretStr:
    return SecretStr(json.dumps({{"all": "*"}.get(queue, queue): url for queue, url in urls.items()}))


@pytest.fixture
def config(config: Settings, chat: Chat) -> Settings:
    """Billing agents have a channel, order managers another, and one is for all."""
    urls = {queue: f"{chat.url}/{queue}" for queue in (BILLING[0], OF_LARGE[0], "all")}
    return config.model_copy(update={"staff_notify_urls": addresses(**urls)})


async def ask(shop: Services, case: str = "large_order") -> str:
    """An order manager is asked about an order of Ada's; the request's id."""
    action = Action("approve_order", {"order_id": W1001, "total": 1_200_00}, "…")
    about = {"subject": "ada_park", "order_id": W1001, "thread_id": "thread-1", "asked_by": "channel-1"}
    return (await shop.approvals.open(action, case, key=f"order:{W1001}", **about))["request_id"]  # type: ignore[arg-type]


async def open_ticket(shop: Services, key: str = "t1") -> str:
    """Ada has written to billing; the ticket's id."""
    command = OpenTicket(
        key=key,
        actor="customer_service",
        subject="ada_park",
        topic="billing",
        text="I am Ada Park, ada.park@example.com",
    )
    ticket = await shop.commerce.run(command)
    assert isinstance(ticket, dict)
    return str(ticket["id"])


def left(shop: Services) -> int:
    """How many deliveries are still to be made."""
    with shop.database.reading() as session:
        return session.scalar(select(func.count()).select_from(StaffDeliveryRow)) or 0


async def test_a_request_is_told_to_its_queue_and_to_all_once(shop: Services, chat: Chat, clock: Clock) -> None:
    request_id = await ask(shop)
    until = f"{clock.now + timedelta(seconds=due_seconds('large_order')):%Y-%m-%d %H:%M} UTC"
    sentence = f"Request {request_id} (large order, order {W1001}) waits for {OF_LARGE[0]}, until {until}."

    await shop.staff_delivery.deliver()
    await ask(shop)
    assert await shop.staff_delivery.deliver() == {}

    assert sorted(chat.taken) == [("all", sentence), (OF_LARGE[0], sentence)]


async def test_a_ticket_is_told_to_its_queue_in_nobodys_words(shop: Services, chat: Chat, clock: Clock) -> None:
    ticket_id = await open_ticket(shop)
    until = f"{clock.now + timedelta(seconds=due_seconds('billing')):%Y-%m-%d %H:%M} UTC"

    with blockbuster_ctx():
        await shop.staff_delivery.deliver()

    sentence = f"Ticket {ticket_id} (billing) waits for {BILLING[0]}, until {until}."
    assert sorted(chat.taken) == [("all", sentence), (BILLING[0], sentence)]


async def test_who_a_request_is_escalated_to_hears_of_it_as_well_and_all_of_its_end(
    shop: Services, chat: Chat, clock: Clock
) -> None:
    request_id = await ask(shop)
    clock.advance(seconds=due_seconds("large_order"))
    await shop.deadlines.enforce_deadlines()
    view = await shop.approvals.get(request_id)
    clock.advance(seconds=1)
    await decide(shop.approvals, request_id, view["action_hash"], APPROVE, staff(OF_LARGE[0]))

    await shop.staff_delivery.deliver()

    about = f"Request {request_id} (large order, order {W1001})"
    assert [sentence for channel, sentence in chat.taken if channel == "all"][1:] == [
        f"{about} is overdue: {OF_LARGE[0]} or {next_role('large_order')} may answer it now.",
        f"{about}: {OF_LARGE[0]} said approve, and it is approved now.",
    ]


async def test_a_dead_address_does_not_hold_up_the_others_and_hears_of_it_when_it_is_back(
    shop: Services, chat: Chat, clock: Clock
) -> None:
    chat.statuses["all"] = 500
    tickets = [await open_ticket(shop, f"t{n}") for n in range(3)]
    failed = events("notification.failed")

    done = await shop.staff_delivery.deliver()

    assert sorted(done.values()) == ["delivered"] * 3 + ["failed"]
    assert [channel for channel, _ in chat.taken] == [BILLING[0]] * 3
    assert (chat.asked, events("notification.failed")) == (4, failed + 1), "who did not take one is left alone"

    chat.statuses.clear()
    await shop.staff_delivery.deliver()
    clock.advance(minutes=1)
    await shop.staff_delivery.deliver()

    heard = [sentence.split()[1] for channel, sentence in chat.taken if channel == "all"]
    assert sorted(heard) == sorted(tickets)
    assert len(chat.taken) == 6
    assert left(shop) == 0


async def test_nobody_there_is_a_failure_that_shows_no_address(
    config: Settings, chat: Chat, clock: Clock, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(0)
    dead = f"json://127.0.0.1:{free_port()}/{PATH}/x"
    urls = addresses(**{"all": dead, BILLING[0]: f"{chat.url}/{BILLING[0]}"})
    shop = await composition.build(config.model_copy(update={"staff_notify_urls": urls}), clock)
    await open_ticket(shop)

    done = await shop.staff_delivery.deliver()

    assert sorted(done.values()) == ["delivered", "failed"]
    assert PATH not in f"{caplog.text} {capfd.readouterr()} {shop}"
    await shop.close()


async def test_an_address_that_never_takes_it_is_given_up_after_a_while(
    shop: Services, chat: Chat, clock: Clock
) -> None:
    chat.statuses |= {"all": 400, BILLING[0]: 302}
    await open_ticket(shop)
    failed, undelivered = events("notification.failed"), events("notification.undelivered")

    for _ in range(MAX_ATTEMPTS + 1):
        await shop.staff_delivery.deliver()
        clock.advance(hours=1)

    assert chat.asked == 2 * MAX_ATTEMPTS
    assert events("notification.failed") == failed + 2 * (MAX_ATTEMPTS - 1)
    assert events("notification.undelivered") == undelivered + 2
    assert left(shop) == 0


async def test_two_that_deliver_at_the_same_time_deliver_once(shop: Services, chat: Chat) -> None:
    tickets = [await open_ticket(shop, f"t{n}") for n in range(5)]

    await asyncio.gather(*(shop.staff_delivery.deliver() for _ in range(3)))
    await shop.staff_delivery.deliver()

    assert len(chat.taken) == 2 * len(tickets) == len(set(chat.taken))


async def test_a_process_that_ends_while_it_delivers_is_followed_by_another_attempt(
    shop: Services, chat: Chat, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_ticket(shop)

    begun: list[object] = []

    async def never_ends(*of: object) -> None:
        begun.append(of)
        await asyncio.Event().wait()

    async def both_have_begun() -> bool:
        return len(begun) == 2

    with monkeypatch.context() as patch:
        patch.setattr("agent.notifications.staff_addresses.StaffAddress.send", never_ends)
        delivering = asyncio.create_task(shop.staff_delivery.deliver())
        await until(both_have_begun)
        delivering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await delivering
    assert await shop.staff_delivery.deliver() == {}, "not due yet"
    clock.advance(minutes=1)
    await shop.staff_delivery.deliver()

    assert sorted(channel for channel, _ in chat.taken) == ["all", BILLING[0]]


async def test_a_new_address_does_not_begin_with_the_past(shop: Services, chat: Chat, clock: Clock) -> None:
    await open_ticket(shop)
    clock.advance(seconds=MAX_AGE.total_seconds())

    assert await shop.staff_delivery.deliver() == {}


@pytest.mark.parametrize(("seconds", "given_up"), [(0, 0), (1, 2)])
async def test_an_address_that_comes_back_hears_of_nothing_too_old(
    shop: Services, chat: Chat, clock: Clock, seconds: int, given_up: int
) -> None:
    chat.statuses |= {"all": 500, BILLING[0]: 500}
    await open_ticket(shop)
    await shop.staff_delivery.deliver()
    chat.statuses.clear()
    clock.advance(seconds=TOO_OLD.total_seconds() + seconds)
    undelivered = events("notification.undelivered")

    done = await shop.staff_delivery.deliver()

    assert len(done) == len(chat.taken) == 2 - given_up
    assert events("notification.undelivered") == undelivered + given_up
    assert left(shop) == 0


async def test_without_addresses_nothing_is_looked_at(config: Settings, chat: Chat, clock: Clock) -> None:
    shop = await composition.build(config.model_copy(update={"staff_notify_urls": SecretStr("")}), clock)
    await open_ticket(shop)

    assert (await shop.staff_delivery.deliver(), left(shop), chat.asked) == ({}, 0, 0)
    await shop.close()


def test_every_event_about_requests_and_tickets_has_its_sentence() -> None:
    assert set(SENTENCES) == {event for event in get_args(StaffEvent) if event.startswith(("approval.", "ticket."))}
