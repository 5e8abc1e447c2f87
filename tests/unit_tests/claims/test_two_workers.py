"""Whatever two workers may do twice happens once: `docs/claims.md` names the row behind each of these."""

from pathlib import Path
from typing import Any

import pytest

from agent.commerce.shop_import import is_empty
from agent.ledger.database import Database
from agent.providers.payment import Attempt
from agent.services import Services
from agent.shop import SHOP
from tests.support import steps
from tests.support.approvals import refund
from tests.support.chains import GENERAL
from tests.support.clock import Clock
from tests.support.goods import W1001, W1002
from tests.support.ledgers import home
from tests.support.scenes import (
    TOTAL,
    approved,
    cancel,
    charges,
    dump,
    entries,
    new_order,
    paid,
    placed,
    repaid,
    reserved,
    stock,
)
from tests.support.threads import APPROVE, reject, seen, staff
from tests.support.workers import Pair, Worker, answered, command

FIRST, COLLEAGUE = staff(GENERAL[0]), staff(GENERAL[0], 2)


async def asked(shop: Services, key: str, amount: int = 40_00) -> Any:
    """A request that one general agent decides."""
    about = {"subject": "ada_park", "order_id": W1001, "thread_id": "thread-1", "asked_by": "channel-1"}
    return await shop.approvals.open(refund(amount), "general", key=key, **about)


def opinion(view: Any, said: dict[str, Any], who: Any) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
    """An answer, as an act."""
    about = {"request_id": view["request_id"], "seen": view["action_hash"], "said": seen(view, said)}
    return "answer", (), about | {"who": (who.identity, who.role)}


async def rows(shop: Services, table: str, **like: Any) -> list[dict[str, Any]]:
    """The rows of a table that are like this."""
    return [row for row in (await dump(shop))[table] if like.items() <= row.items()]


async def test_of_two_opposite_answers_one_counts_and_the_other_is_told_so(workers: Pair, shop: Services) -> None:
    for number in range(50):
        view = await asked(shop, f"plan:{number}")
        yes, no = opinion(view, APPROVE, FIRST), opinion(view, reject("no"), COLLEAGUE)

        said = answered(workers.each(yes, no))

        [decision] = await rows(shop, "decisions", request_id=view["request_id"])
        [request] = await rows(shop, "approvals", id=view["request_id"])
        assert request["status"] == {"approve": "approved", "reject": "rejected"}[decision["decision"]]
        counted = 0 if decision["decision"] == "approve" else 1
        assert not said[counted]["refused"]
        assert said[1 - counted]["refused"].startswith("APPROVAL-ENDED")


async def test_of_two_yeses_by_one_person_one_counts(workers: Pair, shop: Services) -> None:
    view = await asked(shop, "plan:1")
    answered(workers.each(opinion(view, APPROVE, FIRST), opinion(view, APPROVE, FIRST)))
    assert len(await rows(shop, "decisions", request_id=view["request_id"])) == 1


@pytest.mark.parametrize("number", range(5))
async def test_a_request_that_two_open_is_one(workers: Pair, shop: Services, number: int) -> None:
    action = {"name": "refund_payment", "arguments": {"order_id": W1001, "amount": number}, "description": "…"}
    about = {"key": "plan:1", "subject": "ada_park", "order_id": W1001, "thread_id": "t", "asked_by": "c"}
    first, second = answered(workers.both("ask_people", action, "general", **about))
    assert first["request_id"] == second["request_id"]
    assert len(await rows(shop, "approvals")) == 1
    assert len(await rows(shop, "notices", event="approval.requested")) == 1


async def test_an_order_that_is_submitted_twice_is_one(workers: Pair, shop: Services) -> None:
    first, second = answered(workers.both("place", new_order().model_dump()))
    assert (first["id"], first) == ("A-1", second)
    assert len(await rows(shop, "orders", id="A-1")) == 1


async def test_an_id_that_two_submit_for_different_orders_is_of_one(workers: Pair, shop: Services) -> None:
    other = new_order(lines={"CLOCK-OAK": 3})
    said = workers.each(("place", (new_order().model_dump(),), {}), ("place", (other.model_dump(),), {}))
    [refused] = [each for each in said if "error" in each]
    assert refused["error"] == "KeyReusedError"
    assert len(await rows(shop, "orders", id="A-1")) == 1


