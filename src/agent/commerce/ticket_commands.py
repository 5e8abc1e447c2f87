"""The commands about tickets: cases for a person to look into, and what staff does with them."""

from typing import Any, Literal

from pydantic import Field

from agent.commerce.commands import Command, without_defaults
from agent.commerce.types import Id, OrderId
from agent.identity import Role

TicketTopic = Literal["technical", "billing", "security", "order", "account", "question", "person"]
"""What a ticket is about; `person` is a whole conversation, in which the desk is silent until it is closed."""


class OpenTicket(Command):
    """Note a case for a person to look into; `thread_id` is the conversation that it comes from. Without one it is
    that in which the subject was last heard."""

    topic: TicketTopic
    text: str = Field(min_length=1, max_length=8_000)
    order_id: OrderId | None = None
    thread_id: str | None = Field(default=None, max_length=40)

    def arguments(self) -> dict[str, Any]:
        """As they were when a ticket was of no conversation."""
        return without_defaults(super().arguments(), thread_id=None)


class TicketCommand(Command):
    """What staff does with a ticket, in this role; of one without a customer the subject is the ticket."""

    ticket_id: Id
    role: Role


class TakeTicket(TicketCommand):
    """Work on a ticket: nobody else does meanwhile."""


class AnswerTicket(TicketCommand):
    """Tell the customer of a ticket something."""

    text: str = Field(min_length=1, max_length=8_000)


class CloseTicket(TicketCommand):
    """End the work on a ticket; the note is for staff."""

    note: str = Field(default="", max_length=2_000)
