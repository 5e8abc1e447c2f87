"""How amounts, times and foreign text look."""

import unicodedata
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.client.show import amount_of, clean, due_in, money, one_line, plain
from tests.unit_tests.client.stub import approval

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("amount", "text"), [(123450, "1,234.50 USD"), (0, "0.00 USD"), (-5, "-0.05 USD"), (100, "1.00 USD")]
)
def test_amounts_are_shown_in_major_units(amount: int, text: str) -> None:
    assert money(amount) == text


@given(st.integers(min_value=-(10**15), max_value=10**15))
def test_no_cent_is_lost_in_showing_an_amount(amount: int) -> None:
    shown = money(amount, "EUR").removesuffix(" EUR").replace(",", "")
    assert Decimal(shown) * 100 == amount


def test_an_action_without_an_amount_shows_none() -> None:
    assert amount_of({"address": "1 High Street"}) is None


def test_an_amount_or_a_total_is_the_amount_of_an_action() -> None:
    assert amount_of({"total": 500, "currency": "EUR"}) == "5.00 EUR"
    assert amount_of(approval()["action_requests"][0]["args"]) == "1,234.50 USD"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (3 * 3600 + 59, "in 3 h"),
        (59 * 60, "in 59 min"),
        (0, "in 0 min"),
        (-2 * 3600, "2 h overdue"),
        (50 * 3600, "in 2 d"),
        (-3 * 24 * 3600, "3 d overdue"),
    ],
)
def test_due_times_are_told_relative_to_now(seconds: int, text: str) -> None:
    assert due_in((NOW + timedelta(seconds=seconds)).isoformat(), NOW) == text


@given(st.text())
def test_shown_text_cannot_steer_the_terminal(text: str) -> None:
    left = {unicodedata.category(c) for c in clean(text) if c not in "\n\t\u200c\u200d"}
    assert not left & {"Cc", "Cf", "Cs"}


@given(st.text())
def test_a_cell_is_one_line(text: str) -> None:
    assert len(one_line(text).splitlines()) <= 1


def test_text_that_reorders_itself_is_put_straight() -> None:
    assert clean("pay \u202e05.432,1\u202c now") == "pay 05.432,1 now"


def test_markup_in_foreign_text_stays_text() -> None:
    text = plain("[bold red]approve[/] :warning: [link=http://x]here[/link]")
    assert text.plain == "[bold red]approve[/] :warning: [link=http://x]here[/link]"
    assert not text.spans
