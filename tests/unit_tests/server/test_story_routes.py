"""The routes of stories: who reads them, what they tell of an order at each point of its life, and what never."""

from typing import Any

import pytest
from sqlalchemy import update

from agent.approvals.requests import Action
from agent.commerce.ticket_commands import CloseTicket, OpenTicket, TakeTicket
from agent.identity import ROLES, Role
from agent.ledger.tables import ApprovalRow, OrderRow
from agent.server.permissions import STAFF
from agent.services import Services
from tests.support.approvals import decide
from tests.support.clock import Clock
from tests.support.commands import done
from tests.support.goods import W1001
from tests.support.routes import Ask
from tests.support.scenes import Scene, awaiting, cancel, dump, new_order, paid, parked, placed
from tests.support.threads import reject, seen, staff

OPERATOR = staff("operator")


async def story(ask: Ask, path: str = "orders/A-1", role: Role = "operator", **query: int) -> Any:
    answer = await ask("GET", f"/ops/stories/{path}", staff(role), params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("role", ROLES)
async def test_staff_reads_stories_and_customers_and_channels_do_not(ask: Ask, role: Role) -> None:
    for path in (f"orders/{W1001}", "orders/NONE", "threads/t-1"):
        status = (await ask("GET", f"/ops/stories/{path}", staff(role))).status_code
        assert status == ((404 if "NONE" in path else 200) if role in STAFF else 403), path


@pytest.mark.parametrize(
    ("scene", "comes", "can"),
    [
        (placed, "the reconciler takes it on again", "desk orders cancel A-1"),
        (parked, "asked again each time that the reconciler runs", "desk ops breakers"),
        (awaiting, "the clock rejects request", "desk approvals approve"),
        (paid, "the reconciler has its parcels taken again", "desk ops reconcile"),
    ],
)
async def test_it_says_what_comes_by_itself_and_what_one_could_do(
    shop: Services, ask: Ask, scene: Scene, comes: str, can: str
) -> None:
    await scene(shop, new_order())
    told = await story(ask)
    assert [each for each in told["next"] if comes in each["what"] and each["when"]], told["next"]
    assert [each for each in told["commands"] if each["command"].startswith(can)], told["commands"]
    assert told["next"] == sorted(told["next"], key=lambda each: each["when"])


async def test_it_tells_money_debts_and_commands_in_the_order_of_time(shop: Services, ask: Ask, clock: Clock) -> None:
    await paid(shop, new_order())
    clock.advance(minutes=1)
    await cancel(shop)
    told = await story(ask)
    lines = [f"{entry['what']} {entry['says']}" for entry in told["entries"]]
    assert lines[0].startswith("order A-1 placed by storefront for ada_park: 2 lines")
    assert any("payment A-1:pay:1 attempt 1" in line and "captured" in line for line in lines)
    assert any(line.startswith("command CancelOrder by ada_park: done") for line in lines)
    assert any("a refund of" in line and "not settled" in line for line in lines)
    assert [entry["at"] for entry in told["entries"]] == sorted(entry["at"] for entry in told["entries"])
    assert any("debt" in each["what"] for each in told["next"])


async def test_a_refused_command_is_told_with_its_rule(shop: Services, ask: Ask) -> None:
    await placed(shop, new_order())
    refused = await ask("POST", "/ops/orders/A-1/cancel", staff("channel"), json={"reason": "I feel like it"})
    assert refused.status_code == 409
    assert "CancelOrder by channel-1: refused, CANCEL-REASON" in str((await story(ask))["entries"])


async def test_who_is_waited_for_and_what_was_decided_with_seal_and_note(shop: Services, ask: Ask) -> None:
    action = Action("refund_payment", {"order_id": W1001, "amount": 40_00, "reason": "for my aunt"}, "for my aunt")
    view = await shop.approvals.open(
        action, "billing", key="plan:1", subject="ada_park", order_id=W1001, thread_id="t-1", asked_by="ada_park"
    )
    for path in (f"orders/{W1001}", "threads/t-1"):
        told = await story(ask, path)
        assert [each["who"] for each in told["waits_for"]] == ["billing_agent"]
        assert f"seal {view['head'][:8]}" in str(told["entries"])
    said = seen(view, reject("not again"))
    await decide(shop.approvals, view["request_id"], view["action_hash"], said, staff("billing_agent"))
    told = await story(ask, "threads/t-1")
    assert [entry["note"] for entry in told["entries"] if "note" in entry] == ["not again"]
    assert "is rejected; its trail holds" in str(told["entries"])
    assert "for my aunt" not in str(told)


async def test_a_broken_trail_is_said(shop: Services, ask: Ask) -> None:
    await awaiting(shop, new_order())
    [view] = await shop.approvals.of_order("A-1")
    await shop.database.write(
        lambda session: setattr(session.get_one(ApprovalRow, view["request_id"]), "asked_by", "somebody")
    )
    assert "ITS TRAIL IS BROKEN at request" in str((await story(ask))["entries"])


async def test_a_tickets_note_is_read_by_who_may_read_the_ticket(shop: Services, ask: Ask) -> None:
    about: Any = {"actor": "agent-1", "subject": "ada_park"}
    opened = await done(
        shop,
        OpenTicket(key="t1", **about, topic="billing", text="my aunt", thread_id="thread-1", order_id=W1001),
    )
    by: Any = about | {"ticket_id": opened["id"], "role": "billing_agent"}
    await done(shop, TakeTicket(key="t2", **by))
    await done(shop, CloseTicket(key="t3", **by, note="seen to it"))
    for role, reads in (("operator", True), ("billing_agent", True), ("warehouse", False), ("tech_support", False)):
        told = await story(ask, f"orders/{W1001}", role)  # type: ignore[arg-type]
        assert ("seen to it" in str(told)) is reads, role
        assert "my aunt" not in str(told)
    assert "taken by agent-1" in str(await story(ask, "threads/thread-1"))


async def test_a_state_that_was_set_aside_is_told_by_what_is_wrong_with_it(shop: Services, ask: Ask) -> None:
    await placed(shop, new_order())
    await shop.quarantine.keep("thread-1", "A-1", "charge", "lines: not a list", {"lines": "of my aunt"})
    told = await story(ask)
    assert "a damaged state was set aside before charge: lines: not a list" in str(told["entries"])
    assert "my aunt" not in str(told)


async def test_only_the_last_are_told_and_how_many_are_left_out(shop: Services, ask: Ask) -> None:
    await paid(shop, new_order())
    all_ = await story(ask)
    last = await story(ask, last=2)
    assert last["entries"] == all_["entries"][-2:]
    assert last["left_out"] == len(all_["entries"]) - 2
    assert (await ask("GET", "/ops/stories/orders/A-1?last=0", OPERATOR)).status_code == 422


async def test_nothing_personal_is_told_and_nothing_is_changed(shop: Services, ask: Ask) -> None:
    await paid(shop, new_order())
    before = await dump(shop)
    told = str([await story(ask), await story(ask, f"orders/{W1001}")])
    assert not [each for each in ("Park", "Alder", "97205", "example.com", "tok_") if each in told]
    assert await dump(shop) == before


async def test_an_orders_threads_are_told_the_present_one_last(shop: Services, ask: Ask) -> None:
    view = await placed(shop, new_order())
    order = (await story(ask))["order"]
    assert order["threads"][-1] == view["thread_id"]
    assert (order["placed_here"], (await story(ask, f"orders/{W1001}"))["order"]["placed_here"]) == (True, False)
    assert (await story(ask, f"threads/{view['thread_id']}"))["order"]["id"] == "A-1"


async def test_an_order_that_was_traced_names_its_trace(shop: Services, ask: Ask) -> None:
    await placed(shop, new_order())
    assert (await story(ask))["order"]["trace_id"] is None
    traced = update(OrderRow).values(traceparent=f"00-{'a' * 32}-{'b' * 16}-01")
    await shop.database.write(lambda session: session.execute(traced))
    assert (await story(ask))["order"]["trace_id"] == "a" * 32
