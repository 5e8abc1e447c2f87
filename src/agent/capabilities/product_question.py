"""What the shop sells: what there is of a product, at what price, and whether it can be had now."""

from itertools import groupby
from typing import Any, Final

from agent.assistant.pattern_language import phrases
from agent.capabilities.base import Capability, Outcome, Slots
from agent.capabilities.finding import best
from agent.commerce.policy import money
from agent.services import Services

_MOST: Final = 3
"""Products that are told of at once; of more the question was not about one."""


async def _propose(shop: Services, _: str, slots: Slots) -> Outcome:
    """Without a product of that name the article that was found is the answer."""
    named = best(list((await shop.queries.product_names()).items()), slots.text, lambda each: each[1])
    if not 0 < len(named) <= _MOST:
        return ""
    options = await shop.queries.options_of([product_id for product_id, _ in named])
    by_product = groupby(options, key=lambda each: each["product_id"])
    return "\n".join(_options_in_words(list(group), slots.text) for _, group in by_product)


def _options_in_words(options: list[dict[str, Any]], said: str) -> str:
    """A product on a line: the options that are named, or else all of them."""
    named = best(options, said, lambda each: " ".join(each["options"].values())) or options
    each = [f"{', '.join(one['options'].values())} {money(one['price'])}{_out(one)}" for one in named]
    return f"{options[0]['name']}: {'; '.join(each)}."


def _out(option: dict[str, Any]) -> str:
    return "" if option["available"] else " (sold out)"


PRODUCT_QUESTION: Final = Capability(
    name="product_question",
    request_type="question",
    does="tell you what we sell, what it costs and whether it is in stock",
    reach="anybody",
    wants=phrases(
        "do/have you/we … have/sell/stock/got/offer/carry",
        "how much/expensive is/are/does/do/for",
        "what/whats/what's … price/prices/cost/costs",
        "price of/for",
        "is/are … in_stock/available/sold_out/left",
        "which … do_you_have/are_there/is_there",
    ),
    propose=_propose,
)
