"""The hard facts in a customer's words: order ids, amounts of money, reasons. Pure; exact or nothing.

What the customer wants is read in `embedded`. What a model found is checked against these (law 7).
"""

import re
from typing import Final

from agent import order_numbers
from agent.assistant.pattern_language import phrases
from agent.money import exponent, minor_units, number_pattern
from agent.shop import SHOP

REASON_LIMIT = 160
"""Longest excerpt, in characters, that is kept as a reason."""

AMOUNT_LIMIT = 100_000_000
"""Amounts above this many minor units are not a shop's business here, and are not read."""

_TYPOGRAPHY = str.maketrans("‘’´`“”‐‑‒–—−？！", "''''\"\"------?!")

_EMAIL = re.compile(r"(?<![^\s<(,:;\"'])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")

_SHARED: Final[dict[str, tuple[str, ...]]] = {
    "$": ("USD", "AUD", "CAD", "HKD", "NZD", "SGD", "MXN", "COP", "CLP", "ARS"), "¥": ("JPY", "CNY"),
    "dollar": ("USD", "AUD", "CAD", "HKD", "NZD", "SGD"), "buck": ("USD", "AUD", "CAD", "HKD", "NZD", "SGD"),
    "£": ("GBP", "EGP"), "pound": ("GBP", "EGP"), "franc": ("CHF", "XAF", "XOF"), "rupee": ("INR", "PKR", "LKR", "NPR"),
    "peso": ("MXN", "COP", "CLP", "ARS", "PHP"), "kroner": ("DKK", "NOK"), "krona": ("SEK", "ISK"), "kronor": ("SEK",),
}  # fmt: skip
"""Signs and words of several currencies: the shop's own is meant where it is one of them, else the first."""

_CURRENCIES: Final[dict[str, str]] = {
    "us$": "USD", "usd": "USD", "€": "EUR", "eur": "EUR", "euro": "EUR", "gbp": "GBP", "jpy": "JPY", "yen": "JPY",
    "chf": "CHF", "cad": "CAD", "c$": "CAD", "ca$": "CAD", "aud": "AUD", "a$": "AUD", "au$": "AUD", "nzd": "NZD",
    "nz$": "NZD", "hk$": "HKD", "s$": "SGD", "r$": "BRL", "₹": "INR", "inr": "INR", "cny": "CNY", "rmb": "CNY",
    "yuan": "CNY", "krw": "KRW", "sek": "SEK", "nok": "NOK", "dkk": "DKK", "pln": "PLN", "zloty": "PLN", "mxn": "MXN",
    "brl": "BRL", "reais": "BRL",
    **{name: SHOP.currency if SHOP.currency in several else several[0] for name, several in _SHARED.items()},
    **({"cent": SHOP.currency} if exponent(SHOP.currency) == 2 else {}),
    SHOP.currency.lower(): SHOP.currency,
}  # fmt: skip
"""Which currency a sign or a word stands for; several pieces of it have an s more."""

_LONGEST_FIRST = sorted(_CURRENCIES, key=len, reverse=True)
_SIGNS = "|".join(re.escape(name) for name in _LONGEST_FIRST if not name[-1].isalpha())
_WORDS = "|".join(rf"{name}s?" for name in _LONGEST_FIRST if name[-1].isalpha())

_AMOUNT = re.compile(
    rf"(?<![\w.,#$€£¥₹-])(?P<sign>(?:{_SIGNS}) ?|(?:{_WORDS}) )?"
    rf"(?P<number>{number_pattern(SHOP.currency, SHOP.locale)})"
    rf"(?: ?(?P<unit>{_SIGNS}|{_WORDS})(?!\w))?(?!\w| ?%|[.,-]?[0-9])",
    re.I | re.ASCII,
)
_DIGIT = re.compile(r"[0-9]")
"""What every order number and amount has: what has none is not looked at twice."""
_DECIMALS = re.compile(rf"[.,][0-9]{{{exponent(SHOP.currency)}}}$")

# what is said beside a number without a currency, when it is money
_MONEY = phrases("refund*/back/charg*/paid/pay/credit*/owe/owed/cost/costs/compensat*/money/price/total/amount/bill*")
_ASKED_BEFORE = re.compile(r"\b(?:refund|credit|compensat)\w*(?: (?:me|us|of|just|only|about|the|a)){0,3} $", re.I)
_ASKED_AFTER = re.compile(r" (?:back|refund|credit|compensation)\b", re.I)
_PAID_BEFORE = re.compile(r"\b(?:charged?|paid|pay|billed|cost|took)(?: (?:me|us|only|about|just)){0,3} $", re.I)
_WANTED_BEFORE = re.compile(r"\b(?:want|get|need|like|have|expect|me|us|my) $", re.I)
_ENDS = re.compile(r"(?: (?:back|please|for|from|to|on|in|as|instead|and)\b| ?[.,;:!?]| ?$)", re.I)

_COUNTED = re.compile(
    r" ?(?:more |full |long |whole |business |working )?(?:seconds?|minutes?|mins?|hours?|hrs?|days?|nights?|weeks?"
    r"|months?|years?|times?|pieces?|pcs|items?|parcels?|people|o'clock|am|pm|kg|g|cm|mm|m|inch(?:es)?"
    r"|of (?:them|these|those|it))\b",
    re.I,
)
"""What stands behind a number that counts something else than money."""

