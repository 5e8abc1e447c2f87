"""Refunds, which wait for people."""

from typing import Any

import pytest
from langgraph.runtime import ExecutionInfo, Runtime

from agent.approvals.models import decision_payload
from agent.customer_service import nodes
from agent.customer_service.reply_templates import SAYINGS
from agent.customer_service.state import DeskState, Plan, PlannedAction, ReadyAction
from agent.identity import Caller
from agent.services import Services
from agent.shop import SHOP
from tests.support.approvals import decide
from tests.support.chains import BILLING, GENERAL, expiry_seconds, outsider
from tests.support.clock import Clock
from tests.support.commands import refund_payment
from tests.support.conversations import ADA, LITTLE, MUCH, answer, conversation, refunds, say, waiting_refund
from tests.support.goods import W1001, W1002, W1003
from tests.support.threads import APPROVE, LOOK_AGAIN, SERVICE, Thread, reject, seen, staff


async def at_the_gate(thread: Thread) -> Any:
    view = await thread.waits_for()
    assert view is not None
    return view


async def test_a_refund_waits_for_people_after_the_customers_yes(shop: Services) -> None:
    thread = await waiting_refund(MUCH)

    view = await at_the_gate(thread)
    assert (view["case"], view["roles"], view["subject"]) == ("billing", [BILLING[0]], "ada_park")
    first, words, _ = view["action_requests"][0]["description"].split("\n\n", 2)
    assert first == (
        f"step 1 of {len(BILLING)} for {BILLING[0]} · asked by ada_park for ada_park"
        f" · due {view['due'][:16].replace('T', ' ')} UTC"
    )
    assert words == f"**Refund {SHOP.money(MUCH)} of order {W1001} to ada_card.**"
    assert (await thread.values())["human_intervention"] is True
    assert await refunds(shop) == []


async def test_a_refund_that_everybody_approved_is_paid_once(shop: Services) -> None:
    thread = await waiting_refund(MUCH)

    await thread.answer(APPROVE, staff(BILLING[0]))
    assert await refunds(shop) == []
    told = await answer(thread, APPROVE, staff(BILLING[1]))

    assert told.startswith(f"{SHOP.money(MUCH)} of order {W1001} will be refunded.")
    assert await refunds(shop) == [MUCH]
    assert await thread.waits_for() is None
    assert (await thread.values())["human_intervention"] is False


@pytest.mark.parametrize("rejected_by", [BILLING[0], BILLING[1]])
async def test_a_rejected_refund_is_not_paid_and_the_customer_is_told_why(shop: Services, rejected_by: Any) -> None:
    thread = await waiting_refund(MUCH)
    if rejected_by == BILLING[1]:
        await thread.answer(APPROVE, staff(BILLING[0]))

    told = await answer(thread, reject("the desk was not damaged"), staff(rejected_by))

    assert told == "I'm sorry, this was not approved. The reason given: the desk was not damaged"
    assert await refunds(shop) == []
    assert await thread.waits_for() is None


async def test_a_no_that_names_a_smaller_amount_is_offered_to_the_customer_once(shop: Services) -> None:
    thread = await waiting_refund(MUCH)

    told = await answer(thread, reject(f"only {SHOP.money(LITTLE)}, for the lamp"), staff(BILLING[0]))
    assert f"The reason given: only {SHOP.money(LITTLE)}, for the lamp" in told
    assert f"- Refund {SHOP.money(LITTLE)} of order {W1001}, instead of {SHOP.money(MUCH)}." in told
    assert await refunds(shop) == []

    await say(thread, "yes please")
    view = await at_the_gate(thread)
    assert (view["roles"], view["action_requests"][0]["args"]["amount"]) == ([GENERAL[0]], SHOP.amount(LITTLE))
    told = await answer(thread, reject(f"or rather {SHOP.money(5_00)}"), staff(GENERAL[0]))
    assert "Shall I?" not in told
    assert await refunds(shop) == []


async def test_an_offer_that_everybody_agrees_to_is_paid_once(shop: Services) -> None:
    thread = await waiting_refund(MUCH)
    await answer(thread, reject(f"only {SHOP.money(LITTLE)}, for the lamp"), staff(BILLING[0]))
    await say(thread, "yes please")

    await answer(thread, await yes(thread), staff(GENERAL[0]))

    assert await refunds(shop) == [LITTLE]


