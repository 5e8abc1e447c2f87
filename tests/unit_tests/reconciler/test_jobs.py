"""What the reconciler does about what it finds, with the ledger real and the platform a stub."""

from typing import Any

import pytest
from sqlalchemy import update

from agent.approvals.models import ApprovalView
from agent.approvals.requests import Action, Approvals
from agent.commerce.commands import NewOrder
from agent.commerce.debt_outcomes import ATTEMPTS
from agent.ledger.tables import DebtRow
from agent.platform import order_thread
from agent.reconciler import approval_jobs, jobs, notification_jobs
from agent.reconciler.graph import graph
from agent.services import Services
from tests.support import steps
from tests.support.chains import due_seconds
from tests.support.clock import Clock
from tests.support.commands import cancel_order, place_order
from tests.support.goods import W1002
from tests.support.platform_stub import Platform
from tests.support.threads import events

THREAD = order_thread("N-1", "customer:ada_park")
CHAT, OTHER_CHAT = "6f0a1f5e-57b1-4f0e-8f6b-0c7b1d1b7a01", "6f0a1f5e-57b1-4f0e-8f6b-0c7b1d1b7a02"
LONG_AGO = "2026-06-01T11:59:59+00:00"  # before the process started
NOW = "2026-06-01T12:00:00+00:00"
DRIVEN = [(THREAD, {"order": {"order_id": "N-1"}})]


async def reconcile() -> dict[str, dict[str, str]]:
    """One run of the reconciler; its report."""
    return dict((await graph.ainvoke({}))["report"])


async def parked(shop: Services, stage: Any = "parked") -> None:
    """Order N-1 of Ada, in this stage."""
    order = {"order_id": "N-1", "customer_id": "ada_park", "payment_method_id": "ada_card"}
    await place_order(
        shop, NewOrder.model_validate(order | {"lines": [{"sku": "MUG-BLUE", "quantity": 1}]}), actor="ada_park"
    )
    await shop.orders.reserve_line("N-1", 1)
    ways: dict[str, list[Any]] = {
        "parked": ["reserved", "approved", "parked"],
        "awaiting_approval": ["reserved", "awaiting_approval"],
        "placed": [],
    }
    for step in ways[stage]:
        await steps.move(shop, "N-1", step)


def inputs(platform: Platform) -> list[tuple[str, Any]]:
    return [(thread, body["input"]) for thread, body in platform.runs]


async def test_with_nothing_to_do_every_job_says_so(platform: Platform) -> None:
    assert await reconcile() == {
        "approvals": {},
        "tickets": {},
        "compare": {},
        "woken": {},
        "asked": {},
        "ended": {},
        "orders": {},
        "due": {},
        "debts": {},
        "expired": {},
        "conversations": {},
        "delivered": {},
    }
    assert platform.runs == []


async def test_a_parked_order_is_driven_on_by_its_id_alone(shop: Services, platform: Platform) -> None:
    await parked(shop)
    platform.thread(THREAD, "idle", updated_at=NOW)

    assert (await reconcile())["orders"] == {"N-1": "driven on"}

    assert inputs(platform) == DRIVEN
    assert platform.runs[0][1]["multitask_strategy"] == "reject"
    assert platform.runs[0][1]["assistant_id"] == "order_processing"


async def test_a_stale_order_is_driven_on_and_a_fresh_one_is_not(
    shop: Services, platform: Platform, clock: Clock
) -> None:
    await parked(shop, "placed")
    platform.thread(THREAD, "idle", updated_at=NOW)
    assert (await reconcile())["orders"] == {}
    clock.advance(seconds=121)

    assert (await reconcile())["orders"] == {"N-1": "driven on"}


async def test_an_order_that_is_at_work_is_left_alone(shop: Services, platform: Platform) -> None:
    await parked(shop)
    platform.thread(THREAD, "busy", updated_at=NOW)

    assert (await reconcile())["orders"] == {"N-1": "at work"}
    assert platform.runs == []


async def test_an_order_whose_thread_is_lost_gets_it_back_and_is_driven_on(shop: Services, platform: Platform) -> None:
    await parked(shop)

    assert (await reconcile())["orders"] == {"N-1": "driven on"}

    assert platform.created == [THREAD]
    assert platform.threads[THREAD]["metadata"] == {"graph_id": "order_processing", "owner": "customer:ada_park"}
    assert inputs(platform) == DRIVEN


async def test_an_order_that_waits_for_people_is_left_to_them(shop: Services, platform: Platform, clock: Clock) -> None:
    await parked(shop, "awaiting_approval")
    await ask(shop.approvals, THREAD, "N-1")
    platform.thread(THREAD, "interrupted", updated_at=NOW)
    clock.advance(hours=1)

    assert (await reconcile())["orders"] == {"N-1": "waits for people"}
    assert platform.runs == []


