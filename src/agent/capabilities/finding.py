"""Finding what a customer means among what is theirs: their order, a line of it, an option, a method, an address.

Each helper gives what was meant, or the question that is to be asked. They read, and change nothing.
"""

import re
from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from agent.capabilities.base import Question, Slots
from agent.commerce.policy import money, policy_denied
from agent.commerce.types import Address
from agent.commerce.views import LineView, OrderView
from agent.services import Services

T = TypeVar("T")

_SMALL_WORDS: Final = frozenset(("of", "the", "with", "and", "for", "in", "an", "w"))
"""Words that tell no thing from another."""

_WORD: Final = re.compile(r"\w+")
_NUMBER: Final = re.compile(r"(?<![\w.,-])[0-9]{1,4}(?![\w.,-])")
_NUMBERS: Final = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "both": 2, "a": 1}
_ALL: Final = re.compile(r"\b(?:all|everything|whole|entire|both|every)\b", re.I)
_LEAD: Final = re.compile(r"^.*?\b(?:to|is|at|address:?)\s+(?=\S*\d)", re.I | re.S)
_CODE_LAST: Final = re.compile(r"(?P<city>.*?)\s*\b(?P<state>[A-Z]{2,3}\b)?\s*(?P<code>\S*\d\S*(?: \S*\d\S*)?)")
_CODE_FIRST: Final = re.compile(r"(?P<code>\S*\d\S*(?:\s+(?:\S*\d\S*|[A-Z]{2}))?)\s+(?P<city>\D+)")
_LONGEST_ADDRESS: Final = 400
"""Characters of a message that are looked at for an address: the patterns are quadratic."""
_HOW_TO_WRITE: Final = "Please write street and number, city, postcode and country, with commas between them."


async def the_order(shop: Services, customer_id: str, slots: Slots, verb: str) -> OrderView | Question:
    """The order that is named. Raises `PolicyDenied` ORDER-EXISTS for one that is not theirs."""
    if slots.order_id:
        return await shop.queries.get(slots.order_id, customer_id=customer_id)
    return Question("order_id", f"Which order shall I {verb}? Please tell me its number.")


def the_line(order: OrderView, said: str, verb: str) -> LineView | Question:
    """The line of an order whose item is named; its only one, if it has one."""
    lines = order["lines"]
    found = lines if len(lines) == 1 else best(lines, said, lambda line: f"{line['name']} {line['sku']}")
    if len(found) == 1:
        return found[0]
    listed = "\n".join(f"- {line['quantity']} × {line['name']} ({line['sku']})" for line in lines)
    return Question("item", f"Which item of {order['id']} shall I {verb}?\n{listed}")


def line_of(order: OrderView, sku: str) -> LineView:
    """The line of an order with this item, the first of several. Raises `PolicyDenied` LINES-OWNED."""
    line = next((line for line in order["lines"] if line["sku"] == sku), None)
    if line is None:
        raise policy_denied("LINES-OWNED", sku)
    return line


def take(lines: Sequence[LineView], left: dict[int, int], sku: str, quantity: int) -> list[tuple[LineView, int]]:
    """The lines that pieces of an item are of, the first ones first, with how many; they are taken off `left`.

    Raises `PolicyDenied` LINES-OWNED for more than there are.
    """
    taken = []
    for line in lines:
        if line["sku"] == sku and (part := min(quantity, left.get(line["number"], 0))):
            taken.append((line, part))
            left[line["number"]] -= part
            quantity -= part
    if quantity:
        raise policy_denied("LINES-OWNED", sku)
    return taken


def the_quantity(line: LineView, said: str | None, verb: str) -> int | Question:
    """How many pieces of a line: its only one, all, or a number that is said."""
    if line["quantity"] == 1 or (said and _ALL.search(said)):
        return line["quantity"]
    question = Question("quantity", f"How many of the {line['quantity']} × {line['name']} shall I {verb}?")
    if said is None:
        return question
    found = [int(number) for number in _NUMBER.findall(said)]
    found = found or [_NUMBERS[word] for word in words_of(said) if word in _NUMBERS]
    return found[0] if len(found) == 1 and 1 <= found[0] <= line["quantity"] else question


