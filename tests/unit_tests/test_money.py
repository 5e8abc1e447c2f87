"""Amounts are written and read in a currency's digits and a locale's signs, and nothing is read two ways."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.money import exponent, format_amount, format_money, read_money

LOCALES = ("en_US", "de_DE", "fr_FR", "de_CH", "sv_SE", "pt_BR", "ja_JP", "en_IN")
CURRENCIES = ("USD", "EUR", "JPY", "KWD", "CHF")


@pytest.mark.parametrize(
    ("amount", "currency", "locale", "written"),
    [
        (0, "USD", "en_US", "0.00 USD"),
        (5, "USD", "en_US", "0.05 USD"),
        (-5, "USD", "en_US", "-0.05 USD"),
        (1_234_567_89, "USD", "en_US", "1,234,567.89 USD"),
        (1_234_50, "EUR", "de_DE", "1.234,50 EUR"),
        (1_234_50, "CHF", "de_CH", "1'234.50 CHF"),
        (1_234_567_89, "CHF", "de_CH", "1'234'567.89 CHF"),
        (1_234_567_89, "INR", "en_IN", "12,34,567.89 INR"),
        (1234, "JPY", "ja_JP", "1,234 JPY"),
        (1_234_567, "KWD", "en_US", "1,234.567 KWD"),
    ],
)
def test_money_is_written_as_people_write_it(amount: int, currency: str, locale: str, written: str) -> None:
    assert format_money(amount, currency, locale) == written


@settings(deadline=None)
@given(st.integers(0, 10**11), st.sampled_from(CURRENCIES), st.sampled_from(LOCALES))
def test_what_is_written_is_read_back_exactly(amount: int, currency: str, locale: str) -> None:
    assert read_money(format_amount(amount, currency, locale), currency, locale) == amount
    assert read_money(format_money(amount, currency, locale), currency, locale) == amount


@settings(deadline=None)
@given(st.integers(0, 10**8), st.sampled_from(("USD", "EUR")), st.sampled_from(LOCALES), st.sampled_from(".,"))
def test_either_decimal_sign_is_read_where_a_group_can_not_be_meant(
    amount: int, currency: str, locale: str, sign: str
) -> None:
    written = f"{Decimal(amount).scaleb(-exponent(currency))}".replace(".", sign)
    assert read_money(written, currency, locale) == amount


@pytest.mark.parametrize(
    ("text", "currency", "locale"),
    [
        ("1.200", "USD", "en_US"),  # of another locale, or of a currency with three decimals
        ("1,200", "EUR", "de_DE"),
        ("1.234.567,8", "USD", "en_US"),
        ("1,5", "KWD", "en_US"),
        ("12.5", "JPY", "ja_JP"),
        ("80 EUR", "USD", "en_US"),
        ("-1", "USD", "en_US"),
        ("1e3", "USD", "en_US"),
        ("", "USD", "en_US"),
        ("\u0661\u0662", "USD", "en_US"),
        ("9" * 40, "USD", "en_US"),
        (True, "USD", "en_US"),
        (1.5, "USD", "en_US"),
        (None, "USD", "en_US"),
    ],
)
def test_what_may_mean_two_things_or_nothing_is_refused_with_an_example(
    text: object, currency: str, locale: str
) -> None:
    with pytest.raises(ValueError, match=r"an amount is written like .*80.*, in"):
        read_money(text, currency, locale)


@pytest.mark.parametrize("code", ["usd", "DOLLAR", "XXQ", ""])
def test_what_is_no_currency_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match="is no currency"):
        exponent(code)