async def test_a_command_that_comes_twice_changes_something_once(workers: Pair, shop: Services) -> None:
    about = {"key": "c", "actor": "ada_park", "subject": "ada_park", "order_id": W1002, "reason": "no longer needed"}
    first, second = answered(workers.each(command("CancelOrder", **about), command("CancelOrder", **about)))
    assert first == second
    assert len(await rows(shop, "effects", key="c")) == 1


async def test_a_line_that_two_reserve_is_held_once(workers: Pair, shop: Services) -> None:
    await placed(shop, new_order())
    on_hand, before = await stock(shop, "LAMP-OAK")
    answered(workers.both("orders.reserve_line", "A-1", 1))
    assert await stock(shop, "LAMP-OAK") == (on_hand, before + 2)


async def test_an_order_that_two_workers_drive_is_charged_and_sent_once(workers: Pair, shop: Services) -> None:
    await placed(shop, new_order())
    answered(workers.both("drive", "A-1"))
    assert [charge.amount for charge in await charges(shop)] == [TOTAL]
    assert await entries(shop) == [("capture", TOTAL)]
    assert len(await rows(shop, "parcels", order_id="A-1")) == 2


async def test_a_zombie_on_a_thread_that_was_given_up_changes_nothing(workers: Pair, shop: Services) -> None:
    await placed(shop, new_order())
    with workers.frozen("drive", "A-1", freeze="capture") as zombie:
        answered([workers.one("give_up_thread", "A-1")])
        assert answered([workers.one("drive", "A-1")]) == [{"stage": "paid"}]
        before = await dump(shop)
        assert zombie.wake() == {"answer": {"stage": "paid"}}
    assert await dump(shop) == before
    assert len(await charges(shop)) == 1


async def test_a_payment_that_two_take_is_charged_and_booked_once(workers: Pair, shop: Services) -> None:
    await approved(shop, new_order())
    said = answered(workers.both("payments.capture", "A-1"))
    assert [each["outcome"] for each in said] == ["captured", "captured"]
    assert len(await charges(shop)) == len(await entries(shop)) == 1


async def test_a_webhook_that_two_hear_is_booked_once(workers: Pair, shop: Services) -> None:
    await approved(shop, new_order())
    with workers.frozen("payments.capture", "A-1", freeze="capture") as zombie:  # the provider tells before its answer
        assert workers.one("payments.look_up", "A-1:pay:1") == {"answer": "A-1"}
        assert zombie.wake()["answer"]["outcome"] == "captured"
    assert await entries(shop) == [("capture", TOTAL)]
    answered(workers.both("payments.look_up", "A-1:pay:1"))
    assert await entries(shop) == [("capture", TOTAL)]


async def test_a_dispute_that_two_hear_of_is_one_ticket(workers: Pair, shop: Services) -> None:
    await paid(shop, new_order())
    [payment] = await rows(shop, "payments", order_id="A-1")
    answered(workers.both("payments.disputed", payment["provider_id"]))
    assert len(await rows(shop, "tickets", order_id="A-1")) == 1


async def test_money_that_a_zombie_takes_of_an_order_that_is_undone_is_owed_back(workers: Pair, shop: Services) -> None:
    await approved(shop, new_order())
    with workers.frozen("payments.capture", "A-1", freeze="before:capture") as zombie:
        await cancel(shop)
        answered([workers.one("debts.settle")])
        assert (await shop.queries.get("A-1"))["stage"] == "cancelled"
        zombie.wake()
    while await shop.debts.settle():
        pass
    taken = [charge.amount for charge in await charges(shop) if charge.status == "captured"]
    assert [refund.amount for refund in await repaid(shop)] == taken
    assert sum(amount for _, amount in await entries(shop)) == 0
    assert (await shop.queries.get("A-1"))["stage"] == "cancelled"


async def test_a_zombie_sends_no_payment_to_another_provider_after_it_was_taken_over(
    workers: Pair, shop: Services
) -> None:
    await approved(shop, new_order())
    with workers.frozen("capture_by_two", "A-1", freeze="before:capture", breaks="capture") as zombie:
        assert workers.one("payments.capture", "A-1", breaks="capture")["error"] == "PaymentNotSentError"
        assert zombie.wake()["error"] == "PaymentNotSentError"  # after which it would have asked the second
    [payment] = await rows(shop, "payments", order_id="A-1")
    assert (payment["outcome"], payment["provider"], payment["asks"]) == ("open", "sandbox", 2)