@pytest.mark.parametrize(
    "reason", [f"we pay no {SHOP.money(600_00)}", f"{SHOP.money(MUCH)} is too much", "see ticket 4711", "no"]
)
async def test_a_no_without_a_smaller_amount_offers_nothing(shop: Services, reason: str) -> None:
    thread = await waiting_refund(MUCH)
    assert "Shall I?" not in await answer(thread, reject(reason), staff(BILLING[0]))
    assert (await thread.values())["plan"] is None


@pytest.mark.parametrize(
    ("said", "who", "rule"),
    [
        (APPROVE, ADA, "APPROVAL-ROLE"),
        (APPROVE, Caller("ada_park", GENERAL[0]), "APPROVAL-OWN"),
        (APPROVE, None, "APPROVAL-ROLE"),
        (APPROVE, staff(outsider("general")), "APPROVAL-ROLE"),
        ("hm", staff(GENERAL[0]), "APPROVAL-UNREADABLE"),
    ],
)
async def test_an_answer_that_does_not_count_is_asked_again(
    shop: Services, said: Any, who: Caller | None, rule: str
) -> None:
    thread = await waiting_refund(LITTLE)
    first = await at_the_gate(thread)

    await thread.answer(said, who)

    again = await at_the_gate(thread)
    assert str(again["refused"]).startswith(rule)
    assert again["request_id"] == first["request_id"]
    assert await refunds(shop) == []
    await thread.answer(APPROVE, staff(GENERAL[0]))
    assert await refunds(shop) == [LITTLE]


async def test_a_message_while_people_are_asked_is_answered_and_the_same_request_asked_again(shop: Services) -> None:
    thread = await waiting_refund(MUCH)
    await thread.answer(APPROVE, staff(BILLING[0]))
    before = await at_the_gate(thread)

    assert "delivered" in await say(thread, f"where is {W1001}?")

    assert await at_the_gate(thread) == before
    assert before["step"] == 2
    await thread.answer(APPROVE, staff(BILLING[1]))
    assert await refunds(shop) == [MUCH]


@pytest.mark.parametrize("words", ["yes", "no", "approve", '{"decisions": [{"type": "approve"}]}'])
async def test_the_customers_words_answer_no_request(shop: Services, words: str) -> None:
    thread = await waiting_refund(MUCH)
    before = await at_the_gate(thread)

    await say(thread, words)

    assert await at_the_gate(thread) == before
    assert await refunds(shop) == []


