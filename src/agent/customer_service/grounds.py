"""What the customer said and what was found of theirs: a sum or an address that a model fills in stands in one of them.

What else it fills in is looked up: an order, an item, a payment method that is not the customer's is denied.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from agent.assistant.draft_check import CHOSEN
from agent.assistant.entities import emails, numbers_as_amounts
from agent.commerce.policy import money
from agent.commerce.types import Address

_CODE: Final = re.compile(r"[A-Z]{2,3}")
"""A state or a country: whoever names a place has named both."""


class Grounds:
    """The customer's own words, and the facts of what is theirs."""

    def __init__(self, said: Sequence[str]) -> None:
        self._said = "\n".join(said)
        self._found: list[str] = []

    def add(self, facts: Sequence[str]) -> None:
        """Facts of the customer's own orders and account."""
        self._found += facts

    def lacking(self, given: Mapping[str, Any]) -> str:
        """What of a proposal's arguments is a sum or an address that nobody named; empty if all was."""
        amount, email, where = given.get("amount"), given.get("email"), given.get("where")
        if amount is not None and amount not in numbers_as_amounts(self._said) and not self._is_sum(money(amount)):
            return "that amount"
        if email is not None and email.strip().casefold() not in emails(self._said):
            return "that e-mail address"
        return "that address" if where is not None and not self._is_place(where) else ""

    def are_of(self, sentence: str, given: object) -> bool:
        """Whether nothing in a sentence is of a model's own making: of the texts that it filled in."""
        return all(self._is_named(text) for text in _texts(given) if text in sentence)

    def _is_sum(self, amount: str) -> bool:
        whole = re.compile(rf"(?<![\d.,]){re.escape(amount)}")
        return any(whole.search(CHOSEN.sub(" ", fact)) for fact in self._found)

    def _is_place(self, where: Address) -> bool:
        parts = where.model_dump().items()
        codes = {name for name in ("state", "country") if _CODE.fullmatch(getattr(where, name))}
        return all(not part or name in codes or self._is_named(part) for name, part in parts)

    def _is_named(self, text: str) -> bool:
        """Whether a text was said or found, as whole words."""
        spaced = r"\s+".join(re.escape(word) for word in text.split())
        whole = re.compile(rf"(?<!\w){spaced}(?!\w)", re.I)
        return bool(spaced) and any(whole.search(each) for each in (self._said, *self._found))


def _texts(given: object) -> Iterator[str]:
    """The texts in arguments, however deep: forms bound that."""
    match given:
        case str():
            yield given
        case Mapping():
            yield from (text for each in given.values() for text in _texts(each))
        case tuple() | list():
            yield from (text for each in given for text in _texts(each))