async def owed(shop: Services) -> dict[str, Any]:
    """The debt of an order that was paid and cancelled."""
    await paid(shop, new_order())
    await cancel(shop)
    [debt] = await rows(shop, "debts", order_id="A-1", kind="refund")
    return debt


async def test_a_debt_that_two_settle_is_paid_and_booked_once(workers: Pair, shop: Services) -> None:
    await owed(shop)
    answered(workers.both("debts.settle"))
    assert [refund.amount for refund in await repaid(shop)] == [TOTAL]
    assert await entries(shop) == [("capture", TOTAL), ("refund", -TOTAL)]
    assert len(await rows(shop, "notices", event="refund.settled")) == 1


async def test_a_zombie_does_not_put_off_what_was_tried_again_meanwhile(
    workers: Pair, shop: Services, clock: Clock
) -> None:
    debt = await owed(shop)
    with workers.frozen("debts.settle", freeze="before:refund", breaks="refund") as zombie:
        clock.advance(hours=2)
        workers.one("debts.settle", breaks="refund")
        [taken_over] = await rows(shop, "debts", key=debt["key"])
        zombie.wake()
    assert taken_over["attempts"] == 1
    assert await rows(shop, "debts", key=debt["key"]) == [taken_over]


async def test_a_parcel_that_two_book_is_one(workers: Pair, shop: Services) -> None:
    await paid(shop, new_order())
    parcel, _ = await steps.plan(shop, "A-1")
    first, second = answered(workers.both("fulfilment.book", parcel))
    assert first == second


async def test_a_zombie_does_not_book_what_was_stopped_meanwhile(workers: Pair, shop: Services) -> None:
    await paid(shop, new_order())
    parcel, _ = await steps.plan(shop, "A-1")
    with workers.frozen("fulfilment.book", parcel, freeze="book") as zombie:
        await cancel(shop)
        answered([workers.one("debts.settle")])
        zombie.wake()
    assert {row["state"] for row in await rows(shop, "parcels", order_id="A-1")} == {"stopped"}
    assert (await shop.queries.get("A-1"))["stage"] == "cancelled"


async def test_a_thread_that_two_give_up_is_given_up_once(workers: Pair, shop: Services) -> None:
    await placed(shop, new_order())
    threads = answered(workers.both("give_up_thread", "A-1"))
    [order] = await rows(shop, "orders", id="A-1")
    assert order["generation"] == 1
    assert sorted(threads, key=str) == sorted([None, order["thread_id"]], key=str)


async def test_at_one_tick_of_two_crons_a_request_is_reminded_of_once(
    workers: Pair, shop: Services, clock: Clock
) -> None:
    await asked(shop, "plan:1")
    for event in ("reminded", "escalated", "expired"):
        while not any(said := answered(workers.both("deadlines.enforce_deadlines"))):
            clock.advance(minutes=30)
        assert sorted(said, key=len) == [{}, {(await rows(shop, "approvals"))[0]["id"]: event}]
        assert len(await rows(shop, "notices", event=f"approval.{event}")) == 1


async def test_at_one_tick_of_two_crons_a_ticket_is_escalated_once(workers: Pair, shop: Services, clock: Clock) -> None:
    ticket = {"key": "t", "actor": "ada_park", "subject": "ada_park", "topic": "billing", "text": "?"}
    [opened, _] = answered(workers.each(command("OpenTicket", **ticket), command("OpenTicket", **ticket)))
    assert len(await rows(shop, "tickets")) == 1
    clock.advance(days=2)
    said = answered(workers.both("tickets.enforce_deadlines"))
    assert sorted(said, key=len) == [{}, {opened["id"]: "escalated"}]


async def test_at_one_tick_of_two_crons_an_order_that_is_stuck_is_one_ticket(
    workers: Pair, shop: Services, clock: Clock
) -> None:
    await reserved(shop, new_order())
    clock.advance(days=4)
    said = answered(workers.both("expiry.enforce_deadlines"))
    assert sorted(each["A-1"] for each in said if "A-1" in each) in (
        ["handed to people"],
        ["handed to people", "reserved"],
    )
    assert len(await rows(shop, "tickets", order_id="A-1")) == 1


async def test_a_ticket_that_two_take_is_of_one(workers: Pair, shop: Services) -> None:
    about = {"subject": "ada_park", "topic": "question", "text": "?"}
    ticket = answered([workers.one("run", "OpenTicket", key="t", actor="ada_park", **about)])[0]["id"]
    taking = [
        command("TakeTicket", key=who.identity, actor=who.identity, subject="ada_park", ticket_id=ticket, role=who.role)
        for who in (FIRST, COLLEAGUE)
    ]
    said = answered(workers.each(*taking))
    assert sorted(each.get("rule", "") for each in said) == ["", "TICKET-TAKER"]


