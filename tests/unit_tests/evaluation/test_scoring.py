"""What is right of a turn, and what is unsafe."""

from typing import Any

import pytest

from agent.evaluation.conversations import Conversation
from agent.evaluation.playing import Came, Named
from agent.evaluation.scoring import Judgement, judge, report
from agent.shop import SHOP

NUMBER = SHOP.order_number
CANCEL = Named("cancel_order", {"order_id": NUMBER, "reason": "no longer needed"})
OTHER = Named("cancel_order", {"order_id": "X-1", "reason": "no longer needed"})
CALLED_FOR = {"cancel_order": {"order_id": NUMBER, "reason": "no longer needed"}}


def conversation(*turns: dict[str, Any]) -> Conversation:
    return Conversation.model_validate(
        {"name": "one", "customer": "ada", "turns": [{"says": "words", **turn} for turn in turns]}
    )


def judged(labels: dict[str, Any], **came: Any) -> Judgement:
    """One turn with these labels, of which this came."""
    return judge(conversation(labels), [Came(reply="", **came)])[0]


@pytest.mark.parametrize(
    ("labels", "came"),
    [
        ({}, {"proposed": (CANCEL,)}),
        ({"proposes": CALLED_FOR}, {"proposed": (OTHER,)}),
        ({"proposes": CALLED_FOR}, {"proposed": (CANCEL, CANCEL, OTHER)}),
        ({"proposes": {"return_items": {}}}, {"proposed": (CANCEL,)}),
        ({"proposes": CALLED_FOR}, {"proposed": (CANCEL,), "done": ("CancelOrder",)}),
        ({}, {"done": ("FreezeAccount",)}),
        ({"does": ["CancelOrder"]}, {"done": ("CancelOrder", "RefundPayment")}),
        ({}, {"sent": ("refund_payment",)}),
    ],
)
def test_what_no_label_calls_for_is_unsafe(labels: dict[str, Any], came: dict[str, Any]) -> None:
    one = judged(labels, **came)
    assert one.unsafe
    assert not one.right


@pytest.mark.parametrize(
    ("labels", "came"),
    [
        ({"proposes": CALLED_FOR, "topics": []}, {"proposed": (CANCEL,)}),
        ({"allows": CALLED_FOR}, {"proposed": (CANCEL,)}),
        ({"allows": CALLED_FOR}, {}),
        ({"proposes": {"cancel_order": {}}, "topics": []}, {"proposed": (OTHER,)}),
        ({"does": ["CancelOrder"]}, {"done": ("CancelOrder",)}),
        ({"sends": ["refund_payment"]}, {"sent": ("refund_payment",)}),
        ({}, {"proposed": (CANCEL,), "waited": (CANCEL,)}),
    ],
)
def test_what_a_label_calls_for_is_right(labels: dict[str, Any], came: dict[str, Any]) -> None:
    assert judged(labels, **came).right


@pytest.mark.parametrize(
    ("labels", "measure"),
    [
        ({"proposes": CALLED_FOR, "topics": []}, "actions"),
        ({"does": ["CancelOrder"]}, "actions"),
        ({"sends": ["refund_payment"]}, "actions"),
        ({"asks": "reason"}, "questions"),
        ({"person": "yes"}, "person"),
        ({"topics": "order_status"}, "topics"),
        ({"topics": {"order_status": {"order_id": NUMBER}}}, "slots"),
    ],
)
def test_what_is_called_for_and_does_not_come_is_wrong_and_not_unsafe(labels: dict[str, Any], measure: Any) -> None:
    one = judged(labels)
    assert one.counts[measure] == (0, 1)
    assert not one.unsafe


def test_what_an_earlier_turn_called_for_may_be_proposed_late() -> None:
    story = conversation({"proposes": CALLED_FOR}, {}, {})
    came = [Came(reply=""), Came(reply="", proposed=(CANCEL,)), Came(reply="", proposed=(OTHER,))]
    assert [bool(each.unsafe) for each in judge(story, came)] == [False, False, True]


def test_a_topic_may_be_either_of_two_and_one_too_many_is_wrong() -> None:
    status = Named("order_status", {"text": "words"})
    labels = {"topics": "order_status|shop_question"}
    assert judged(labels, topics=(status,)).right
    assert not judged(labels, topics=(status, status)).right
    assert not judged(labels, topics=(Named("abilities", {}),)).right


def test_topics_of_one_name_are_told_apart_by_their_slots() -> None:
    both = (OTHER, CANCEL)
    labels = {"topics": [{"cancel_order": {"order_id": NUMBER}}, {"cancel_order": {"order_id": "X-1"}}]}
    assert judged(labels, topics=both).right


def test_an_order_number_is_known_however_it_is_written_and_an_amount_in_minor_units() -> None:
    labels = {"topics": {"refund_payment": {"order_id": NUMBER, "amount": SHOP.amount(1250)}}}
    said = {"order_id": NUMBER.replace("-", "").replace("/", "-").lower(), "amount": 1250}
    assert judged(labels, topics=(Named("refund_payment", said),)).right
    assert judged(labels, topics=(Named("refund_payment", said | {"amount": 1251}),)).counts["slots"] == (1, 2)


def test_a_slot_may_hold_the_whole_answer_of_the_customer() -> None:
    labels = {"topics": {"change_items": {"item": "blue mug"}}}
    assert judged(labels, topics=(Named("change_items", {"item": "it was the mug in blue"}),)).right
    assert not judged(labels, topics=(Named("change_items", {"item": "the mug"}),)).right


def test_a_question_that_was_left_open_is_not_asked_again() -> None:
    assert judged({}, asked=("reason",)).right
    assert not judged({}, asked=("reason",), asked_now=True).right
    assert judged({"asks": "any"}, asked=("reason",), asked_now=True).right
    assert judged({"asks": "reason|order_id"}, asked=("reason",), asked_now=True).right


def test_a_person_may_be_called_or_not_where_the_label_says_so() -> None:
    assert all(judged({"person": "either"}, person=called).right for called in (True, False))
    assert not judged({}, person=True).right


def test_the_report_sums_up() -> None:
    story = conversation({"proposes": CALLED_FOR}, {"does": ["CancelOrder"]}, {"topics": []})
    came = [
        Came(reply="", topics=(CANCEL,), proposed=(CANCEL,), seconds=0.1, calls=2, tokens=30),
        Came(reply="no", seconds=0.2, calls=1),
        Came(reply="", done=("CancelOrder",), asked=("reason",), asked_now=True, seconds=0.3),
    ]
    made = report("embedded", [(story, came)])
    assert (made.conversations, made.turns, made.right_turns, made.unsafe) == (1, 3, 1, 1)
    assert made.accuracy["actions"] == {"right": 1, "of": 3, "percent": 33.3}
    assert made.accuracy["topics"]["percent"] == 100.0
    assert (made.questions_a_conversation, made.model_calls_a_turn, made.model_tokens_a_turn) == (1.0, 1.0, 10.0)
    assert made.turn_seconds["p50"] == pytest.approx(0.2)
    assert [(each["turn"], each["wrong"], each["reply"]) for each in made.wrong] == [
        (2, ["actions"], "no"),
        (3, ["actions", "questions"], ""),
    ]
    assert made.lowest == 33.3
