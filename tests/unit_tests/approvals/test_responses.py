"""Answers as clients send them; platform-facts lists the forms that were seen on the wire."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.approvals.models import NOTE_LIMIT, Answer, decision_payload
from agent.approvals.responses import UnreadableAnswerError, read_answer
from tests.support.goods import W1001

NAME = "refund_payment"
ARGS = {"order_id": W1001, "amount": "99", "reason": "scratched"}

APPROVED = Answer(decision="approve")
REJECTED = Answer(decision="reject", note="too much")
EDITED = Answer(decision="edit", arguments=ARGS)


ECHOED = Answer(decision="approve", echoed=ARGS)
TOKEN = Answer(decision="approve", token="0f")


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        pytest.param([{"type": "accept", "args": {"action": NAME, "args": ARGS}}], ECHOED, id="inbox accepts"),
        pytest.param([{"type": "accept", "args": None}], APPROVED, id="inbox accepts without args"),
        pytest.param([{"type": "accept", "args": {"action": NAME, "args": {}}}], APPROVED, id="inbox repeats nothing"),
        pytest.param({"decisions": [{"type": "approve"}], "token": "0f"}, TOKEN, id="desk sends the card's token"),
        pytest.param({"type": "approve", "token": "0f"}, TOKEN, id="a token in a dict"),
        pytest.param([{"type": "edit", "args": {"action": NAME, "args": ARGS}}], EDITED, id="inbox edits"),
        pytest.param([{"type": "response", "args": "too much"}], REJECTED, id="inbox responds"),
        pytest.param([{"type": "ignore", "args": None}], Answer(decision="reject"), id="inbox ignores"),
        pytest.param({"decisions": [{"type": "approve"}]}, APPROVED, id="chat approves"),
        pytest.param(
            {"decisions": [{"type": "edit", "edited_action": {"name": NAME, "args": ARGS}}]}, EDITED, id="chat edits"
        ),
        pytest.param({"decisions": [{"type": "reject", "message": "too much"}]}, REJECTED, id="chat rejects"),
        pytest.param("approve", APPROVED, id="a2a or studio says a word"),
        pytest.param("  Approve\n", APPROVED, id="studio says a word in its own way"),
        pytest.param("reject", Answer(decision="reject"), id="a word rejects"),
        pytest.param({"type": "approve"}, APPROVED, id="studio sends a dict"),
        pytest.param(True, APPROVED, id="studio sends true"),
        pytest.param(False, Answer(decision="reject"), id="studio sends false"),
        pytest.param("true", APPROVED, id="studio sends true in a string"),
        pytest.param('{"type": "reject", "message": "too much"}', REJECTED, id="studio sends JSON in a string"),
        pytest.param('"approve"', APPROVED, id="studio sends a JSON string in a string"),
        pytest.param(json.dumps({"decisions": [{"type": "approve"}]}), APPROVED, id="studio pastes a whole answer"),
    ],
)
def test_every_form_seen_on_the_wire_is_read(said: Any, answer: Answer) -> None:
    assert read_answer(said, NAME) == answer


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(decision_payload("approve", name=NAME), id="approve"),
        pytest.param(decision_payload("reject", name=NAME, note="too much"), id="reject"),
        pytest.param(decision_payload("edit", name=NAME, arguments=ARGS), id="edit"),
    ],
)
def test_our_own_client_is_understood(said: Any) -> None:
    assert read_answer(said, NAME) in (APPROVED, REJECTED, EDITED)


DEEP = "[" * 100_000 + "]" * 100_000


def deep_value(levels: int = 5_000) -> Any:
    value: Any = "approve"
    for _ in range(levels):
        value = {"type": value}
    return value


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(None, id="null"),
        pytest.param(1, id="number"),
        pytest.param(float("nan"), id="not a number"),
        pytest.param("", id="empty"),
        pytest.param("yes, but only half of it", id="free text"),
        pytest.param("null", id="null in a string"),
        pytest.param([], id="no decision"),
        pytest.param({"decisions": []}, id="no decision in a dict"),
        pytest.param([{"type": "accept"}, {"type": "ignore"}], id="two answers"),
        pytest.param({"decisions": [{"type": "approve"}, {"type": "approve"}]}, id="two decisions"),
        pytest.param([[{"type": "accept"}]], id="a list of lists"),
        pytest.param({}, id="nothing"),
        pytest.param({"type": None}, id="no type"),
        pytest.param({"type": ["approve"]}, id="a type that is no word"),
        pytest.param({"type": "maybe"}, id="unknown type"),
        pytest.param({"type": "APPROVE "}, id="no client's word in a dict"),
        pytest.param({"type": "reject", "message": {"text": "no"}}, id="a note that is no text"),
        pytest.param({"type": "reject", "message": "x" * (NOTE_LIMIT + 1)}, id="a note too long"),
        pytest.param({"type": "reject", "message": "\ud800"}, id="a note that is no unicode"),
        pytest.param([{"type": "response", "args": ["no"]}], id="a response that is no text"),
        pytest.param([{"type": "edit", "args": None}], id="an edit of nothing"),
        pytest.param([{"type": "edit", "args": {"action": NAME}}], id="an edit without arguments"),
        pytest.param([{"type": "edit", "args": {"action": NAME, "args": [1]}}], id="arguments that are a list"),
        pytest.param([{"type": "edit", "args": {"action": "cancel_order", "args": ARGS}}], id="another action edited"),
        pytest.param(
            [{"type": "accept", "args": {"action": "cancel_order", "args": ARGS}}], id="another action accepted"
        ),
        pytest.param(
            {"decisions": [{"type": "edit", "edited_action": {"args": ARGS}}]}, id="an edit of an action without name"
        ),
        pytest.param(DEEP, id="JSON too deep to parse"),
        pytest.param(deep_value(), id="a value too deep to print"),
        pytest.param("1" * 10_000, id="a number too long to parse"),
    ],
)
def test_what_is_unclear_is_asked_again_and_never_guessed(said: Any) -> None:
    with pytest.raises(UnreadableAnswerError):
        read_answer(said, NAME)


WORDS = st.sampled_from(
    ["type", "args", "action", "name", "decisions", "edited_action", "message", "approve", "accept", "edit",
     "reject", "response", "ignore", NAME]
)  # fmt: skip
TEXT = WORDS | st.text(st.characters(categories=["L", "N", "P", "Z", "Cc", "Cs"]), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_any_value_is_an_answer_or_is_unreadable(said: Any) -> None:
    try:
        answer = read_answer(said, NAME)
    except UnreadableAnswerError:
        return
    assert (answer.arguments is not None) == (answer.decision == "edit")


@given(st.dictionaries(TEXT, JSON) | st.lists(JSON))
def test_the_same_answer_as_json_in_a_string_is_the_same_answer(said: Any) -> None:
    def outcome(form: Any) -> Answer | str:
        try:
            return read_answer(form, NAME)
        except UnreadableAnswerError as error:
            return str(error)

    assert repr(outcome(json.dumps(said))) == repr(outcome(said))


@pytest.mark.parametrize("text", ["a\0", "\ud800", "\0"])
def test_an_answer_that_can_not_be_kept_is_not_taken(text: str) -> None:
    edited = {"type": "edit", "edited_action": {"name": "refund_payment", "args": {"order_id": text}}}
    for said in ({"type": "reject", "message": text}, [{"type": "response", "args": text}], {"decisions": [edited]}):
        with pytest.raises(UnreadableAnswerError, match="TEXT-CHARACTERS"):
            read_answer(said, "refund_payment")
