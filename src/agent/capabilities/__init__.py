"""What the desk can do, as data: `CAPABILITIES`, in the order in which a business person would list them."""

from typing import Final

from agent.assistant.classifier import classifier
from agent.assistant.embedded import rule_names
from agent.assistant.models import Topic
from agent.capabilities.abilities import abilities
from agent.capabilities.account_security import CHANGE_EMAIL, FREEZE_ACCOUNT, UNLOCK_ACCOUNT
from agent.capabilities.base import Capability
from agent.capabilities.cancel_order import CANCEL_ORDER
from agent.capabilities.change_address import CHANGE_ADDRESS
from agent.capabilities.change_payment import CHANGE_PAYMENT
from agent.capabilities.explain_charges import EXPLAIN_CHARGES
from agent.capabilities.order_status import ORDER_STATUS
from agent.capabilities.passing_on import ACCOUNT_CHANGE, ACCOUNT_SECURITY, TALK_TO_PERSON, TECHNICAL_FAULT
from agent.capabilities.product_question import PRODUCT_QUESTION
from agent.capabilities.profile_address import PROFILE_ADDRESS
from agent.capabilities.refund import REFUND
from agent.capabilities.replace_item import REPLACE_ITEM
from agent.capabilities.return_items import RETURN_ITEMS
from agent.capabilities.shop_question import SHOP_QUESTION
from agent.capabilities.swapping import CHANGE_ITEMS, EXCHANGE_ITEMS
from agent.capabilities.withdraw_request import WITHDRAW_REQUEST

CAPABILITIES: Final[tuple[Capability, ...]] = (
    ORDER_STATUS,
    CANCEL_ORDER,
    CHANGE_ADDRESS,
    CHANGE_PAYMENT,
    CHANGE_ITEMS,
    EXCHANGE_ITEMS,
    RETURN_ITEMS,
    EXPLAIN_CHARGES,
    REFUND,
    WITHDRAW_REQUEST,
    PROFILE_ADDRESS,
    ACCOUNT_CHANGE,
    FREEZE_ACCOUNT,
    UNLOCK_ACCOUNT,
    CHANGE_EMAIL,
    ACCOUNT_SECURITY,
    REPLACE_ITEM,
    TECHNICAL_FAULT,
    TALK_TO_PERSON,
    PRODUCT_QUESTION,
    abilities(lambda: CAPABILITIES),
    SHOP_QUESTION,
)

BY_NAME: Final = {each.name: each for each in CAPABILITIES}


def table() -> str:
    """The capabilities in Markdown, for docs/architecture.md."""
    rows = [
        f"| {each.name} | {each.request_type} | {each.does} | {_asked_by(each)} | {_yeses(each)} |"
        for each in CAPABILITIES
    ]
    return "\n".join(
        ["| capability | topic | it can | asked by | whose yes it takes |", "|---|---|---|---|---|", *rows]
    )


def _asked_by(each: Capability) -> str:
    if each.reach == "anybody":
        return "anybody" if each.command is None else "the customer; others are told how"
    return "the customer, or who claims to be them" if each.reach == "claimed" else "the customer"


def _yeses(each: Capability) -> str:
    if each.command is None or each.at_once:
        return "–" if each.command is None else "nobody's: it passes their words on"
    return "the customer's" if each.approval is None else "the customer's, then people's"


LIKELY: Final = 0.6
"""How likely one of several capabilities of a topic must be to be taken without words that only it has."""


def capability_of(topic: Topic) -> Capability:
    """The capability that a topic asks for: the first of its request type that wants it, else the one that is likely by
    the classifier, else that type's last. What is made at once is never taken because it is likely."""
    of_type = [each for each in CAPABILITIES if each.request_type == topic.request_type]
    if wanted := next((each for each in of_type if each.wants and each.wants.search(topic.text)), None):
        return wanted
    if len(of_type) > 1:
        guesses = classifier().guesses(topic.text, rule_names(topic.text))
        likely = {guess.label.name for guess in guesses if guess.likelihood >= LIKELY}
        return next((each for each in of_type if each.name in likely and not each.at_once), of_type[-1])
    return of_type[-1]
