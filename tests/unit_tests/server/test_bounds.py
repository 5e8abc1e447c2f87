"""The bounds that no other test stands at: each at its number, and one past it. The list is in docs/architecture.md."""

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from agent.approvals.models import NOTE_LIMIT, Answer
from agent.commerce.commands import NewOrder
from agent.server.approval_routes import Ask
from tests.unit_tests.server.test_rules import ORDER

LINE = {"sku": "MUG-BLUE", "quantity": 1}
AT_THE_BOUND: list[tuple[type[BaseModel], dict[str, Any], dict[str, Any]]] = [
    (NewOrder, ORDER | {"lines": [LINE] * 100}, ORDER | {"lines": [LINE] * 101}),
    (NewOrder, ORDER | {"lines": [LINE | {"quantity": 1000}]}, ORDER | {"lines": [LINE | {"quantity": 1001}]}),
    (NewOrder, ORDER | {"order_id": "W" * 60}, ORDER | {"order_id": "W" * 61}),
    (NewOrder, ORDER | {"customer_id": "a" * 60}, ORDER | {"customer_id": "a" * 61}),
    (NewOrder, ORDER | {"payment_method_id": "a" * 60}, ORDER | {"payment_method_id": "a" * 61}),
    (Answer, {"decision": "reject", "note": "x" * NOTE_LIMIT}, {"decision": "reject", "note": "x" * (NOTE_LIMIT + 1)}),
    (Ask, {"text": "x" * NOTE_LIMIT}, {"text": "x" * (NOTE_LIMIT + 1)}),
]


@pytest.mark.parametrize(("form", "at", "past"), AT_THE_BOUND)
def test_a_field_is_taken_at_its_bound_and_not_one_past_it(
    form: type[BaseModel], at: dict[str, Any], past: dict[str, Any]
) -> None:
    form.model_validate(at)
    with pytest.raises(ValidationError):
        form.model_validate(past)
