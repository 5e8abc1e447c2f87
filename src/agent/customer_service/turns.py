"""The customer's turn: what they said, under which id, and whether it was answered already."""

from typing import Final

from langchain_core.messages import HumanMessage

from agent.assistant.models import MessageError, message_text
from agent.commerce.policy import policy_denied
from agent.customer_service.state import DeskState, ModelTask
from agent.ledger.database import digest

EARLIER: Final = 6
"""Messages before the customer's last one that models read."""


def was_answered(state: DeskState) -> bool:
    """Whether the message of this run was sent before, under the same id, and answered: it came to stand where it was.

    One whose answer was cut short is answered now.
    """
    asked = any(isinstance(message, HumanMessage) for message in state.get("messages", []))
    return asked and not isinstance(state["messages"][-1], HumanMessage) and not state.get("answering")


def turn_of(state: DeskState) -> str:
    """What the customer said last, by its id: a count would begin anew where a checkpoint was lost."""
    said = [message.id for message in state["messages"] if isinstance(message, HumanMessage)]
    return digest(said[-1:])[:12]


def words_of(state: DeskState) -> str:
    """The customer's words. Raises `PolicyDenied` MESSAGE-FORM, MESSAGE-EMPTY or MESSAGE-LONG."""
    said = [message.content for message in state.get("messages", []) if isinstance(message, HumanMessage)]
    try:
        return message_text(said[-1] if said else None)
    except MessageError as error:
        raise policy_denied(error.rule) from error


def model_task(state: DeskState) -> ModelTask | None:
    """What specialists with a model are sent: none where a model did not read the message."""
    allowance = state.get("allowance")
    if allowance is None:
        return None
    said = state["messages"][-EARLIER - 1 :]
    history = [["customer" if isinstance(each, HumanMessage) else "desk", each.text] for each in said]
    return ModelTask(allowance=allowance, history=history)