async def the_option(shop: Services, line: LineView, said: str) -> dict[str, Any] | Question:
    """Another option of the same product that can be had."""
    options = [each for each in await shop.queries.options(line["sku"]) if each["sku"] != line["sku"]]
    others = [each for each in options if each["available"]]
    if not others:
        return Question("item", f"There is no other {line['name']} that I could send. Is it another item?")
    found = best(options, said, lambda each: f"{each['sku']} {' '.join(each['options'].values())}")
    if len(found) == 1 and found[0]["available"]:
        return found[0]
    out = f"{option_in_words(found[0])} is sold out. " if len(found) == 1 else ""
    listed = "\n".join(f"- {option_in_words(each)}, {money(each['price'])}" for each in others)
    return Question("option", f"{out}Which one shall take the place of the {line['name']} ({line['sku']})?\n{listed}")


def option_in_words(option: Mapping[str, Any]) -> str:
    """An option by what tells it from the others: "Table lamp, brass"."""
    return f"{option['name']}, {', '.join(option['options'].values())}"


async def the_method(
    shop: Services, customer_id: str, said: str, question: str, *, but: str
) -> dict[str, Any] | Question:
    """A payment method of the customer's own that is named, and is not the present one, `but`.

    Raises `PolicyDenied` PAYMENT-DIFFERENT when that is named, or there is no other.
    """
    own = [each for each in await shop.queries.payment_methods(customer_id) if each["id"] != but]
    if said == but or not own:
        raise policy_denied("PAYMENT-DIFFERENT", but)
    exactly = [each for each in own if each["id"] == said]
    found = exactly or best(own, said, lambda each: f"{each['id']} {each['label']}")
    if len(found) == 1:
        return found[0]
    return Question("method", question + "\n" + "\n".join(f"- {method_in_words(each)}" for each in own))


def method_in_words(method: Mapping[str, Any]) -> str:
    """A payment method as its owner knows it, and what is left on it."""
    balance = method["balance"]
    return str(method["label"]) + (f", {money(balance)} left" if balance is not None else "")


def the_address(said: str | None, like: Mapping[str, Any], question: str) -> Address | Question:
    """An address that is written out; its country is that of `like` when none is named."""
    again = Question("address", f"{question} {_HOW_TO_WRITE}")
    written = (said or "")[:_LONGEST_ADDRESS]
    parts = [part.strip(" .!?\t") for part in re.split(r"[,\n;]", _LEAD.sub("", written, count=1))]
    parts = [part for part in parts if part]
    if len(parts) < 2 or not re.search(r"\d", parts[0]):
        return again
    line1, *rest = parts
    country = like.get("country", "")
    if len(rest) > 1 and not re.search(r"\d", rest[-1]) and len(rest[-1]) > 1:
        country = rest.pop()
    found = _CODE_LAST.fullmatch(rest[-1]) or _CODE_FIRST.fullmatch(rest[-1])
    if found is None:
        return again
    place = found.groupdict("")
    del rest[-1]
    city = place["city"] or (rest.pop() if rest else "")
    if not city or not country:
        return again
    try:
        return Address(
            line1=line1,
            line2=", ".join(rest),
            city=city,
            state=place.get("state", ""),
            postcode=place["code"],
            country=country,
        )
    except ValidationError:  # a part is longer than any is
        return again


def address_in_words(address: Mapping[str, Any]) -> str:
    """An address on one line."""
    place = " ".join(part for part in (address.get("state", ""), address["postcode"]) if part)
    parts = (address["line1"], address.get("line2", ""), address["city"], place, address["country"])
    return ", ".join(part for part in parts if part)


def best(things: Sequence[T], said: str, named: Callable[[T], str]) -> list[T]:
    """Those of the things of whose name the most words were said; none when no word was."""
    spoken = words_of(said)
    hits = [len({word for word in words_of(named(thing)) if _heard(word, spoken)}) for thing in things]
    most = max(hits, default=0)
    return [thing for thing, hit in zip(things, hits, strict=True) if hit == most] if most else []


def words_of(text: str) -> set[str]:
    """The words of a text, in any case."""
    return {word.casefold() for word in _WORD.findall(text)} - _SMALL_WORDS


def _heard(word: str, spoken: Set[str]) -> bool:
    """Whether a word was said, be it in the plural or not."""
    return bool(spoken & {word, word + "s", word.removesuffix("s")})
