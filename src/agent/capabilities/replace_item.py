"""Another piece of the same for one that is faulty: technicians say yes, and it leaves when the faulty one is back."""

from typing import Any, Final

from pydantic import Field
from sqlalchemy.orm import Session

from agent.approvals.requests import Action
from agent.assistant.pattern_language import phrases
from agent.capabilities.base import (
    ANONYMOUS,
    Arguments,
    Capability,
    Outcome,
    PlannedChange,
    Proposal,
    Question,
    Requester,
    Slots,
)
from agent.capabilities.finding import line_of, the_line, the_order, the_quantity
from agent.capabilities.passing_on import first_question
from agent.commerce.commands import RequestReplacement
from agent.commerce.policy import policy_denied
from agent.commerce.queries import customer_history
from agent.commerce.types import Form, Id
from agent.services import Services
from agent.shop import Case

_LONGEST: Final = 500
"""Characters of what the customer says is wrong that technicians are shown."""


class ReplaceSlots(Slots):
    """Which order, which item of it, how many pieces, and what is wrong; in the customer's words."""

    item: str | None = None
    quantity: str | None = None
    symptom: str | None = None
    sku: str | None = None
    pieces: int | None = None


class ReplaceForm(Form):
    """Which order, which item of it, and how many pieces are faulty. What is wrong is told in the customer's words."""

    order_id: str
    sku: Id
    pieces: int = Field(default=1, ge=1, le=1000)


async def _propose(shop: Services, customer_id: str, slots: ReplaceSlots) -> Outcome:
    if customer_id == ANONYMOUS:
        return ""
    order = await the_order(shop, customer_id, slots, "replace an item of")
    if isinstance(order, Question):
        return order
    if order["status"] not in ("delivered", "returned"):
        raise policy_denied("RETURN-STATUS", f"{order['id']} is {order['status']}")
    said = slots.item or slots.text
    line = line_of(order, slots.sku) if slots.sku else the_line(order, said, "replace")
    if isinstance(line, Question):
        return line
    quantity = slots.pieces or the_quantity(line, slots.quantity, "replace")
    if isinstance(quantity, Question):
        return quantity
    if slots.symptom is None:
        return Question("symptom", first_question(f"{slots.text} {line['name']}"))
    return Proposal(
        {"order_id": order["id"], "line": line["number"], "quantity": quantity, "reason": slots.symptom[:_LONGEST]},
        f"Send {quantity} × {line['name']} ({line['sku']}) for the faulty {quantity} of order {order['id']}, without"
        " charge, when they are back with us.",
    )


def by_technicians(session: Session, asked: PlannedChange) -> tuple[Action, Case]:
    """What the technical chain is asked."""
    history = customer_history(session, asked.subject, asked.now)
    words = " ".join(asked.arguments["reason"].split())  # on one line, so that it is nobody else's
    said = f"**{asked.sentence}**\n\nThe customer says: “{words}”\n\n{history}"
    return Action(asked.name, asked.arguments, said, editable=False), "technical"


def _command(requester: Requester, arguments: Arguments) -> RequestReplacement:
    of_line = {name: arguments[name] for name in ("order_id", "line", "quantity")}
    return RequestReplacement(**requester.as_fields(), **of_line)


def _done(arguments: Arguments, _: dict[str, Any]) -> str:
    return f"Please send back what is faulty of order {arguments['order_id']}: the new one leaves when it is here."


REPLACE_ITEM: Final = Capability(
    name="replace_item",
    request_type="technical_issue",
    does="have what is faulty replaced",
    reach="anybody",
    slots=ReplaceSlots,
    form=ReplaceForm,
    wants=phrases("replacement/replacements/replace/replaced", "send/ship me? another/a_new/second one/PRODUCTS"),
    propose=_propose,
    command=_command,
    done=_done,
    approval=by_technicians,
)
