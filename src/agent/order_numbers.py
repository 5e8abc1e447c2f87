"""Order numbers in what people write: found, and told to be the same however they are written. Pure.

What they look like is known by one example (`shop.toml`, order_number). Which order is meant is decided among the
customer's own (`commerce.queries`): a number that looks like one and is nobody's changes nothing.
"""

import re
from collections.abc import Iterable
from typing import Final

from agent.shop import SHOP

_RUN: Final = re.compile(r"[A-Za-z]+|[0-9]+|[^A-Za-z0-9]+")
_SHORTEST: Final = 3
"""Digits that the last part of a number has at least."""
_ALONE: Final = 5
"""Digits at least of a number that has nothing else, and is not called an order: fewer may count anything."""


def pattern_like(example: str) -> re.Pattern[str]:
    """What finds numbers like the example, and digits that have a `#` or are called an order, in words on one line.

    Digits behind the sign of a currency are money, also where numbers like the example are nothing but digits.
    """
    runs = _runs(example)
    own = "".join(_part(run, last=run is runs[-1]) for run in runs)
    if len(runs) == 1 and runs[0].isdigit():
        own = f"[0-9]{{{max(_ALONE, len(runs[0]))},20}}"
    named = r"order(?: number| no\.?| nr\.?| id)?"  # no wish to order so many
    called = rf"(?<!\bto )(?<!\bi )(?<!\bwe )(?<!please ){named}:? #?(?P<called>[0-9]{{3,20}})(?!\w|[.,/-]?[0-9]| ?%)"
    return re.compile(
        rf"(?<![\w$€£¥₹])(?:(?P<own>#?{own})|{called}|#(?P<marked>[0-9]{{3,20}}))(?!\w)", re.IGNORECASE | re.ASCII
    )


def _runs(example: str) -> list[str]:
    return _RUN.findall(example.lstrip("#"))


def _part(run: str, *, last: bool) -> str:
    if run.isalpha():
        return run
    if not run.isdigit():
        return "[-/._]?"
    return f"[0-9]{{{min(_SHORTEST, len(run))},20}}" if last else f"[0-9]{{{len(run)}}}"


_NUMBER: Final = pattern_like(SHOP.order_number)
_LIKE: Final = _runs(SHOP.order_number)


def find(words: str) -> list[str]:
    """The order numbers named, each once, as typed but in upper case."""
    found = (match["own"] or match["called"] or match["marked"] for match in _NUMBER.finditer(words))
    return list(dict.fromkeys(number.upper() for number in found))


def without(words: str) -> str:
    """The words with "order" where an order number stood."""
    return _NUMBER.sub("order", words)


def spellings(number: str) -> set[str]:
    """How a number that was typed may be written in the ledger, for who has no customer's orders to look among."""
    return {number, number.lstrip("#"), f"#{number.lstrip('#')}", _like(number, _LIKE)}


def meant(number: str, ids: Iterable[str]) -> list[str]:
    """Those of the ids that a typed number may mean: that very one, the same but for signs, or one that ends in it."""
    known = list(ids)
    wanted = bare(number)
    same = [each for each in known if each == number] or [each for each in known if bare(each) == wanted]
    ends = (
        [each for each in known if bare(each).endswith(wanted)] if wanted.isdigit() and len(wanted) >= _SHORTEST else []
    )
    return same or ends


def bare(number: str) -> str:
    """A number without its signs, to tell whether two are the same."""
    return re.sub(r"[^a-z0-9]", "", number.casefold())


def _like(number: str, runs: list[str]) -> str:
    """The number written as the example is; itself, when it does not fit."""
    rest, made = bare(number).upper(), ""
    for run in runs:
        if not run.isalnum():
            made += run
        elif run.isdigit():
            size = len(rest) if run is runs[-1] else len(run)
            made, rest = made + rest[:size], rest[size:]
        else:
            made, rest = made + run, rest.removeprefix(run.upper())
    return made if not rest else number
