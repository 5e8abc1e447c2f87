"""The commands: everything that may be asked of the shop, as typed data. `Commerce.run` makes each happen once.

A command says who asks (`actor`, authenticated), in whose name (`subject`, a customer id) and under which idempotency
key; the rest are its arguments. Those about tickets are in `ticket_commands`.
"""

from typing import Any, Self

from pydantic import Field, model_validator

from agent.commerce.types import Address, Amount, Form, Id, OrderId


class Denial(Form):
    """A refusal: the rule's id, and a sentence fit for a customer."""

    rule: str
    sentence: str


class NewLine(Form):
    """A line as it is ordered; the price comes from the catalogue (law 2)."""

    sku: Id
    quantity: int = Field(ge=1, le=1000)


class NewOrder(Form):
    """An order as it comes in. Without `ship_to` it goes to the customer's default address; with `allow_partial` what
    is in stock is sent without the rest, else it is all or nothing."""

    order_id: OrderId
    customer_id: Id
    lines: list[NewLine] = Field(min_length=1, max_length=100)
    payment_method_id: Id
    ship_to: Address | None = None
    allow_partial: bool = False


def without_defaults(arguments: dict[str, Any], **defaults: Any) -> dict[str, Any]:
    """The arguments without those that say nothing, as earlier releases wrote them: what was sent then can be sent
    again."""
    return {name: value for name, value in arguments.items() if name not in defaults or value != defaults[name]}


class Swap(Form):
    """Pieces of an order, and the option of the same product that takes their place."""

    old: Id
    new: Id
    quantity: int = Field(default=1, ge=1, le=1000)


class LineQuantity(Form):
    """Pieces of one line of an order."""

    line: int = Field(ge=1)
    quantity: int = Field(ge=1, le=10_000)


class Command(Form):
    """What every command carries."""

    key: str = Field(min_length=1, max_length=120)
    actor: str = Field(min_length=1, max_length=100)
    subject: Id

    def arguments(self) -> dict[str, Any]:
        """What must be the same when the key is sent again."""
        return self.model_dump(mode="json", exclude={"key", "actor", "subject"})


class PlaceOrder(Command):
    """Write a new order, of the subject, at catalogue prices."""

    order: NewOrder

    def arguments(self) -> dict[str, Any]:
        """As release 0.1.0 wrote them, which knew no partial orders: one that was sent then can be sent again."""
        arguments = super().arguments()
        if not self.order.allow_partial:
            del arguments["order"]["allow_partial"]
        return arguments


class CancelOrder(Command):
    """Undo a pending order."""

    order_id: OrderId
    reason: str | None


class ReplaceLines(Command):
    """Change pieces of a pending order for other options of the same products; once. `expected` is the difference in
    price, in minor units, that was agreed to."""

    order_id: OrderId
    swaps: tuple[Swap, ...] = Field(min_length=1, max_length=100)
    payment_method_id: Id
    expected: int | None = None

    def arguments(self) -> dict[str, Any]:
        """As they were when each swap was one piece, at whatever price."""
        arguments = without_defaults(super().arguments(), expected=None)
        return arguments | {"swaps": [without_defaults(swap, quantity=1) for swap in arguments["swaps"]]}


class ChangeShipTo(Command):
    """Send a pending order somewhere else."""

    order_id: OrderId
    ship_to: Address


class SwapPayment(Command):
    """Pay a pending order by another method."""

    order_id: OrderId
    payment_method_id: Id


class ChangeProfileAddress(Command):
    """Change the subject's default address."""

    address: Address


class RequestReturn(Command):
    """Ask to give pieces of a delivered order back: by line and quantity, or by SKU, each piece named."""

    order_id: OrderId
    lines: tuple[LineQuantity, ...] = Field(default=(), max_length=100)
    skus: tuple[Id, ...] = Field(default=(), max_length=100)
    payment_method_id: Id

    @model_validator(mode="after")
    def _names_pieces_one_way(self) -> Self:
        if bool(self.lines) == bool(self.skus):
            raise ValueError("name what is to go back: by lines, or by skus")
        return self

    def arguments(self) -> dict[str, Any]:
        """As they were when there were no lines."""
        return without_defaults(super().arguments(), lines=[], skus=[])


class RequestExchange(Command):
    """Ask to exchange pieces of a delivered order for other options of the same products; once, all in one request.
    `expected` as with ReplaceLines."""

    order_id: OrderId
    swaps: tuple[Swap, ...] = Field(min_length=1, max_length=100)
    payment_method_id: Id
    expected: int | None = None

    def arguments(self) -> dict[str, Any]:
        """As they were when each swap was one piece, at whatever price."""
        arguments = without_defaults(super().arguments(), expected=None)
        return arguments | {"swaps": [without_defaults(swap, quantity=1) for swap in arguments["swaps"]]}


class RequestReplacement(Command):
    """Ask for pieces of one line of a delivered order that are faulty to be replaced by the same, without charge."""

    order_id: OrderId
    line: int = Field(ge=1)
    quantity: int = Field(ge=1, le=10_000)


class MarkHandedOver(Command):
    """A parcel has left with the carrier."""

    parcel_id: str = Field(min_length=1, max_length=100)


class MarkDelivered(Command):
    """A parcel has arrived."""

    parcel_id: str = Field(min_length=1, max_length=100)


class ReceiveReturn(Command):
    """What was to be returned or exchanged is back: so many pieces of each order line, or without any, all of it."""

    order_id: OrderId
    lines: tuple[LineQuantity, ...] = Field(default=(), max_length=100)

    def arguments(self) -> dict[str, Any]:
        """As they were when all of it had to come at once."""
        return without_defaults(super().arguments(), lines=[])


class WithdrawReturn(Command):
    """Give up a return or an exchange of which nothing has arrived."""

    order_id: OrderId


class UndoChange(Command):
    """Have the items of an order as they were before a change whose difference was declined."""

    order_id: OrderId


class RefundPayment(Command):
    """Give money of an order back, beyond what a rule owes."""

    order_id: OrderId
    amount: Amount


class WithdrawRequest(Command):
    """Take back what people were asked for in the subject's name, and have not decided."""

    request_id: str = Field(min_length=1, max_length=40)


class FreezeAccount(Command):
    """Have nothing of the subject's account changed that could be stolen; `text` is what they say happened."""

    text: str = Field(min_length=1, max_length=8_000)


class UnfreezeAccount(Command):
    """Free the subject's account again, which was frozen at that time (ISO 8601)."""

    frozen_at: str = Field(min_length=1, max_length=40)


class ChangeEmail(Command):
    """Change the subject's e-mail address."""

    email: str = Field(min_length=3, max_length=200, pattern=r"^[^@\s]+@[^@\s]+$")
