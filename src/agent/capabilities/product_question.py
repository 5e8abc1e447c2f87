"""What the shop sells: what there is of a product, at what price, and whether it can be had now."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from agent.assistant.entities import other_currency
from agent.assistant.pattern_language import phrases
from agent.capabilities.base import Capability, Outcome, Question, Slots
from agent.capabilities.catalogue import option_missed, options_said, price_range, products_named
from agent.capabilities.finding import option_in_words
from agent.commerce.policy import money
from agent.services import Services
from agent.shop import SHOP

_MOST: Final = 5
"""Products that are told of at once."""

_NO_PRODUCT: Final = phrases(
    "instruction*/manual*/spare*/warranty/guarantee*/return*/refund*/exchang*/deliver*/ship*/postage/assembl*/clean*",
    "wash*/order/orders/ordered/gift_card*/voucher*/discount*/coupon*/code/codes/allergen*/contain*/ingredient*",
    "send/sending/parcel*/package*/account*/pay/paying/payment*/newsletter*/repair*",
)
"""What is asked about a product and is for the articles."""
REFERS: Final = phrases("it/that/this/them/those/these/one/ones", "and in")
"""Words that point at a product that was spoken of before."""
_CHEAPEST: Final = phrases("cheapest/lowest/least_expensive/most_affordable")
_DEAREST: Final = phrases("dearest/most_expensive/priciest")

_Option = Mapping[str, Any]


class ProductSlots(Slots):
    """The product that was spoken of last, by its id or in words, for a question that names none."""

    product: str | None = None


async def _propose(shop: Services, _: str, slots: ProductSlots) -> Outcome:
    """Without a product of that name the article that was found is the answer."""
    said = slots.text
    if _NO_PRODUCT.search(said):
        return ""
    names = await shop.queries.product_names()
    named = products_named(names, said)
    if not named and slots.product:
        named = [slots.product] if slots.product in names else products_named(names, slots.product)
    prices = price_range(said)
    extreme = bool(_CHEAPEST.search(said) or _DEAREST.search(said))
    if prices and (other := other_currency(said)):
        return f"{other} is not our currency: our prices are in {SHOP.currency}."
    if not named and not prices and not extreme:
        return Question("product", "Which product do you mean?") if REFERS.search(said) else ""
    if not named:
        least, most = prices or (0, None)
        offers = await shop.queries.offers(
            at_least=least, at_most=most, dearest_first=bool(_DEAREST.search(said)), limit=1 if extreme else 100
        )
        return _offers(offers, extreme=said if extreme else None)
    if len(named) > _MOST:
        return f"Which one do you mean: {', '.join(names[each] for each in named[:_MOST])}, or another?"
    options = await shop.queries.options_of(named)
    if extreme or prices:
        return _at_a_price(options, said, prices)
    return "\n".join(_product(list(group), said) for _, group in groupby(options, key=lambda each: each["product_id"]))


def _product(options: Sequence[_Option], said: str) -> str:
    """A product on a line: the options that are named, or else all of them."""
    named = options_said(options, said)
    missed = None if named else option_missed(options, said)
    each = [f"{', '.join(one['options'].values())} {money(one['price'])}{_out(one)}" for one in named or options]
    listed = f"{options[0]['name']}: {'; '.join(each)}."
    return f"There is none in {missed}. {listed}" if missed else listed


def _at_a_price(options: Sequence[_Option], said: str, prices: tuple[int, int | None] | None) -> str:
    """Of some products what can be had at a price, or what is cheapest or dearest of it."""
    least, most = prices or (0, None)
    available = [each for each in options_said(options, said) or options if each["available"]]
    found = [each for each in available if each["price"] >= least and (most is None or each["price"] <= most)]
    if not found:
        rest = "\n".join(
            _product(list(group), "") for _, group in groupby(options, key=lambda each: each["product_id"])
        )
        return f"There is none at that price now.\n{rest}"
    if _CHEAPEST.search(said) or _DEAREST.search(said):
        extreme = (max if _DEAREST.search(said) else min)(found, key=lambda each: each["price"])
        return _offers([extreme], extreme=said)
    return _offers(found, extreme=None)


def _offers(options: Sequence[_Option], *, extreme: str | None) -> str:
    """What was found at a price; of each product the first, and of products a handful."""
    if not options:
        return "There is nothing at that price now."
    if extreme:
        which = "dearest" if _DEAREST.search(extreme) else "cheapest"
        return f"The {which} that can be had is {option_in_words(options[0])}, {money(options[0]['price'])}."
    first: dict[str, _Option] = {}
    for each in options:
        first.setdefault(each["product_id"], each)
    listed = "\n".join(f"- {option_in_words(each)}, {money(each['price'])}" for each in list(first.values())[:_MOST])
    more = "\nThere is more; ask me for a product by name." if len(first) > _MOST else ""
    return f"At that price there is, for example:\n{listed}{more}"


def _out(option: _Option) -> str:
    return "" if option["available"] else " (sold out)"


PRODUCT_QUESTION: Final = Capability(
    name="product_question",
    request_type="question",
    does="tell you what we sell, what it costs and whether it is in stock",
    reach="anybody",
    slots=ProductSlots,
    wants=phrases(
        "do/have you/we … have/sell/stock/got/offer/carry",
        "have you/we any/got/a/an/the",
        "how much/expensive is/are/does/do/for",
        "what/whats/what's … price/prices/cost/costs",
        "price/prices of/for",
        "is/are/does … available/left/there",
        "in_stock/sold_out",
        "which … do_you_have/are_there/is_there",
        "what/which/any … colour/colours/color/colors/size/sizes/finish/finishes/wood/fabric/kind/kinds/pack/packs",
        "come/comes in/as",
        "cheapest/lowest/least_expensive/most_affordable/dearest/most_expensive/priciest",
        "anything/something/things for? under/below/less_than/cheaper_than/up_to/over/above/more_than/between",
        "PRODUCTS for? under/below/less_than/cheaper_than/up_to/over/above/more_than/between",
        "what_about/how_about the/a/an? PRODUCTS",
        "and in",
    ),
    propose=_propose,
)