async def test_a_question_that_is_asked_twice_is_one(workers: Pair, shop: Services) -> None:
    view = await asked(shop, "plan:1")
    answered(workers.both("question", view["request_id"], "which lamp?", (FIRST.identity, FIRST.role), "q"))
    assert len(await rows(shop, "questions")) == 1


@pytest.mark.parametrize("audience", ["customers", "*"])
async def test_a_notification_is_delivered_by_one_of_two(
    workers: Pair, shop: Services, tmp_path: Path, audience: str
) -> None:
    await asked(shop, "plan:1")
    await owed(shop)
    answered(workers.both("deliver", str(tmp_path / "arrived"), audience))
    arrived = (tmp_path / "arrived").read_text().splitlines()
    assert len(arrived) == len(set(arrived)) > 0


async def test_a_zombie_does_not_begin_anew_a_delivery_that_was_taken_over(
    workers: Pair, shop: Services, clock: Clock, tmp_path: Path
) -> None:
    await owed(shop)
    file = str(tmp_path / "arrived")
    with workers.frozen("deliver", file, fails="breaker", freeze="receiver") as zombie:
        clock.advance(minutes=5)
        answered([workers.one("deliver", file, fails="refused")])
        taken_over = await rows(shop, "notices", audience="customers")
        zombie.wake()
    assert await rows(shop, "notices", audience="customers") == taken_over


async def test_a_notification_is_shown_in_one_of_two_conversations(workers: Pair, shop: Services) -> None:
    await shop.notifications.record_conversation("ada_park", "thread-0")
    await owed(shop)
    show: list[Any] = [
        ("notifications.take_pending", ("ada_park", thread, []), {}) for thread in ("thread-1", "thread-2")
    ]
    first, second = ({each["key"] for each in shown} for shown in answered(workers.each(*show)))
    assert first | second
    assert not first & second


@pytest.mark.parametrize("number", range(3))
async def test_an_address_that_two_customers_ask_for_is_of_one(workers: Pair, shop: Services, number: int) -> None:
    said = [
        command("ChangeEmail", key=who, actor=who, subject=who, email="New@example.com")
        for who in ("ada_park", "ben_ortiz")
    ]
    assert sorted(each.get("rule", "") for each in answered(workers.each(*said))) == ["", "EMAIL-USABLE"]
    assert len(await rows(shop, "customers", email="new@example.com")) == 1


async def test_a_customer_whom_two_forget_is_forgotten_once(workers: Pair, shop: Services) -> None:
    assert sorted(answered(workers.both("forget", "ben_ortiz"))) == [False, True]
    assert len(await rows(shop, "effects", name="ForgetCustomer")) == 1


@pytest.mark.parametrize("number", range(3))
async def test_a_damaged_state_that_two_find_is_kept_once(workers: Pair, shop: Services, number: int) -> None:
    answered(workers.both("quarantine.keep", "thread-1", "A-1", "charge", "total", {"total": number}))
    assert len(await rows(shop, "quarantine")) == 1


async def test_a_difference_that_two_find_in_the_books_is_one_ticket(workers: Pair, shop: Services) -> None:
    for number in range(3):
        await shop.providers.payments[0].capture(Attempt(f"X-{number}:pay:1", 50_00, SHOP.currency, "tok_ok"))
    first, second = answered(workers.both("compare"))
    assert first == second
    assert len(await rows(shop, "tickets")) == len(first) == 3


@pytest.mark.parametrize("number", range(5))
async def test_a_case_for_people_that_two_open_is_one_ticket(workers: Pair, shop: Services, number: int) -> None:
    answered(workers.both("open_case", f"case {number}"))
    assert len(await rows(shop, "tickets")) == 1


async def test_of_two_imports_into_one_ledger_one_is_told_that_there_is_a_shop(
    started: list[Worker], tmp_path: Path, clock: Clock
) -> None:
    with home(tmp_path / "empty", payment_timeout_seconds=30) as empty:
        said = Pair(started, empty, clock).both("load")
        [refused] = [each for each in said if "error" in each]
        assert refused["error"] == "NotEmptyError"
        ledger = Database(empty.ledger_url)
        assert not await is_empty(ledger)
        await ledger.close()
