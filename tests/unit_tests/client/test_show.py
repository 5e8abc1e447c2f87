"""How amounts, times and foreign text look."""

import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.approvals.models import ApprovalView
from agent.client.show import amount_of, clean, due_in, one_line, plain
from tests.unit_tests.client.stub import approval

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)


def view(currency: str | None = None, **args: Any) -> ApprovalView:
    """A request with these arguments, as a server shows it."""
    shown = approval()
    shown["action_requests"][0]["args"] = args
    return shown | {"currency": currency} if currency else shown


def test_an_action_without_an_amount_shows_none() -> None:
    assert amount_of(view(address="1 High Street")) is None


def test_an_amount_or_a_total_is_the_amount_of_an_action() -> None:
    assert amount_of(view("EUR", total=500)) == "5.00 EUR"
    assert amount_of(view("EUR", amount="5,00")) == "5,00 EUR"
    assert amount_of(approval()) == "1,234.50 USD"


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
