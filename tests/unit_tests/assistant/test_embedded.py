"""The embedded rules: what a message asks, without a model."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.assistant.embedded import TOPICS_LIMIT, answer_to, understand
from agent.assistant.models import MESSAGE_LIMIT, Act, RequestType, Topic, Understanding
from tests.support.cast import CAST
from tests.support.goods import W1001, W1002, W1003, order_number


def only_topic(text: str) -> Topic:
    understood = understand(text, pending=False)
    assert understood.act == "request"
    assert len(understood.topics) == 1, understood
    return understood.topics[0]


def topics(text: str) -> list[tuple[RequestType, str | None]]:
    return [(topic.request_type, topic.order_id) for topic in understand(text, pending=False).topics]


@pytest.mark.parametrize(
    ("text", "request_type"),
    [
        ("where is my parcel", "order_status"),
        (f"has {W1001} been sent yet", "order_status"),
        ("my order still has not arrived", "order_status"),
        (W1001, "order_status"),
        (f"cancel {W1001}", "order_cancel"),
        ("I'd like my order cancelled", "order_cancel"),
        (f"I no longer need {W1001}", "order_cancel"),
        (f"change the shipping address of {W1001} to 5 Hill Road", "order_change"),
        ("please swap the blue mug in my order for a green one", "order_change"),
        ("I want to return the chair", "order_return"),
        ("the vase arrived in pieces", "order_return"),
        (f"you sent me the wrong {CAST.product.split()[-1]}", "order_return"),
        ("I was charged twice", "billing_issue"),
        ("where is my refund", "billing_issue"),
        ("can I have the invoice", "billing_issue"),
        ("my card was declined", "billing_issue"),
        ("my lamp does not turn on", "technical_issue"),
        ("the checkout page keeps crashing", "technical_issue"),
        ("please send me a replacement", "technical_issue"),
        ("someone got into my account", "security_issue"),
        ("I can't log in", "security_issue"),
        ("there is an order that I did not make, a purchase I never authorised", "security_issue"),
        ("change my email to a@b.example", "security_issue"),
        ("we moved, here is our new address", "account"),
        ("please delete my account", "account"),
        ("unsubscribe me from your newsletter", "account"),
        ("how long does shipping take?", "question"),
        ("how do I cancel an order?", "order_cancel"),
        ("what is your return policy?", "question"),
        ("do you accept PayPal?", "question"),
    ],
)
def test_a_request_is_recognised(text: str, request_type: RequestType) -> None:
    assert only_topic(text).request_type == request_type


@pytest.mark.parametrize(
    ("text", "act"),
    [
        ("Hello!", "small_talk"),
        ("thanks a lot, bye", "small_talk"),
        ("are you a robot?", "small_talk"),
        ("What is the weather like?", "out_of_scope"),
        ("write me a poem about lamps", "out_of_scope"),
        ("who will win the election", "out_of_scope"),
        ("where is my Amazon order", "out_of_scope"),
        ("", "unclear"),
        ("qwertz uiop", "unclear"),
        ("请帮我", "unclear"),
        ("yes", "unclear"),
        ("no", "unclear"),
    ],
)
def test_what_is_no_request_is_told_apart(text: str, act: Act) -> None:
    assert understand(text, pending=False) == Understanding(act=act)


def test_two_wishes_are_two_topics() -> None:
    assert topics(f"cancel {W1001} and also where is {W1002}?") == [
        ("order_cancel", W1001),
        ("order_status", W1002),
    ]


def test_a_complaint_and_the_remedy_asked_for_are_one_topic() -> None:
    topic = only_topic(f"My order {W1003} arrived broken, I want 80.00 back")
    assert topic == Topic(
        request_type="billing_issue",
        text=f"My order {W1003} arrived broken, I want 80.00 back",
        order_id=W1003,
        amount=8000,
        reason=f"My order {W1003} arrived broken",
    )


def test_a_list_of_orders_shares_the_wish() -> None:
    assert topics(f"Cancel {W1001}, {W1002} and {W1003} please") == [
        ("order_cancel", W1001),
        ("order_cancel", W1002),
        ("order_cancel", W1003),
    ]
    assert topics(f"{W1001} and {W1002} should be cancelled") == [
        ("order_cancel", W1001),
        ("order_cancel", W1002),
    ]


def test_an_order_that_is_only_mentioned_is_not_cancelled() -> None:
    assert ("order_cancel", W1001) not in topics(f"I have {W1001} and {W1002}, cancel {W1002}")
    assert ("order_cancel", W1002) not in topics(f"cancel {W1001}, I am happy with {W1002}")


def test_an_order_named_once_is_meant_by_every_topic_about_an_order() -> None:
    assert topics(f"I was charged twice. Where is {W1002}?") == [
        ("billing_issue", W1002),
        ("order_status", W1002),
    ]
    assert topics(f"Where is {W1002}? How do I reset my password?")[1] == ("question", None)


def test_of_two_orders_none_is_guessed() -> None:
    assert topics(f"Where are {W1001} and {W1002}? I was charged twice.")[-1] == ("billing_issue", None)


def test_greeting_and_thanks_are_not_part_of_a_request() -> None:
    topic = only_topic(f"Hi there! Please cancel {W1001}, I ordered it by mistake. Thank you!")
    assert topic.text == f"Please cancel {W1001}, I ordered it by mistake"
    assert topic.reason == "ordered by mistake"


def test_another_reason_than_policys_two_is_not_bent_into_one() -> None:
    assert only_topic(f"cancel {W1001}, it is too expensive").reason is None


def test_one_reason_holds_for_all_cancellations_of_a_message() -> None:
    understood = understand(f"cancel {W1001} and {W1002}, I no longer need them", pending=False)
    assert [topic.reason for topic in understood.topics] == ["no longer needed"] * 2


def test_a_wish_that_is_denied_is_not_a_wish() -> None:
    assert topics(f"please do not cancel {W1001}, where is it?") == [("order_status", W1001)]


def test_no_more_topics_are_taken_up_than_the_limit() -> None:
    orders = " ".join(order_number(digits) for digits in range(1001, 1021))
    assert len(topics(f"cancel {orders}")) == TOPICS_LIMIT


@pytest.mark.parametrize(
    "text",
    ["yes", "Yes please!", "yeah, go ahead", "ok do it", "OK", "sure, thanks", "I confirm.", "that's right", "👍"],
)
def test_a_plain_yes_to_a_pending_plan(text: str) -> None:
    assert understand(text, pending=True) == Understanding(act="yes")


@pytest.mark.parametrize(
    "text", ["no", "No thanks, leave it", "nope", "don't do it", "never mind", "I changed my mind"]
)
def test_a_plain_no_to_a_pending_plan(text: str) -> None:
    assert understand(text, pending=True) == Understanding(act="no")


@pytest.mark.parametrize(
    "text",
    [
        "yes?",
        "yes but change the address",
        "yes, if it is free",
        "yes and no",
        "not yes",
        "you said yes to my friend",
        f"yes, and cancel {W1002} too",
        "yes 不要",
        "wait",
        "hm",
        "",
        "thanks",
        "what would that cost?",
        "do it tomorrow",
        "don't go ahead, ok?",
        "cancel",
    ],
)
def test_anything_but_a_plain_yes_is_no_yes(text: str) -> None:
    assert understand(text, pending=True).act != "yes"


def test_a_bare_cancel_while_a_plan_waits_is_asked_about() -> None:
    assert understand("cancel it", pending=True) == Understanding(act="unclear")
    assert understand("cancel it", pending=False).act == "request"


def test_an_answer_completes_the_topic_that_was_asked_about() -> None:
    refund = Topic(request_type="billing_issue", text="I want a refund")
    with_order = answer_to(refund, f"it's order {W1003.lower()}")
    assert with_order == refund.model_copy(update={"order_id": W1003})
    assert answer_to(with_order, "80") == with_order.model_copy(update={"amount": 8000})
    cancel = Topic(request_type="order_cancel", text=f"cancel {W1001}", order_id=W1001)
    assert answer_to(cancel, "ordered by mistake") == cancel.model_copy(update={"reason": "ordered by mistake"})


@pytest.mark.parametrize(
    "text", [f"where is {W1002}?", "thanks", "how long does shipping take?", f"{W1001} or {W1002}"]
)
def test_what_does_not_answer_completes_nothing(text: str) -> None:
    assert answer_to(Topic(request_type="order_cancel", text="cancel my order"), text) is None


storable = st.characters(codec="utf-8", exclude_characters="\0")  # what no door lets in (TEXT-CHARACTERS) is left out
messages = st.text(storable, max_size=400) | st.lists(
    st.sampled_from(("yes", "no", "cancel", "refund", W1001, "#W6067464", "80.00", "$5", "and", "also", ",", "?", "\n"))
    | st.sampled_from(("my", "order", "don't", "where", "is", "it", "broken", "please", "how", "do it", "thanks"))
    | st.text(storable, max_size=5),
    max_size=60,
).map(" ".join)


@settings(deadline=timedelta(seconds=2))
@given(messages, st.booleans())
def test_any_text_is_understood_the_same_way_every_time(text: str, pending: bool) -> None:
    understood = understand(text, pending=pending)
    assert understand(text, pending=pending) == understood
    assert (understood.act == "request") == bool(understood.topics)
    assert all(topic.text in text for topic in understood.topics)
    if not pending:
        assert understood.act not in ("yes", "no")


@given(messages)
def test_a_question_mark_is_never_in_a_yes(text: str) -> None:
    assert understand(f"yes {text} ?", pending=True).act != "yes"


HOSTILE = (
    f"a|!| |\n|1|, |and |W-|#{W1001} |80.00 |1,000|cancel |don't want to |yes |don't do |because |refund me the a "
    "|where when status |have a |how do what is |İ|👍|\ud800|\x00|'\""
)


@pytest.mark.timeout(20)  # quadratic or worse would take minutes
@pytest.mark.parametrize("unit", HOSTILE.split("|"))
def test_hostile_repetition_does_not_slow_the_desk_down(unit: str) -> None:
    text = (unit * MESSAGE_LIMIT)[:MESSAGE_LIMIT]
    for pending in (False, True):
        assert understand(text, pending=pending).act in (
            "request",
            "yes",
            "small_talk",
            "out_of_scope",
            "unclear",
            "no",
        )
