"""The answer to a question that the desk asked back: what was missing from a topic is filled in. Pure."""

from agent.assistant.entities import amount, cancel_reason, numbers_as_amounts, order_ids
from agent.assistant.models import Topic


def filled_in(asked: Topic, text: str) -> Topic | None:
    """The topic with what the text adds to it; None when it adds nothing.

    What was said before is kept: only the missing order, amount or reason is read.
    """
    ids, numbers = order_ids(text), numbers_as_amounts(text)
    found = {
        "order_id": ids[0] if len(ids) == 1 else None,
        "amount": amount(text) or (numbers.pop() if len(numbers) == 1 else None),
        "reason": cancel_reason(text),
    }
    missing = {name: value for name, value in found.items() if value and getattr(asked, name) is None}
    return asked.model_copy(update=missing) if missing else None