_CANCEL_REASONS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "ordered by mistake",
        phrases(
            "by_mistake/by_accident/by_error/accidentally/mistakenly/in_error/duplicate",
            "was/is/it's/made/were a/an/my? mistake/accident/error",
            "didn't/did_not/never mean/meant/intend*/want* to order/buy/place/purchase",
            "ordered … wrong/twice",
        ),
    ),
    (
        "no longer needed",
        phrases(
            "no_longer need*/want*/require*/interested",
            "no_need/not_needed/not_need/anymore/any_more",
            "changed my/our mind/minds",
            "don't/dont/do_not/didn't really/actually? need/want it/this/that/them/these/the/my/order",
        ),
    ),
)
_BECAUSE = re.compile(r"\b(?:because|since|due to) (.+)", re.I)


def plain(text: str) -> str:
    """The text with typographic quotes and dashes made plain, character for character."""
    return text if text.isascii() else text.translate(_TYPOGRAPHY)


def order_ids(text: str) -> list[str]:
    """The order ids named, each once, as typed but in upper case."""
    return order_numbers.find(_on_one_line(text)) if _DIGIT.search(text) else []


def emails(text: str) -> set[str]:
    """The e-mail addresses named, in lower case; half a word is none."""
    return {found.group().lower() for found in _EMAIL.finditer(text)}


def without_emails(text: str) -> str:
    """The text without the e-mail addresses in it."""
    return _EMAIL.sub("", text) if "@" in text else text


def without_order_ids(text: str) -> str:
    """The text on one line, with the word "order" where an id stood."""
    words = _on_one_line(text)
    return order_numbers.without(words) if _DIGIT.search(words) else words


def _on_one_line(text: str) -> str:
    return " ".join(plain(text).split())


def bare_words(text: str) -> str:
    """The text on one line, with "order" for each order id and "amount" for each number, as `intent_rules` has it."""
    words = without_order_ids(text)
    return _AMOUNT.sub(" amount", words) if _DIGIT.search(words) else words


def numbers_as_amounts(text: str) -> set[int]:
    """Every number in the text that could be an amount, in minor units: what a model may find there."""
    words = without_order_ids(text)
    numbers = (
        found
        for found in _AMOUNT.finditer(words)
        if _currency(found) == SHOP.currency and not _COUNTED.match(words, found.end())
    )
    return {minor for found in numbers if (minor := _minor_units(found)) is not None}


def other_currency(text: str) -> str | None:
    """The currency of an amount in the text that is not the shop's; what it is in the shop's own nobody can tell."""
    named = [_currency(found) for found in _AMOUNT.finditer(without_order_ids(text))]
    return next((currency for currency in named if currency != SHOP.currency), None)


def _currency(found: re.Match[str]) -> str:
    """The currency that a number names; the shop's, when it names none."""
    name = (found["sign"] or found["unit"] or "").strip().lower()
    return _CURRENCIES.get(name) or _CURRENCIES.get(name.removesuffix("s")) or SHOP.currency


def _minor_units(found: re.Match[str]) -> int | None:
    if (found["unit"] or "").lower().startswith("cent"):
        minor = int(found["number"]) if found["number"].isdigit() else None
    else:
        minor = minor_units(found["number"], SHOP.currency, SHOP.locale)
    return minor if minor is not None and minor <= AMOUNT_LIMIT else None


def amount(text: str) -> int | None:
    """The amount of money that is meant, in minor units.

    A number counts when it has a currency, or when the words beside it speak of money. Of several different
    amounts the one asked back is meant; when that does not settle it, none is. Nor is one in another currency.
    """
    words = without_order_ids(text)
    if not _DIGIT.search(words):
        return None
    speaks_of_money = bool(_MONEY.search(words))
    named: set[int] = set()
    asked_back: set[int] = set()
    for found in _AMOUNT.finditer(words):
        if _currency(found) != SHOP.currency:
            continue
        before, after = (
            words[max(0, found.start() - 40) : found.start()],
            words[found.end() : found.end() + 20],
        )
        asked = bool(_ASKED_BEFORE.search(before) or _ASKED_AFTER.match(after))
        if found["sign"] or found["unit"]:
            is_money = True
        elif not found["number"].isdigit():
            is_money = speaks_of_money
        elif _ASKED_AFTER.match(after):
            is_money = bool(_WANTED_BEFORE.search(before))
        else:
            is_money = bool((asked or _PAID_BEFORE.search(before)) and _ENDS.match(after))
        if is_money and (minor := _minor_units(found)) is not None:
            named.add(minor)
            asked_back |= {minor} if asked else set()
    meant = asked_back or named
    return meant.pop() if len(meant) == 1 else None


def counter_amount(note: str, *, below: int) -> int | None:
    """The smaller amount that the reason for a no names: money, or a number with the decimals of money."""
    if (meant := amount(note)) is not None and 0 < meant < below:
        return meant
    numbers = [each for each in _AMOUNT.finditer(without_order_ids(note)) if _DECIMALS.search(each["number"])]
    named = {minor for each in numbers if (minor := _minor_units(each)) and 0 < minor < below}
    return named.pop() if len(named) == 1 else None


def cancel_reason(text: str) -> str | None:
    """The one of policy's two reasons (CANCEL-REASON) that the words say, or None."""
    words = plain(text)
    return next((reason for reason, pattern in _CANCEL_REASONS if pattern.search(words)), None)


def stated_reason(text: str) -> str | None:
    """What the customer gives as the reason, as an excerpt of their own words, or None."""
    found = _BECAUSE.search(without_order_ids(text))
    return found[1][:REASON_LIMIT].strip() if found else None
