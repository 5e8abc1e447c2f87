"""A conversation goes to a person: a ticket that says what it was about. The desk is silent until it is closed."""

from typing import Final

from langchain_core.messages import HumanMessage
from langgraph.runtime import Runtime

from agent.assistant.alarms import Alarm
from agent.assistant.entities import order_ids
from agent.commerce.commands import Denial
from agent.commerce.ticket_commands import OpenTicket
from agent.context import Context
from agent.customer_service.dialogue import open_wishes
from agent.customer_service.reply_templates import ALARM_ANSWERS, SAYINGS
from agent.customer_service.state import DeskState
from agent.customer_service.turns import turn_of
from agent.ledger.database import PolicyDenied
from agent.platform import this_thread
from agent.services import Services

_SAID: Final = 4
"""So many of the customer's last messages are in a summary."""
_EACH: Final = 1_000
"""Characters of each."""
_WHY: Final[dict[Alarm | None, str]] = {
    None: "The customer wants a person.",
    "self_harm": "URGENT: the customer speaks of harming themselves.",
    "threat": "URGENT: the customer threatens somebody.",
    "law": "The customer speaks of lawyers, courts, police or authorities.",
    "press": "Somebody from the press writes.",
}


async def to_a_person(
    shop: Services, state: DeskState, runtime: Runtime[Context], customer_id: str | None, why: Alarm | None
) -> str:
    """Open the ticket, once a turn; what the customer is told. Of somebody unknown there is none to answer."""
    said = ALARM_ANSWERS.get(why, "")
    if customer_id is None:
        return " ".join(part for part in (said, SAYINGS["person_unknown"]) if part)
    thread_id = this_thread(runtime)
    command = OpenTicket(
        key=f"message:{thread_id}:{turn_of(state)}:person",
        actor="customer_service",
        subject=customer_id,
        topic="person",
        text=summary(state, why),
        order_id=await _order(shop, state, customer_id),
        thread_id=thread_id,
    )
    answer = await shop.commerce.run(command)
    if isinstance(answer, Denial):
        return answer.sentence
    return " ".join(part for part in (said, SAYINGS["person"].format(case=answer["id"])) if part)


def summary(state: DeskState, why: Alarm | None) -> str:
    """What a person must know to go on: the last words, the orders named, what waits."""
    said = [message.text for message in state["messages"] if isinstance(message, HumanMessage)][-_SAID:]
    named = list(dict.fromkeys(order for text in said for order in order_ids(text)))
    plan, request = state.get("plan"), state.get("approval")
    waits = [f"a yes to: {action['sentence']}" for action in (plan["actions"] if plan else [])]
    waits += [f"an answer to: {each['question']}" for each in open_wishes(state) if each.get("question")]
    waits += [f"approval {request['request_id']}"] if request else []
    lines = [_WHY[why], "", "They wrote:", *(f"- {text[:_EACH]}" for text in said)]
    lines += ["", f"Orders named: {', '.join(named)}"] if named else []
    lines += ["", "What waits:", *(f"- {each}" for each in waits)] if waits else []
    return "\n".join(lines)


async def _order(shop: Services, state: DeskState, customer_id: str) -> str | None:
    """The one order of theirs that their last message names."""
    named = order_ids(state["messages"][-1].text)
    if len(named) != 1:
        return None
    try:
        own = await shop.queries.own_order_id(customer_id, named[0])
        return (await shop.queries.get(own, customer_id=customer_id))["id"]
    except PolicyDenied:
        return None  # what is not theirs keeps nobody from a person
