"""Money as people write it: minor units of a currency, to and from text in a locale. Pure; CLDR's data come from babel.

How many digits a currency has after its decimal sign (its exponent) and how a locale groups digits is babel's to know;
whose currency and locale it is, is said in `shop`.
"""

import re
from decimal import Decimal
from functools import lru_cache
from typing import Final, NamedTuple

from babel import Locale
from babel.numbers import get_currency_precision, list_currencies

DEFAULT_LOCALE: Final = "en_US"
_WHOLE: Final = 9
"""Digits of the longest number without group signs that is read as an amount."""
_GROUPS: Final = 4
"""Groups of a longer one, the first and the last not counted."""


@lru_cache
def exponent(currency: str) -> int:
    """Digits after the decimal sign: 2 for USD, 0 for JPY, 3 for KWD. Raises ValueError for no currency of ISO 4217."""
    if currency not in list_currencies():
        raise ValueError(f"{currency!r} is no currency: ISO 4217 has three capital letters for each")
    return get_currency_precision(currency)


def format_amount(amount: int, currency: str, locale: str = DEFAULT_LOCALE) -> str:
    """An amount of minor units without its currency: 123450 of USD is `1,234.50`, of EUR in de_DE `1.234,50`."""
    digits, signs = exponent(currency), _signs(locale)
    whole, part = divmod(abs(amount), 10**digits)
    decimals = f"{signs.decimal}{part:0{digits}}" if digits else ""
    return f"{'-' if amount < 0 else ''}{signs.group.join(_in_groups(str(whole), signs))}{decimals}"


def _in_groups(number: str, signs: "_Signs") -> list[str]:
    """Not babel's own `format_decimal`: it groups Swiss numbers once (findings/)."""
    first, others = signs.sizes
    head, groups = number[:-first], [number[-first:]]
    while head:
        head, last = head[:-others], head[-others:]
        groups.insert(0, last)
    return groups


def format_money(amount: int, currency: str, locale: str = DEFAULT_LOCALE) -> str:
    """An amount of minor units with its currency: `1,234.50 USD`. The code, since a `$` is that of many countries."""
    return f"{format_amount(amount, currency, locale)} {currency}"


def read_money(text: object, currency: str, locale: str = DEFAULT_LOCALE) -> int:
    """An amount of this currency as people write it, in minor units: `60`, `60.00`, `60,00` and `1,200.00 USD`.

    Raises ValueError with what is expected: for another currency, and for what may mean two things.
    """
    plain = str(text).strip().removesuffix(currency).strip() if isinstance(text, str | int) else ""
    minor = None if isinstance(text, bool) else minor_units(plain, currency, locale)
    if minor is None:
        example = format_amount(_EXAMPLE * 10 ** exponent(currency), currency, locale)
        raise ValueError(f"an amount is written like {example}, in {currency}")
    return minor


_EXAMPLE: Final = 80
_ALIKE: Final = (" \u00a0\u202f", "'\u2019")
"""Group signs that stand for one another: no keyboard has them all."""


def minor_units(number: str, currency: str, locale: str = DEFAULT_LOCALE) -> int | None:
    """A number of this currency in its minor units; None for what is no amount of it (see `number_pattern`)."""
    if not re.fullmatch(number_pattern(currency, locale), number, re.ASCII):
        return None
    signs = _signs(locale)
    grouped = re.fullmatch(_grouped(signs, exponent(currency)), number, re.ASCII)
    plain = re.sub(signs.alike, "", number).replace(signs.decimal, ".") if grouped else number.replace(",", ".")
    return int(Decimal(plain).scaleb(exponent(currency)))


@lru_cache
def number_pattern(currency: str, locale: str = DEFAULT_LOCALE) -> str:
    """The pattern of numbers that are amounts: with the locale's group signs, or plain with either decimal sign.

    A group has three digits and the most currencies two decimals, so that `1,20` and `1,200` can't be mistaken. Where
    they can, for a currency with three decimals, only the locale's own signs count.
    """
    digits, signs = exponent(currency), _signs(locale)
    either = "[.,]" if digits < 3 else re.escape(signs.decimal)
    part = f"(?:{either}[0-9]{{1,{digits}}})?" if digits else ""
    return f"(?:{_grouped(signs, digits)}|[0-9]{{1,{_WHOLE}}}{part})"


class _Signs(NamedTuple):
    """How a locale writes numbers: its signs, what stands for the group sign, and the sizes of the last group and the
    others."""

    group: str
    alike: str
    decimal: str
    sizes: tuple[int, int]


def _grouped(signs: _Signs, digits: int) -> str:
    first, others = signs.sizes
    part = f"(?:{re.escape(signs.decimal)}[0-9]{{1,{digits}}})?" if digits else ""
    head = f"[0-9]{{1,{others}}}(?:{signs.alike}[0-9]{{{others}}}){{0,{_GROUPS}}}"
    return f"{head}{signs.alike}[0-9]{{{first}}}{part}"


@lru_cache
def _signs(locale: str) -> _Signs:
    found = Locale.parse(locale)
    symbols, sizes = found.number_symbols["latn"], found.decimal_formats[None].grouping
    alike = next((signs for signs in _ALIKE if symbols["group"] in signs), symbols["group"])
    return _Signs(symbols["group"], f"[{re.escape(alike)}]", symbols["decimal"], sizes)
