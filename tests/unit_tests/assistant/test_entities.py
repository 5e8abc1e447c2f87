"""Order ids, amounts and reasons are read exactly, or not at all."""

from decimal import Decimal

import pytest
from babel.numbers import get_currency_name, get_currency_symbol, get_decimal_symbol
from hypothesis import given
from hypothesis import strategies as st

from agent import order_numbers
from agent.assistant.entities import (
    AMOUNT_LIMIT,
    amount,
    cancel_reason,
    numbers_as_amounts,
    order_ids,
    other_currency,
    stated_reason,
)
from agent.shop import SHOP
from tests.support.goods import W1001, order_number

SIGN = get_currency_symbol(SHOP.currency, "en")
NAME = get_currency_name(SHOP.currency, count=2, locale="en").split()[-1]
"""The shop's currency as it is called where English is spoken: $ and dollars, € and euros."""

SWAPPED = str.maketrans(".,", ",.")


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("where is W-1001?", ["W-1001"]),
        ("where is w-1001", ["W-1001"]),
        ("imported order #w6067464, please", ["#W6067464"]),
        ("W-1001, W-1002 and W-1001 again", ["W-1001", "W-1002"]),
        ("an en dash, as phones type it: W–1001", ["W-1001"]),
        ("order 1001", ["1001"]),
        ("I want to order 1001 of them", []),
        ("W-12", []),
        ("W-1001abc or SW-1001", []),
        ("W-" + "1" * 21, []),
        ("W-١٢٣٤", []),
    ],
)
def test_order_ids_are_found_as_typed_in_upper_case(text: str, ids: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a shop whose numbers are like W-1001; of others', in `test_order_numbers`."""
    monkeypatch.setattr(order_numbers, "_NUMBER", order_numbers.pattern_like("W-1001"))
    assert order_ids(text) == ids


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("I want 80.00 back", 8000),
        ("I want 80 back", 8000),
        (f"refund me {SIGN}80", 8000),
        (f"80 {NAME} were taken", 8000),
        (f"I was charged 80,50 {SIGN}", 8050),
        (f"please credit {SHOP.amount(1_250_50)}", 125050),
        ("50 cents are missing", 50),
        ("I paid 100.00 for it and want 80.00 back", 8000),
        ("refund 80.00, yes, 80.00", 8000),
        (f"refund me {SIGN}0.10", 10),
    ],
)
def test_an_amount_is_read_in_minor_units(text: str, minor: int) -> None:
    assert amount(text) == minor


@pytest.mark.parametrize(
    "text",
    [
        "it came 3 days late, I want a refund",
        "I bought 2 lamps",
        "the sofa is 80.00 wide",
        f"refund order {W1001}",
        f"refund 80{get_decimal_symbol(SHOP.locale)}005",
        f"refund {SHOP.amount(1_000_00).translate(SWAPPED)}",
        "refund -80.00",
        "refund 80%",
        "I was charged 45.00 and then 46.00",
        f"refund {AMOUNT_LIMIT}",
        "refund " + "9" * 4000,
    ],
)
def test_what_is_not_clearly_one_amount_of_money_is_not_read(text: str) -> None:
    assert amount(text) is None


@given(st.integers(0, AMOUNT_LIMIT))
def test_amounts_are_exact(minor: int) -> None:
    written = str(Decimal(minor) / 100)
    assert amount(f"I want {SIGN}{written} back") == minor
    assert numbers_as_amounts(f"about {SIGN}{written} or so") == {minor}


def test_an_order_id_is_not_an_amount() -> None:
    assert numbers_as_amounts(f"refund 80 of {W1001} and #{order_number(6067464)}") == {8000}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("I no longer need it", "no longer needed"),
        ("I don’t need it anymore", "no longer needed"),
        ("we changed our minds", "no longer needed"),
        ("I ordered it by mistake", "ordered by mistake"),
        ("that was an accident", "ordered by mistake"),
        ("I didn't mean to order two", "ordered by mistake"),
        ("found it cheaper elsewhere", None),
        ("it takes too long", None),
        ("I don't want to wait", None),
    ],
)
def test_a_cancel_reason_is_one_of_the_two_that_policy_knows_or_none(text: str, reason: str | None) -> None:
    assert cancel_reason(text) == reason


def test_a_stated_reason_is_a_short_excerpt_of_the_customers_words() -> None:
    assert stated_reason("refund me because the glass is cracked") == "the glass is cracked"
    assert len(stated_reason("refund me because " + "it broke " * 100) or "") <= 160
    assert stated_reason("refund me") is None


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        (text, currency)
        for text, currency in (
            ("I want €50 back", "EUR"),
            ("I want $50 back", "USD"),
            ("refund me 5000 yen", "JPY"),
            ("refund 30 pounds please", "GBP"),
            ("I paid 20 euros and want 20 euros back", "EUR"),
            ("CHF 12.50 back", "CHF"),
            ("refund 4000¥", "JPY"),
        )
        if currency != SHOP.currency
    ],
)
def test_an_amount_in_another_currency_is_named_and_not_taken(text: str, currency: str) -> None:
    assert other_currency(text) == currency
    assert amount(text) is None
    assert numbers_as_amounts(text) == set()


@pytest.mark.parametrize(
    "text", [f"refund me {SIGN}50", f"50 {NAME} back", f"{SHOP.currency} 50", "I won 3 of them", "50"]
)
def test_the_shops_own_currency_is_no_other(text: str) -> None:
    assert other_currency(text) is None


@pytest.mark.parametrize(
    ("text", "currency"),
    [("A$50 back", "AUD"), ("US$ 50 back", "USD"), ("50 bucks", "USD"), ("¥500", "JPY"), ("50 kroner", "DKK")],
)
def test_a_sign_of_several_currencies_is_the_shops_own_or_the_usual_one(text: str, currency: str) -> None:
    assert other_currency(text) == (None if currency == SHOP.currency else currency)
