"""Text that every database keeps, at each door that takes some."""

from typing import Any

import pytest
from pydantic import ValidationError

from agent.approvals.models import Answer
from agent.assistant.models import MessageError, Topic, message_text
from agent.commerce.commands import CancelOrder
from agent.commerce.ticket_commands import OpenTicket
from agent.commerce.types import Address
from agent.text import is_storable

BAD = ["\0", "a\0b", "\ud800", "a\udfff"]
ADDRESS = {"line1": "7 Harbor Lane", "city": "Portland", "postcode": "97201", "country": "USA"}
WHO = {"key": "k", "actor": "ada_park", "subject": "ada_park"}


@pytest.mark.parametrize("bad", BAD)
def test_it_is_found_however_deep(bad: str) -> None:
    for value in (bad, [bad], {"a": [{"b": bad}]}, {bad: 1}, ("x", [bad])):
        assert not is_storable(value)


@pytest.mark.parametrize(
    "good", ["", "Grüße, 你好 \U0001f44d", "\n\t\x01", r"\u0000", 7, None, True, [1, {"a": ["b"]}]]
)
def test_anything_else_can_be_kept(good: Any) -> None:
    assert is_storable(good)


@pytest.mark.parametrize("bad", BAD)
def test_no_door_takes_it(bad: str) -> None:
    with pytest.raises(MessageError):
        message_text(f"hello {bad}")
    for model, fields in (
        (Answer, {"decision": "reject", "note": bad}),
        (Topic, {"request_type": "question", "text": bad}),
        (Topic, {"request_type": "question", "text": "x", "reason": bad}),
        (CancelOrder, {**WHO, "order_id": "W-1", "reason": bad}),
        (CancelOrder, {**WHO, "key": bad, "order_id": "W-1", "reason": None}),
        (OpenTicket, {**WHO, "topic": "order", "text": bad}),
        *((Address, {**ADDRESS, field: bad}) for field in ("line1", "line2", "city", "state", "postcode", "country")),
    ):
        with pytest.raises(ValidationError):
            model.model_validate(fields)  # type: ignore[attr-defined]
