"""Other options of the same product: of a pending order a change of items, of a delivered one an exchange.

One proposal changes pieces of one line; the difference in price goes by the order's own payment method.
"""

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from agent.assistant.pattern_language import phrases
from agent.capabilities.base import Arguments, Capability, Outcome, Proposal, Question, Requester, Slots
from agent.capabilities.finding import option_in_words, take, the_line, the_option, the_order, the_quantity
from agent.commerce.commands import ReplaceLines, RequestExchange, Swap
from agent.commerce.policy import money, policy_denied
from agent.commerce.types import Form, Id
from agent.commerce.views import LineView, OrderView
from agent.services import Services


class SwapSlots(Slots):
    """Which order, which item of it, for which option, and how many pieces; in the customer's words."""

    item: str | None = None
    option: str | None = None
    quantity: str | None = None
    swaps: tuple[Swap, ...] = ()
    payment_method_id: str | None = None


class SwapForm(Form):
    """Which order, which pieces for which (SKUs), and by which method of the customer's a difference in price goes."""

    order_id: str
    swaps: tuple[Swap, ...] = Field(min_length=1, max_length=20)
    payment_method_id: Id | None = None


async def _change(shop: Services, customer_id: str, slots: SwapSlots) -> Outcome:
    return await _swap(shop, customer_id, slots, verb="change", status="pending", rule="LINES-STATUS")


async def _exchange(shop: Services, customer_id: str, slots: SwapSlots) -> Outcome:
    return await _swap(shop, customer_id, slots, verb="exchange", status="delivered", rule="EXCHANGE-STATUS")


async def _swap(shop: Services, customer_id: str, slots: SwapSlots, *, verb: str, status: str, rule: str) -> Outcome:
    order = await the_order(shop, customer_id, slots, verb)
    if isinstance(order, Question):
        return order
    if order["status"] != status:
        raise policy_denied(rule, f"{order['id']} is {order['status']}")
    method = slots.payment_method_id or order["payment_method_id"]
    if slots.swaps:
        return _proposal(order, await _exactly(shop, order, slots.swaps), verb, method)
    line = the_line(order, slots.item or slots.text, verb)
    if isinstance(line, Question):
        return line
    option = await the_option(shop, line, slots.option or slots.text)
    if isinstance(option, Question):
        return option
    quantity = the_quantity(line, slots.quantity, verb)
    if isinstance(quantity, Question):
        return quantity
    return _proposal(order, [(line, option, quantity)], verb, method)


_Swapped = tuple[LineView, dict[str, Any], int]
"""A line, the option that takes its place, and how many pieces."""


async def _exactly(shop: Services, order: OrderView, swaps: Sequence[Swap]) -> list[_Swapped]:
    """What swaps by SKUs mean. Raises `PolicyDenied` LINES-OWNED, LINES-PRODUCT."""
    there = [line for line in order["lines"] if line["reservation"] in ("held", "shipped")]
    left = {line["number"]: line["quantity"] for line in there}
    taken = [(swap, take(order["lines"], left, swap.old, swap.quantity)) for swap in swaps]
    swapped = []
    for swap, lines in taken:
        option = next((each for each in await shop.queries.options(swap.old) if each["sku"] == swap.new), None)
        if option is None:
            raise policy_denied("LINES-PRODUCT", swap.new)
        swapped += [(line, option, number) for line, number in lines]
    return swapped


def _proposal(order: OrderView, swapped: list[_Swapped], verb: str, method: str) -> Proposal:
    difference = sum((option["price"] - line["unit_price"]) * quantity for line, option, quantity in swapped)
    named = ", ".join(
        f"{quantity} × {line['name']} ({line['sku']}) of order {order['id']} for {option_in_words(option)}"
        for line, option, quantity in swapped
    )
    return Proposal(
        {
            "order_id": order["id"],
            "swaps": [
                {"old": line["sku"], "new": option["sku"], "quantity": quantity} for line, option, quantity in swapped
            ],
            "payment_method_id": method,
            "expected": difference,
        },
        f"{verb.capitalize()} {named}{_difference(difference, method)}.",
    )


def _difference(difference: int, method: str) -> str:
    if not difference:
        return ", at the same price"
    way = f"and charge {money(difference)} to" if difference > 0 else f"and refund {money(-difference)} to"
    return f", {way} {method}"


def _replace(requester: Requester, arguments: Arguments) -> ReplaceLines:
    return ReplaceLines(**requester.as_fields(), **_of(arguments))


def _request(requester: Requester, arguments: Arguments) -> RequestExchange:
    return RequestExchange(**requester.as_fields(), **_of(arguments))


def _of(arguments: Arguments) -> dict[str, Any]:
    swaps = tuple(Swap(**swap) for swap in arguments["swaps"])
    return {**arguments, "swaps": swaps}


CHANGE_ITEMS = Capability(
    name="change_items",
    request_type="order_change",
    does="change items of an order that has not left yet for another colour, size or kind",
    slots=SwapSlots,
    form=SwapForm,
    propose=_change,
    command=_replace,
    done=lambda arguments, _: f"The items of order {arguments['order_id']} are changed.",
)

EXCHANGE_ITEMS = Capability(
    name="exchange_items",
    request_type="order_return",
    does="exchange items that were delivered for another colour, size or kind",
    slots=SwapSlots,
    form=SwapForm,
    wants=phrases("exchange/exchanging/swap/swapping", "different/another size/color/colour/one"),
    propose=_exchange,
    command=_request,
    done=lambda arguments, _: (
        f"Please send back the items of order {arguments['order_id']}: the new ones leave when they are here."
    ),
)
