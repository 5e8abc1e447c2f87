"""What may not be in logs and traces is hidden, and what operators need is left as it is."""

import json
import logging
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.observability.redaction import HIDDEN, ScrubbingFormatter, error_text, scrub, scrub_logs, shown

PERSONAL = [
    ("no customer with ada.park+home@mail.example.com", "ada.park"),
    ("GET /threads?email=ada%40example.com&zip=97205 HTTP/1.1", "97205"),
    ("https://ada:secret1@example.com/x", "secret1"),
    ("call +49 (0) 30 901820 or +14155550132", "901820"),
    ("call (415) 555-0132 or 415-555-0132", "555"),
    ("paid by 4111 1111 1111 1111", "1111 1111"),
    ("paid by 5500000000000004,", "5500000000000004"),
    ("account DE89 3704 0044 0532 0130 00", "3704"),
    ("sent to 14 Alder Street, Portland", "Alder"),
    ("to 9 Old Mill Rd", "Mill"),
    ("Authorization: Bearer abc.def-123", "abc.def"),
    ("key sk_live_1234567890 refused", "1234567890"),
    ("whsec_aGVsbG8gd29ybGQ=", "aGVsbG8"),
    ("jwt eyJhbGciOi.eyJzdWIiOiJ.c2ln", "eyJzdWIi"),
    ("{'first_name': 'Ada', \"last_name\": \"O'Park\"}", "Ada"),
    ('{"first_name": "Ada", "last_name": "O\'Park"}', "Park"),
    ('{"detail": "{\\"note\\": \\"she was rude\\"}"}', "rude"),
    ("input_value={'line1': '14 Alder', 'city': 'Portland'}, input_type=dict", "Alder"),
    ("note=shouted", "shouted"),
]


@pytest.mark.parametrize(("text", "whose"), PERSONAL)
def test_what_is_somebodys_is_hidden(text: str, whose: str) -> None:
    assert whose in text
    assert whose not in scrub(text)
    assert HIDDEN in scrub(text)


WANTED = [
    "order W-1001 is parked since 2026-11-27T17:40:12.123456Z",
    "thread 01a21e3b-4708-7410-b380-518242f6e39e took 1234567890123 ns",
    "127.0.0.1:2024 GET /ops/orders/W-1001 200 12.5ms",
    "circuit payment is open (timeout), next probe in 5.0 s",
    "apr-15a0fcc7b2e8 by order_manager, 1399.00 USD",
    "Why is N-1 pending? Nobody said.",
    "key N-1:pay:1 amount 139900",
]


@pytest.mark.parametrize("text", WANTED)
def test_what_operators_need_is_left(text: str) -> None:
    assert scrub(text) == text


@given(st.uuids(), st.datetimes(), st.integers(0, 10**10))
def test_ids_times_and_amounts_are_left(thread: object, at: datetime, amount: int) -> None:
    text = json.dumps({"thread_id": str(thread), "timestamp": at.replace(tzinfo=UTC).isoformat(), "amount": amount})
    assert scrub(text) == text


@given(st.text(max_size=400))
def test_any_text_can_be_scrubbed_twice_and_is_the_same(text: str) -> None:
    assert scrub(scrub(text)) == scrub(text)


STATE = {
    "order_id": "W-1001",
    "processing_stage": "awaiting_approval",
    "order_amount": 139900,
    "customer": {"name": "Ada Park", "phone": 14155550132, "mail": ["ada@example.com"]},
    "messages": [{"type": "human", "content": "I live at Alder Street"}],
    "my name is Ada": True,
    "note": "she was rude",
}


def test_a_state_is_shown_by_its_form_ids_and_numbers() -> None:
    assert shown(STATE) == {
        "order_id": "W-1001",
        "processing_stage": "awaiting_approval",
        "order_amount": 139900,
        "customer": {"name": HIDDEN, "phone": HIDDEN, "mail": [HIDDEN]},
        "messages": [{"type": "human", "content": HIDDEN}],
        HIDDEN: True,
        "note": HIDDEN,
    }


def test_an_error_is_shown_by_its_type_and_where_it_was() -> None:
    text = """ValueError("no customer Ada Park")Traceback (most recent call last):

  File "/srv/app/src/agent/commerce/orders.py", line 41, in place
    raise ValueError(name)

ValueError: no customer Ada Park"""
    assert error_text(text) == "ValueError\nagent/commerce/orders.py:41 place"


def test_a_log_line_is_scrubbed_with_its_exception(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger(f"of a library {uuid4()}")
    logger.propagate = False
    handler = logging.StreamHandler()
    logger.addHandler(handler)
    scrub_logs()
    scrub_logs()

    try:
        int("Ada@example.com")
    except ValueError:
        logger.exception("GET /x?name=Ada failed")

    said = capsys.readouterr().err
    assert "ValueError: invalid literal for int() with base 10: '[hidden]'" in said
    assert "Ada" not in said
    assert isinstance(handler.formatter, ScrubbingFormatter)
    assert not isinstance(handler.formatter._inner, ScrubbingFormatter)
