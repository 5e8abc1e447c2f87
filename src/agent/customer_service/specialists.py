"""The specialists: each looks into one wish, by its capability. They read the ledger and never write."""

from agent.capabilities import BY_NAME
from agent.capabilities.base import ANONYMOUS, Proposal, Question
from agent.capabilities.wishes import Unfinished, slots_of
from agent.customer_service.state import Finding, PlannedAction, TopicTask
from agent.ledger.database import PolicyDenied
from agent.services import Services


async def look_into(shop: Services, task: TopicTask) -> Finding:
    """What a specialist finds on a wish. Raises `PolicyDenied` with the rule in the way."""
    wish, customer_id, article = task["topic"], task["customer_id"], task["article"]
    capability = BY_NAME[wish["capability"]]
    told = f"{article['title']}: {article['text']}" if article else ""
    slots = slots_of(wish)
    if customer_id and slots.order_id:  # as the ledger writes it
        try:
            own = await shop.queries.own_order_id(customer_id, slots.order_id)
        except PolicyDenied as error:  # it may be several
            if not capability.at_once:
                known = {name: value for name, value in wish["slots"].items() if name != "order_id"}
                asked = Unfinished(capability=wish["capability"], slots=known, asked="order_id")
                return Finding(text=error.sentence, action=None, unfinished=asked)
            own = None  # keeps nobody from a person
        slots = slots.model_copy(update={"order_id": own})
    outcome = await capability.propose(shop, customer_id or ANONYMOUS, slots)
    match outcome:
        case Question(slot, text):
            first = capability.reach == "anybody" and told and len(wish["slots"]) == 1
            return Finding(
                text=f"{told}\n\n{text}" if first else text,
                action=None,
                unfinished=Unfinished(**wish, asked=slot),
            )
        case Proposal(arguments, sentence):
            action = PlannedAction(name=capability.name, arguments=arguments, sentence=sentence)
            return Finding(text="", action=action, unfinished=None)
        case _:
            said = outcome or told or "I have no article on that, I'm afraid."
            return Finding(text=said, action=None, unfinished=None)
