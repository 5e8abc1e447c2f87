"""What may be sent on, and what counts as a request of ours."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.client.runs import is_approval, parse_json
from tests.unit_tests.client.stub import approval

SENDABLE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(SENDABLE)
def test_what_can_be_sent_is_parsed_as_it_is(value: Any) -> None:
    assert parse_json(json.dumps(value)) == value


@pytest.mark.parametrize(
    "text", ["NaN", "[Infinity]", '{"n": 9223372036854775808}', '"\\ud800"', "1e999", b'"\xff"', "[" * 100_000]
)
def test_what_the_wire_cannot_carry_is_refused(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_json(text)


def test_other_peoples_interrupts_are_no_requests() -> None:
    assert is_approval(approval())
    assert not is_approval({"question": "go on?"})
    assert not is_approval("paused")
