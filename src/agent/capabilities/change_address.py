"""Send a pending order somewhere else (ADDRESS-STATUS)."""

from typing import Any

from agent.assistant.pattern_language import phrases
from agent.capabilities.base import Arguments, Capability, Outcome, Proposal, Question, Requester, Slots
from agent.capabilities.finding import address_in_words, the_address, the_order
from agent.commerce.commands import ChangeShipTo
from agent.commerce.policy import pending, policy_denied
from agent.commerce.types import Address, Form
from agent.services import Services


class AddressSlots(Slots):
    """Which order, and where to, in the customer's words."""

    address: str | None = None
    where: Address | None = None


class ShipToForm(Form):
    """Which order, and the whole address."""

    order_id: str
    where: Address


async def _propose(shop: Services, customer_id: str, slots: AddressSlots) -> Outcome:
    order = await the_order(shop, customer_id, slots, "send somewhere else")
    if isinstance(order, Question):
        return order
    if not pending(order["status"]):
        raise policy_denied("ADDRESS-STATUS", f"{order['id']} is {order['status']}")
    asked = f"Where shall {order['id']} go?"
    address = slots.where or the_address(slots.address or slots.text, order["ship_to"], asked)
    if isinstance(address, Question):
        return address
    where = address.model_dump()
    return Proposal(
        {"order_id": order["id"], "ship_to": where}, f"Send order {order['id']} to {address_in_words(where)}."
    )


def _command(requester: Requester, arguments: Arguments) -> ChangeShipTo:
    return ChangeShipTo(
        **requester.as_fields(), order_id=arguments["order_id"], ship_to=Address(**arguments["ship_to"])
    )


def _done(arguments: Arguments, _: dict[str, Any]) -> str:
    return f"Order {arguments['order_id']} goes to {address_in_words(arguments['ship_to'])}."


CHANGE_ADDRESS = Capability(
    name="change_address",
    request_type="order_change",
    does="send an order that has not left yet to another address",
    slots=AddressSlots,
    form=ShipToForm,
    wants=phrases(
        "address/addresses",
        "send/ship/deliver/go … to another/a_different/a_new/my_new/my_work/my_office",
        "send/ship/deliver … somewhere_else/elsewhere",
    ),
    propose=_propose,
    command=_command,
    done=_done,
)