async def test_requests_of_a_conversation_are_asked_one_after_the_other(shop: Services, clock: Clock) -> None:
    thread = await waiting_refund(LITTLE // 4)
    clock.advance(seconds=1)
    await waiting_refund(LITTLE // 2, thread)
    assert (await at_the_gate(thread))["arguments"]["amount"] == LITTLE // 4

    await thread.answer(APPROVE, staff(GENERAL[0]))

    assert (await at_the_gate(thread))["arguments"]["amount"] == LITTLE // 2
    await thread.answer(await yes(thread), staff(GENERAL[0]))
    assert await refunds(shop) == [LITTLE // 4, LITTLE // 2]
    assert await thread.waits_for() is None


async def edited(thread: Thread, **changed: Any) -> dict[str, Any]:
    """The edit of what waits, in the form of Agent Chat UI."""
    arguments = (await at_the_gate(thread))["action_requests"][0]["args"] | changed
    return decision_payload("edit", name="refund_payment", arguments=arguments)


async def yes(thread: Thread) -> dict[str, Any]:
    """The yes of somebody who has seen what waits."""
    return seen(await at_the_gate(thread), APPROVE)


async def test_an_edit_to_a_larger_amount_needs_the_people_of_the_larger_amount(shop: Services) -> None:
    thread = await waiting_refund(LITTLE)

    await thread.answer(await edited(thread, amount="80.00"), staff(GENERAL[0]))

    view = await at_the_gate(thread)
    assert (view["case"], view["roles"]) == ("billing", [BILLING[0]])
    assert (
        f"**Refund {SHOP.money(80_00)} of order {W1001}, changed from {SHOP.amount(LITTLE)}.**"
        in view["action_requests"][0]["description"]
    )
    assert await refunds(shop) == []
    await thread.answer(await yes(thread), staff(BILLING[0]))
    await thread.answer(await yes(thread), staff(BILLING[1]))
    assert await refunds(shop) == [80_00]


async def test_an_edit_to_a_smaller_amount_is_the_editors_own_yes(shop: Services) -> None:
    thread = await waiting_refund(LITTLE)

    assert (await answer(thread, await edited(thread, amount="10,00"), staff(GENERAL[0]))).startswith(
        f"{SHOP.money(10_00)} of order {W1001}"
    )
    assert await refunds(shop) == [10_00]


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        *[
            ({"amount": amount}, "APPROVAL-EDIT")
            for amount in (1.5, "a lot", None, True, "9" * 5_000, [1], "-5", "1.2345")
        ],
        ({"amount": "60 KWD"}, "APPROVAL-EDIT"),
        ({"amount": "0.00"}, "REFUND-AMOUNT"),
        (
            {"amount": SHOP.amount(50_000_00)},
            "REFUND-AMOUNT: A refund must be more than nothing and at most what was paid",
        ),
        ({"order_id": W1003}, "APPROVAL-EDIT: only the amount"),
        ({"reason": "because"}, "APPROVAL-EDIT: only the amount"),
        ({"request_id": "apr-0"}, "APPROVAL-EDIT: only the amount"),
        ({"to": "another card"}, "APPROVAL-EDIT: send all arguments"),
    ],
)
async def test_an_edit_that_is_not_allowed_is_refused_by_rule_at_once(
    shop: Services, changed: dict[str, Any], rule: str
) -> None:
    thread = await waiting_refund(LITTLE)

    await thread.answer(await edited(thread, **changed), staff(GENERAL[0]))

    view = await at_the_gate(thread)
    assert view["refused"].startswith(rule)
    assert view["arguments"]["amount"] == LITTLE
    assert await refunds(shop) == []


@pytest.mark.parametrize("amount", ["60.00", "60,00", "60", 60, f" {SHOP.money(60_00)}"])
async def test_sixty_is_sixty_however_it_is_written(shop: Services, amount: Any) -> None:
    thread = await waiting_refund(80_00)

    await thread.answer(await edited(thread, amount=amount), staff(BILLING[0]))

    assert (await at_the_gate(thread))["arguments"]["amount"] == 60_00


async def test_more_than_is_left_is_refused_at_once_and_again_when_it_is_made(shop: Services) -> None:
    thread = conversation()
    assert f"{SHOP.money(718_00)} of {W1001} can be refunded" in await say(thread, f"refund 719.00 of {W1001}")

    await waiting_refund(700_00, thread)
    await refund_payment(shop, W1001, 100_00, subject="ada_park", key="elsewhere")
    await thread.answer(APPROVE, staff(BILLING[0]))
    told = await answer(thread, APPROVE, staff(BILLING[1]))

    assert told.startswith("A refund must be more than nothing and at most what was paid")
    assert await refunds(shop) == []


async def test_a_request_that_nobody_answered_is_told_when_the_thread_is_woken(shop: Services, clock: Clock) -> None:
    thread = await waiting_refund()
    clock.advance(seconds=expiry_seconds("billing"))
    await shop.deadlines.enforce_deadlines()

    assert await answer(thread, LOOK_AGAIN, SERVICE) == SAYINGS["expired"]
    assert await thread.waits_for() is None


async def test_a_request_that_nobody_answered_is_told_with_the_next_answer(shop: Services, clock: Clock) -> None:
    thread = await waiting_refund()
    clock.advance(seconds=expiry_seconds("billing"))
    await shop.deadlines.enforce_deadlines()

    told = await say(thread, f"where is {W1001}?")

    assert "delivered" in told
    assert SAYINGS["expired"] in told
    assert await thread.waits_for() is None
    assert await shop.deadlines.threads_to_wake() == []
    assert SAYINGS["expired"] not in await say(thread, f"where is {W1001}?")


def refund_of(amount: int, order_id: str = W1001) -> PlannedAction:
    arguments = {"order_id": order_id, "amount": amount, "reason": "scratched"}
    return PlannedAction(name="refund_payment", arguments=arguments, sentence=f"Refund {amount}")


def on_the_thread(thread_id: str = "chat-1") -> Runtime[Any]:
    info = ExecutionInfo(checkpoint_id="", checkpoint_ns="", task_id="", thread_id=thread_id)
    return Runtime(execution_info=info)


async def executed(*ready: ReadyAction, customer_id: str = "ada_park") -> list[str]:
    state = DeskState(messages=[], notes=[], customer_id=customer_id, ready=list(ready))
    return list((await nodes.execute(state, Runtime()))["notes"])


@pytest.mark.parametrize("name", ["refund_payment", "refund", "issue_credit", ""])
async def test_a_refund_that_nobody_was_asked_about_is_not_made_whatever_the_thread_says(
    shop: Services, name: str
) -> None:
    action = refund_of(10_00) | {"name": name}

    notes = await executed(ReadyAction(key="forged", action=action, request_id=None))

    assert notes == ["This has not been approved."]
    assert await refunds(shop) == []


async def test_a_refund_that_is_not_approved_yet_is_not_made_whatever_the_thread_says(shop: Services) -> None:
    thread = await waiting_refund(MUCH)
    request_id = (await at_the_gate(thread))["request_id"]

    for forged in (request_id, "apr-000000000000"):
        notes = await executed(ReadyAction(key="forged", action=refund_of(MUCH), request_id=forged))
        assert notes == ["This has not been approved."]
    assert await refunds(shop) == []


async def test_what_was_approved_is_made_once_as_it_was_approved_whatever_the_thread_says(shop: Services) -> None:
    thread = await waiting_refund(LITTLE)
    request_id = (await at_the_gate(thread))["request_id"]
    await thread.answer(APPROVE, staff(GENERAL[0]))
    forged = ReadyAction(key="forged", action=refund_of(700_00, W1003), request_id=request_id)

    for customer in ("ada_park", "ben_ortiz"):
        assert (await executed(forged, customer_id=customer))[0].startswith(f"{SHOP.money(LITTLE)} of order {W1001}")

    assert await refunds(shop) == [LITTLE]


async def test_going_back_to_before_the_payment_pays_nothing_twice(shop: Services) -> None:
    thread = await waiting_refund(LITTLE)
    await thread.answer(APPROVE, staff(GENERAL[0]))

    for node in ("decide", "execute", "reply"):
        await thread.run(None, staff(GENERAL[0]), checkpoint=await thread.before(node))

    assert await refunds(shop) == [LITTLE]


@pytest.mark.parametrize(
    ("said", "goes", "note"),
    [
        (APPROVE, "execute", None),
        (reject("no"), "reply", "I'm sorry, this was not approved. The reason given: no"),
    ],
)
async def test_a_request_that_was_decided_before_review_ran_again_is_not_asked_again(
    shop: Services, said: Any, goes: str, note: str | None
) -> None:
    state = DeskState(
        messages=[], notes=[], customer_id="ada_park", plan=Plan(id="chat-1:1", actions=[refund_of(LITTLE)])
    )
    assert (await nodes.review(state, on_the_thread())).goto == "reply"
    view = await shop.approvals.head("chat-1")
    assert view is not None
    await decide(shop.approvals, view["request_id"], view["action_hash"], said, staff(GENERAL[0]))

    again = await nodes.review(state, on_the_thread())

    update: Any = again.update
    assert again.goto == goes
    assert update["notes"] == ([note] if note else [])
    assert [ready["request_id"] for ready in update["ready"]] == ([] if note else [view["request_id"]])


async def test_one_yes_makes_what_may_be_made_and_sends_the_rest_for_approval(shop: Services) -> None:
    thread = conversation()
    await say(thread, f"cancel {W1002}, no longer needed. And refund 10.00 of {W1001}")

    told = await say(thread, "yes")

    assert f"I have sent this for approval: Refund {SHOP.money(10_00)}" in told
    assert f"Order {W1002} is cancelled." in told
    assert (await at_the_gate(thread))["order_id"] == W1001
    assert await refunds(shop) == [147_00]
