"""Requests that people are to decide on: their threads are woken when time changes them, and none is forgotten."""

from typing import Any
from uuid import UUID

import pytest

from agent.approvals.chains import CHAINS
from agent.approvals.requests import Action
from agent.commerce.ticket_commands import OpenTicket
from agent.reconciler import approval_jobs
from agent.services import Services
from tests.support.approvals import decide
from tests.support.chains import GENERAL, due_seconds, expiry_seconds
from tests.support.clock import Clock
from tests.support.commands import done
from tests.support.goods import W1001
from tests.support.platform_stub import Platform
from tests.support.threads import APPROVE, SERVICE, reject, staff

from .test_jobs import CHAT, DRIVEN, LONG_AGO, NOW, OTHER_CHAT, THREAD, ask, inputs, parked, reconcile

ASKING: dict[str, Any] = {"messages": []}


async def test_an_overdue_request_is_escalated_and_its_order_looks_again(
    shop: Services, platform: Platform, clock: Clock
) -> None:
    view = await ask(shop.approvals, THREAD, "N-1")
    platform.thread(THREAD, "interrupted", updated_at=NOW)
    clock.advance(seconds=due_seconds("general"))

    report = await reconcile()

    assert report["approvals"] == {view["request_id"]: "escalated"}
    assert report["woken"] == {view["request_id"]: "woken"}
    assert inputs(platform) == DRIVEN


async def test_a_ticket_that_nobody_takes_is_escalated(shop: Services, platform: Platform, clock: Clock) -> None:
    command = OpenTicket(key="t1", actor="customer_service", subject="ada_park", topic="technical", text="It hums.")
    ticket = await done(shop, command)
    assert (await reconcile())["tickets"] == {}
    clock.advance(seconds=due_seconds("technical"))
    assert (await reconcile())["tickets"] == {ticket["id"]: "escalated"}
    assert (await reconcile())["tickets"] == {}


async def test_a_conversation_is_woken_by_an_answer_that_is_none(
    shop: Services, platform: Platform, clock: Clock
) -> None:
    view = await ask(shop.approvals, CHAT, W1001)
    platform.thread(CHAT, "interrupted", graph="customer_service", updated_at=NOW)
    clock.advance(seconds=expiry_seconds("general"))

    report = await reconcile()

    assert report["approvals"] == {view["request_id"]: "expired"}
    assert report["woken"] == {view["request_id"]: "woken"}
    ((thread, body),) = platform.runs
    assert (thread, body["assistant_id"]) == (CHAT, "customer_service")
    assert (body["command"], body.get("input")) == ({"resume": "look again"}, None)


async def test_threads_that_do_not_wait_are_not_woken(shop: Services, platform: Platform, clock: Clock) -> None:
    busy, gone = await ask(shop.approvals, CHAT), await ask(shop.approvals, OTHER_CHAT)
    platform.thread(CHAT, "busy", graph="customer_service", updated_at=NOW)
    clock.advance(seconds=expiry_seconds("general"))

    assert (await reconcile())["woken"] == {busy["request_id"]: "at work", gone["request_id"]: "thread is gone"}
    assert platform.runs == []


async def test_a_thread_is_woken_again_until_it_looked(shop: Services, platform: Platform, clock: Clock) -> None:
    view = await ask(shop.approvals, THREAD, "N-1")
    platform.thread(THREAD, "interrupted", updated_at=NOW)
    clock.advance(seconds=due_seconds("general"))
    await reconcile()

    assert (await reconcile())["woken"] == {view["request_id"]: "woken"}

    await decide(shop.approvals, view["request_id"], view["action_hash"], "look again", SERVICE)
    assert (await reconcile())["woken"] == {}


async def test_a_thread_that_asked_anew_has_looked(shop: Services, platform: Platform, clock: Clock) -> None:
    await ask(shop.approvals, THREAD, "N-1")
    platform.thread(THREAD, "interrupted", updated_at=NOW)
    clock.advance(seconds=due_seconds("general"))
    await reconcile()

    await ask(shop.approvals, THREAD, "N-1")

    assert (await reconcile())["woken"] == {}


async def test_a_reminder_wakes_no_thread(shop: Services, platform: Platform, clock: Clock) -> None:
    view = await ask(shop.approvals, CHAT)
    platform.thread(CHAT, "interrupted", graph="customer_service", updated_at=NOW)
    clock.advance(seconds=CHAINS["general"][0]["reminder_seconds"])

    report = await reconcile()

    assert (report["approvals"], report["woken"]) == ({view["request_id"]: "reminded"}, {})
    assert platform.runs == []


async def test_a_lost_conversation_is_made_again_for_its_owner_and_asks(shop: Services, platform: Platform) -> None:
    await shop.approvals.open(
        Action("refund_payment", {"amount": 1}, "…"),
        "general",
        key="plan:1",
        subject="ada_park",
        order_id=W1001,
        thread_id=CHAT,
        asked_by="channel-1",
    )

    assert (await reconcile())["asked"] == {CHAT: "asked again"}

    assert platform.created == [CHAT]
    assert platform.threads[CHAT]["metadata"] == {"graph_id": "customer_service", "owner": "channel:channel-1"}
    ((thread, body),) = platform.runs
    assert (thread, body["assistant_id"], body["input"]) == (CHAT, "customer_service", ASKING)
    assert body["multitask_strategy"] == "reject"


@pytest.mark.parametrize(("status", "updated_at"), [("idle", NOW), ("error", NOW), ("interrupted", LONG_AGO)])
async def test_a_conversation_that_does_not_show_its_request_asks_again(
    shop: Services, platform: Platform, status: str, updated_at: str
) -> None:
    await ask(shop.approvals, CHAT)
    platform.thread(CHAT, status, graph="customer_service", updated_at=updated_at)

    assert (await reconcile())["asked"] == {CHAT: "asked again"}

    assert inputs(platform) == [(CHAT, ASKING)]
    assert platform.created == []


