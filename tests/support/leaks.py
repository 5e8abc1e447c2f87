"""Whether anything of anybody's stands in what servers tell of themselves: their logs, metrics and traces."""

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from agent.tokens import digest_of

SHOPS: Final = tuple(sorted((Path(__file__).resolve().parents[2] / "shops").glob("*/catalogue.json")))

_WROTE: Final = (
    "SELECT note FROM decisions UNION SELECT note FROM approvals UNION SELECT text FROM questions"
    " UNION SELECT answer FROM questions UNION SELECT text FROM tickets UNION SELECT text FROM ticket_messages"
)
_TOKEN: Final = re.compile(r"(?<![\w-])[\w-]{32}(?![\w-])")
"""Where one of ours may stand: 24 bytes in URL-safe base64."""


def personal(customer: Mapping[str, Any]) -> Iterator[str]:
    """What is somebody's, of a customer as catalogues write them.

    Not a first name or a city alone, nor a postcode of figures: they are also words and numbers of other things.
    """
    yield customer["last_name"]
    yield f"{customer['first_name']} {customer['last_name']}"
    yield customer["email"]
    yield from _of_address(customer["address"])
    for method in customer["payment_methods"]:
        yield from (text for text in (method["label"], method.get("token")) if text)


def of_shops() -> set[str]:
    """Everybody's of both shops."""
    customers = (each for shop in SHOPS for each in json.loads(shop.read_text())["customers"])
    return {text for each in customers for text in personal(each)}


def of_ledger(file: Path) -> set[str]:
    """What came to be somebody's in a ledger: changed e-mail and postal addresses, and what staff and customers wrote.

    Of that what has three words or more: "ok" is no secret.
    """
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as ledger:

        def column(query: str) -> list[str]:
            return [value for (value,) in ledger.execute(query) if value]

        wrote = {text for text in column(_WROTE) if text.count(" ") > 1}
        addresses = column("SELECT address FROM customers UNION SELECT ship_to FROM orders")
        lines = {line for address in addresses for line in _of_address(json.loads(address))}
        return wrote | lines | set(column("SELECT email FROM customers"))


def find(text: str, whose: str) -> int:
    """Where this stands as words of their own, in whatever spelling of JSON or of a query; -1: nowhere."""
    spellings = {whose, json.dumps(whose)[1:-1], whose.replace(" ", "%20"), whose.replace("@", "%40")}
    found = [re.search(rf"(?<![\w-]){re.escape(each)}(?![\w-])", text) for each in spellings if each in text]
    return min((match.start() for match in found if match), default=-1)


def leaks(told: Mapping[str, str], whose: Iterable[str]) -> dict[tuple[str, str], str]:
    """What of `whose` stands in what is told, by where and what: with what stands around it."""
    return {
        (where, each): text[max(0, at - 120) : at + 60]
        for each in whose
        for where, text in told.items()
        if (at := find(text, each)) >= 0
    }


def tokens_in(told: Mapping[str, str], digests: Iterable[str]) -> list[str]:
    """Where a token stands whose digest is one of these."""
    known = set(digests)
    return [
        f"{where}: {text[max(0, at.start() - 120) : at.start()]}"
        for where, text in told.items()
        for at in _TOKEN.finditer(text)
        if digest_of(at[0]) in known
    ]


def _of_address(address: Mapping[str, Any]) -> Iterator[str]:
    lines = (str(address.get(key) or "") for key in ("line1", "line2", "postcode"))
    yield from (line for line in lines if line and not line.isdecimal())
