"""What a person must look into: their words are passed on at once, to the people of its topic."""

from collections.abc import Callable
from typing import Any, Final

from agent.assistant.pattern_language import phrases
from agent.capabilities.base import ANONYMOUS, Arguments, Capability, Outcome, Proposal, Question, Requester, Slots
from agent.commerce.ticket_commands import OpenTicket, TicketTopic
from agent.ledger.database import PolicyDenied
from agent.services import Services
from agent.shop import SHOP

LONGEST: Final = 2_000
"""Characters of a customer's words that are passed on."""


class FaultSlots(Slots):
    """Which item is at fault, and what it does; in the customer's words."""

    item: str | None = None
    symptom: str | None = None


_FAMILIES: Final = tuple((phrases(fault.words), fault.question) for fault in SHOP.faults)
"""What is asked of each family of products before a technician looks at it."""
_PASSWORD: Final = phrases("password/passcode/pin/username", "log_in/login/sign_in/sign_up")
_WHAT: Final = "What exactly does it do, and since when?"


async def _fault(shop: Services, customer_id: str, slots: FaultSlots) -> Outcome:
    if customer_id == ANONYMOUS:
        return ""
    said = " ".join(part for part in (slots.text, slots.item) if part)
    if slots.item is None and not any(words.search(said) for words, _ in _FAMILIES):
        return Question("item", "Which item is it, and of which order?")
    if slots.symptom is None:
        return Question("symptom", first_question(said))
    return await _passed_on(shop, customer_id, f"{said} – {slots.symptom}", slots)


def first_question(said: str) -> str:
    """What is asked of the products that were named before a technician looks at them."""
    return next((question for words, question in _FAMILIES if words.search(said)), _WHAT)


async def _words(shop: Services, customer_id: str, slots: Slots) -> Outcome:
    """What a colleague answers."""
    return "" if customer_id == ANONYMOUS else await _passed_on(shop, customer_id, slots.text, slots)


async def _account(shop: Services, customer_id: str, slots: Slots) -> Outcome:
    """A password is nobody's to look at: the article says what to do."""
    unknown = customer_id == ANONYMOUS or _PASSWORD.search(slots.text)
    return "" if unknown else await _passed_on(shop, customer_id, slots.text, slots)


async def _passed_on(shop: Services, customer_id: str, text: str, slots: Slots) -> Proposal:
    """An order that is not theirs, or that is misspelt, keeps nobody from a person."""
    try:
        await shop.queries.get(slots.order_id or "", customer_id=customer_id)
    except PolicyDenied:
        slots = slots.model_copy(update={"order_id": None})
    return Proposal({"text": text[:LONGEST], "order_id": slots.order_id}, "Pass this on to our staff.")


def _ticket(topic: TicketTopic) -> Callable[[Requester, Arguments], OpenTicket]:
    def command(requester: Requester, arguments: Arguments) -> OpenTicket:
        order_id, text = arguments.get("order_id"), arguments["text"]
        return OpenTicket(**requester.as_fields(), topic=topic, text=text, order_id=order_id)

    return command


def _done(told: str) -> Callable[[Arguments, dict[str, Any]], str]:
    return lambda _, answer: told.format(case=answer["id"])


ACCOUNT_SECURITY: Final = Capability(
    name="account_security",
    request_type="security_issue",
    does="have our security staff look at an account",
    reach="anybody",
    propose=_account,
    command=_ticket("security"),
    done=_done("Our security staff looks into this, as case {case}. They never ask for a password or a card number."),
    at_once=True,
)
TECHNICAL_FAULT: Final = Capability(
    name="technical_fault",
    request_type="technical_issue",
    does="have a technician look into what does not work",
    reach="anybody",
    slots=FaultSlots,
    propose=_fault,
    command=_ticket("technical"),
    done=_done("A technician looks into it, as case {case}."),
    at_once=True,
)
ACCOUNT_CHANGE: Final = Capability(
    name="account_change",
    request_type="account",
    does="have our staff change what else is in your account",
    propose=_words,
    command=_ticket("account"),
    done=_done("A colleague looks into your account, as case {case}."),
    at_once=True,
)
TALK_TO_PERSON: Final = Capability(
    name="talk_to_person",
    request_type="person",
    does="have a person answer you",
    propose=_words,
    command=_ticket("person"),
    done=_done("I have passed your message on to a colleague, as case {case}."),
    at_once=True,
)