@pytest.mark.parametrize(("status", "updated_at"), [("interrupted", LONG_AGO), ("idle", NOW)])
async def test_an_order_that_may_have_lost_its_interrupt_is_asked_again(
    shop: Services, platform: Platform, clock: Clock, status: str, updated_at: str
) -> None:
    await parked(shop, "awaiting_approval")
    await ask(shop.approvals, THREAD, "N-1")
    platform.thread(THREAD, status, updated_at=updated_at)
    clock.advance(hours=1)

    assert (await reconcile())["orders"] == {"N-1": "driven on"}
    assert inputs(platform) == DRIVEN


async def test_an_order_whose_thread_failed_is_driven_on_on_a_new_one_and_stays_there(
    shop: Services, platform: Platform
) -> None:
    await parked(shop)
    platform.thread(THREAD, "error", updated_at=NOW)
    following = order_thread("N-1", "customer:ada_park", 1)
    given_up = events("order.thread_given_up")

    assert (await reconcile())["orders"] == (await reconcile())["orders"] == {"N-1": "driven on"}

    assert platform.created == [following]
    assert inputs(platform) == [(following, {"order": {"order_id": "N-1"}})] * 2
    assert events("order.thread_given_up") == given_up + 1


async def test_an_order_that_is_done_is_driven_on_while_people_must_be_asked_about_a_debt_and_not_while_they_are(
    shop: Services, platform: Platform
) -> None:
    thread = order_thread(W1002, "customer:ada_park")
    await cancel_order(shop, W1002, reason="no longer needed", subject="ada_park", key="plan:1")
    with shop.database.writing() as session:
        session.execute(update(DebtRow).values(attempts=ATTEMPTS))
    platform.thread(thread, "idle", updated_at=NOW)

    assert (await reconcile())["orders"] == {W1002: "driven on"}
    assert inputs(platform) == [(thread, {"order": {"order_id": W1002}})]

    await ask(shop.approvals, thread, W1002)
    platform.thread(thread, "interrupted", updated_at=NOW)
    assert (await reconcile())["orders"] == {W1002: "waits for people"}


async def test_a_run_that_the_platform_refuses_is_reported_and_tried_next_time(
    shop: Services, platform: Platform
) -> None:
    await parked(shop)
    platform.thread(THREAD, "idle", updated_at=NOW)
    platform.broken[f"/threads/{THREAD}/runs"] = 409
    assert (await reconcile())["orders"] == {"N-1": "refused (409)"}
    platform.broken.clear()

    assert (await reconcile())["orders"] == {"N-1": "driven on"}


async def ask(approvals: Approvals, thread_id: str, order_id: str | None = None) -> ApprovalView:
    """A request that nobody answers."""
    return await approvals.open(
        Action("approve_order", {"n": thread_id}, "…"),
        "general",
        key=thread_id,
        subject="ada_park",
        order_id=order_id,
        thread_id=thread_id,
        asked_by="ada_park",
    )


async def test_what_is_owed_is_tried_again_later_and_paid_when_the_provider_is_back(
    shop: Services, platform: Platform, clock: Clock
) -> None:
    shop.breakers["payment"].force_open()
    await cancel_order(shop, W1002, reason="no longer needed", subject="ada_park", key="plan:1")
    ((debt, first),) = (await reconcile())["debts"].items()
    shop.breakers["payment"].reset()

    assert first == "owed"
    assert (await reconcile())["debts"] == {}  # not yet: after a failure it waits a while
    clock.advance(minutes=2)
    assert (await reconcile())["debts"] == {debt: "settled"}
    assert (await reconcile())["debts"] == {}


async def test_a_job_that_fails_is_reported_and_the_others_go_on(
    shop: Services, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    async def no_client(_: Any) -> Any:
        raise ConnectionError("nobody listens")

    for module in (jobs, notification_jobs, approval_jobs):
        monkeypatch.setattr(module, "service_client", no_client)
    await parked(shop)
    view = await ask(shop.approvals, CHAT)
    clock.advance(seconds=due_seconds("general"))
    failed = events("reconciler.failed")

    assert await reconcile() == {
        "approvals": {view["request_id"]: "escalated"},
        "tickets": {},
        "wake": {"failed": "ConnectionError"},
        "reopen_conversations": {"failed": "ConnectionError"},
        "bring_to_end": {"failed": "ConnectionError"},
        "redrive": {"failed": "ConnectionError"},
        "wake_conversations": {"failed": "ConnectionError"},
        "compare": {},
        "delivered": {},
        "due": {},
        "debts": {},
        "expired": {},
    }
    assert events("reconciler.failed") == failed + 5


async def test_what_one_run_could_not_do_the_next_one_does(
    shop: Services, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    await parked(shop)
    platform.thread(THREAD, "idle", updated_at=NOW)
    platform.broken[f"/threads/{THREAD}"] = 500
    assert (await reconcile())["orders"] == {"N-1": "refused (500)"}
    platform.broken.clear()

    assert (await reconcile())["orders"] == {"N-1": "driven on"}