async def test_a_conversation_that_shows_its_request_is_left_to_people(shop: Services, platform: Platform) -> None:
    await ask(shop.approvals, CHAT)
    platform.thread(CHAT, "interrupted", graph="customer_service", updated_at=NOW)

    assert (await reconcile())["asked"] == {}
    assert platform.runs == []


async def test_a_conversation_at_work_is_left_to_its_work(shop: Services, platform: Platform) -> None:
    await ask(shop.approvals, CHAT)
    platform.thread(CHAT, "busy", graph="customer_service", updated_at=NOW)

    assert (await reconcile())["asked"] == {CHAT: "at work"}
    assert platform.runs == []


async def test_a_conversation_whose_request_is_decided_is_not_made_again(shop: Services, platform: Platform) -> None:
    view = await ask(shop.approvals, CHAT)
    await decide(shop.approvals, view["request_id"], view["action_hash"], reject("no"), staff(GENERAL[0]))

    assert (await reconcile())["asked"] == {}
    assert platform.created == []


async def test_an_order_is_asked_about_by_its_own_job(shop: Services, platform: Platform) -> None:
    await parked(shop, "awaiting_approval")
    await ask(shop.approvals, THREAD, "N-1")
    platform.thread(THREAD, "idle", updated_at=NOW)

    assert (await reconcile())["asked"] == {}


async def test_many_waiting_conversations_are_looked_for_together(
    shop: Services, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(approval_jobs, "BATCH_SIZE", 2)
    chats = [str(UUID(int=n, version=4)) for n in range(5)]
    for chat in chats:
        await ask(shop.approvals, chat)
        platform.thread(chat, "interrupted", graph="customer_service", updated_at=NOW)
    platform.threads[chats[3]]["status"] = "idle"

    assert (await reconcile())["asked"] == {chats[3]: "asked again"}


async def test_a_conversation_that_cannot_be_asked_keeps_no_other_waiting(shop: Services, platform: Platform) -> None:
    for chat in (CHAT, OTHER_CHAT):
        await ask(shop.approvals, chat)
        platform.thread(chat, "idle", graph="customer_service", updated_at=NOW)
    platform.broken[f"/threads/{CHAT}/runs"] = 409

    assert (await reconcile())["asked"] == {CHAT: "refused (409)", OTHER_CHAT: "asked again"}


async def test_each_run_is_a_heartbeat(shop: Services, platform: Platform, clock: Clock) -> None:
    assert await shop.heartbeat.last() is None
    await reconcile()
    clock.advance(minutes=1)
    await reconcile()

    assert await shop.heartbeat.last() == clock.now


async def test_a_conversation_that_waits_and_does_not_say_so_is_noted(
    shop: Services, platform: Platform, indexed: Platform
) -> None:
    view = await ask(shop.approvals, CHAT)
    for where in (platform, indexed):
        where.thread(CHAT, "interrupted", graph="customer_service", updated_at=NOW)

    await reconcile()

    assert indexed.threads[CHAT]["metadata"]["request_id"] == view["request_id"]


def showing(request_id: str) -> dict[str, Any]:
    return {"interrupts": {"task": [{"id": "0" * 32, "value": {"request_id": request_id}}]}}


@pytest.mark.parametrize("noted", [False, True], ids=["by its interrupt", "by its note"])
async def test_a_thread_that_shows_a_decided_request_is_brought_to_its_end(
    shop: Services, platform: Platform, noted: bool
) -> None:
    decided, waits = await ask(shop.approvals, THREAD, "N-1"), await ask(shop.approvals, CHAT, W1001)
    await decide(shop.approvals, decided["request_id"], decided["action_hash"], reject("no"), staff(GENERAL[0]))
    for thread, graph, view in ((THREAD, "order_processing", decided), (CHAT, "customer_service", waits)):
        platform.thread(thread, "interrupted", graph=graph, updated_at=NOW)
        if noted:
            platform.threads[thread]["metadata"]["request_id"] = view["request_id"]
        else:
            platform.threads[thread] |= showing(view["request_id"])

    report = await reconcile()

    assert report["ended"] == {THREAD: "driven on"}
    assert inputs(platform) == DRIVEN


async def test_a_conversation_that_shows_a_decided_request_goes_on(shop: Services, platform: Platform) -> None:
    view = await ask(shop.approvals, CHAT, W1001)
    await decide(shop.approvals, view["request_id"], view["action_hash"], reject("no"), staff(GENERAL[0]))
    platform.thread(CHAT, "interrupted", graph="customer_service", updated_at=LONG_AGO, **showing(view["request_id"]))

    assert (await reconcile())["ended"] == {CHAT: "driven on"}
    assert inputs(platform) == [(CHAT, ASKING)]


@pytest.mark.parametrize("status", ["interrupted", "idle", "error", None])
async def test_what_was_approved_and_is_not_made_is_made_on_its_thread_wherever_that_stands(
    shop: Services, platform: Platform, status: str | None
) -> None:
    view = await ask(shop.approvals, CHAT, W1001)
    await decide(shop.approvals, view["request_id"], view["action_hash"], APPROVE, staff(GENERAL[0]))
    if status:
        platform.thread(CHAT, status, graph="customer_service", updated_at=LONG_AGO)

    assert (await reconcile())["woken"] == {view["request_id"]: "woken"}
    assert inputs(platform) == [(CHAT, ASKING)]
    assert platform.created == ([] if status else [CHAT])
