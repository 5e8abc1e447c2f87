"""What a customer points at without its number or name: "it", "the second one", "my last order", "all of it".

Looked up among the customer's own orders, the shop's products and the conversation's last messages. It reads; a plan is
listed all the same.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from langchain_core.messages import AnyMessage, HumanMessage

from agent import order_numbers
from agent.capabilities.catalogue import products_named
from agent.capabilities.finding import words_of
from agent.capabilities.product_question import PRODUCT_QUESTION, REFERS
from agent.capabilities.wishes import ALL, Wish, ordinal
from agent.ledger.database import PolicyDenied
from agent.services import Services

ABOUT_ONE_ORDER: Final = frozenset(
    (
        *("cancel_order", "change_address", "change_payment", "change_items", "exchange_items", "return_items"),
        *("explain_charges", "refund_payment", "replace_item"),
    )
)
"""Capabilities that need an order."""
_LATEST: Final = re.compile(r"\b(?:my|the) (?:last|latest|newest|most recent) (?:order|purchase|one)\b", re.I)
_POINTS: Final = re.compile(r"\b(?:it|that|this|them|those|these|that one|this one|same)\b", re.I)
_LATELY: Final = 6
"""So many of the last messages are looked at for what is pointed at."""
ORDERS: Final = 20
"""So many of a customer's last orders are looked at for an item."""


async def with_order(shop: Services, customer_id: str, wish: Wish, text: str, messages: Sequence[AnyMessage]) -> Wish:
    """The wish with the order, or with the amount, that its words point at, if they point at just one."""
    slots = wish["slots"]
    may_lack = wish["capability"] in ABOUT_ONE_ORDER or (wish["capability"] == "order_status" and _status_of_one(text))
    if "order_id" not in slots and may_lack and (found := await pointed_at(shop, customer_id, text, messages)):
        slots = slots | {"order_id": found}
    whole = slots.get("all") or ALL.search(slots["text"])
    if wish["capability"] == "refund_payment" and whole and "amount" not in slots and "order_id" in slots:
        try:
            own = await shop.queries.own_order_id(customer_id, slots["order_id"])
            slots = slots | {"amount": await shop.queries.refundable(own)}
        except PolicyDenied:
            pass  # the capability says so
    return Wish(capability=wish["capability"], slots=slots)


async def with_product(shop: Services, wish: Wish, messages: Sequence[AnyMessage]) -> Wish:
    """A question about a product with the one that its words point at: what the customer named last, if it was one."""
    if wish["capability"] != PRODUCT_QUESTION.name or not REFERS.search(wish["slots"]["text"]):
        return wish
    names = await shop.queries.product_names()
    said = (message.text for message in reversed(messages[-_LATELY - 1 :]) if isinstance(message, HumanMessage))
    last = next((named for words in said if (named := products_named(names, words))), [])
    return Wish(capability=wish["capability"], slots=wish["slots"] | {"product": last[0]}) if len(last) == 1 else wish


async def product_asked_about(shop: Services, text: str, messages: Sequence[AnyMessage]) -> list[Wish]:
    """What asks about a product only after one was named, such as "how much is it?"; none, when none was."""
    if not (PRODUCT_QUESTION.wants and PRODUCT_QUESTION.wants.search(text)):
        return []
    wish = await with_product(shop, Wish(capability=PRODUCT_QUESTION.name, slots={"text": text}), messages)
    return [wish] if "product" in wish["slots"] else []


async def pointed_at(shop: Services, customer_id: str, text: str, messages: Sequence[AnyMessage]) -> str | None:
    """The order of the customer's that the words point at; None when none, or not one alone."""
    earlier = [message.text for message in messages[-_LATELY - 1 : -1]]
    listed = list(dict.fromkeys(order_numbers.find(" ".join(earlier[-1].split())))) if earlier else []
    at = ordinal(text, len(listed)) if len(listed) > 1 and not _LATEST.search(text) else None
    if at is not None:
        return listed[at]
    orders = await shop.queries.items_of(customer_id, limit=ORDERS)
    if _LATEST.search(text):
        return next(iter(orders), None)
    if len(with_item := list(_with_item(orders, text))) == 1:
        return with_item[0]
    if not _POINTS.search(text):
        return None
    named = (order_numbers.find(" ".join(each.split())) for each in reversed(earlier))
    last = next((ids for ids in named if ids), [])
    own = {found for each in last for found in order_numbers.meant(each, orders)}
    return own.pop() if len(own) == 1 else None


def other_order(ids: Collection[str], meant: str, messages: Sequence[AnyMessage]) -> str | None:
    """The one other order of these, the customer's, that the conversation is about, or else that there is."""
    this = set(order_numbers.meant(meant, ids))
    said = " ".join(" ".join(message.text.split()) for message in messages[-_LATELY - 1 : -1])
    spoken = {found for each in order_numbers.find(said) for found in order_numbers.meant(each, ids)} - this
    left = spoken or set(ids) - this
    return left.pop() if len(left) == 1 else None


def _status_of_one(text: str) -> bool:
    """Whether a question where something is is about one order: without it all of the latest are told."""
    return bool(_LATEST.search(text) or not re.search(r"\borders?\b", text, re.I))


def _with_item(orders: Mapping[str, Iterable[str]], text: str) -> Iterable[str]:
    """Orders, given with the names of their items, of which an item is named by a word of its name that tells it."""
    said = words_of(text)
    for order_id, names in orders.items():
        words = (word for name in names for word in words_of(name) if len(word) > 2)
        if any({word, f"{word}s", word.removesuffix("s")} & said for word in words):
            yield order_id
