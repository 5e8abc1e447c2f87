"""Who somebody says they are, when nobody vouches for them. How far that reaches, `IDENTIFY_BY_CLAIM` says.

`read`: an order's number with its customer's e-mail address, or with name and postcode, shows how far that order is,
and nothing else (CUSTOMER-IDENTIFIED). `full`: an e-mail address is as good as signing in. `off`: a claim is nothing.
The answer is the same for an order that is not there, another's, and an address that nobody has.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from langchain_core.messages import HumanMessage
from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.assistant.entities import emails, order_ids, without_order_ids
from agent.capabilities import BY_NAME
from agent.capabilities.wishes import Wish
from agent.commerce.policy import RULES
from agent.commerce.queries import customer_by_email
from agent.customer_service.state import DeskState
from agent.ledger.tables import CustomerRow, OrderRow
from agent.observability.events import emit
from agent.order_numbers import spellings
from agent.services import Services

_WORD: Final = re.compile(r"\w+")
_LATELY: Final = 3
"""So many of the last messages make up a claim: one is asked for its parts in turn."""
_NUMBERS: Final = 4
"""Words with a digit, beside order numbers, that a claim may have: a postcode is two at most."""
_ORDERS: Final = 5
"""Orders that one claim may be about."""
_HOW: Final = {
    "off": "",
    "read": " Where an order is, I can tell you here for its number together with the e-mail address of whoever ordered"
    " it, or their name and postcode.",
    "full": " The e-mail address of your account will do.",
}
_NO_SUCH: Final = "I find no order with that number for these details. Please check both."


def claimed_customer(shop: Services, session: Session, text: str) -> str | None:
    """The customer whose e-mail address is in the text, for shops that accept that; else None."""
    named = sorted(emails(text)) if shop.settings.identify_by_claim == "full" else ()
    return customer_by_email(session, named[0]) if len(named) == 1 else None


async def tell_unvouched(shop: Services, state: DeskState, wishes: Sequence[Wish]) -> str | None:
    """What somebody whom nobody vouches for is told; None when they ask for nothing personal and claim nothing.

    Without a wish they may be giving what they were asked for: a number, an address, a postcode.
    """
    mode, asked = shop.settings.identify_by_claim, [BY_NAME[wish["capability"]] for wish in wishes]
    personal = [each for each in asked if each.reach != "anybody"]
    said = [message.text for message in state["messages"] if isinstance(message, HumanMessage)][-_LATELY:]
    given = not wishes and re.search(r"[\d@]", said[-1])
    if mode == "read" and (given or (personal and all(each.reach == "claimed" for each in personal))):
        ids = next((ids for text in reversed(said) if (ids := order_ids(text))), [])[:_ORDERS]
        claim = " ".join(said)
        found = [] if _guesses(claim) else await shop.database.read(lambda session: _where(session, ids, claim))
        if found or (ids and emails(claim)):
            emit("customer.claimed", held=bool(found))
            return "\n".join(found) or _NO_SUCH
    if not personal:
        return None
    emit("request.denied", rule="CUSTOMER-IDENTIFIED")
    return RULES["CUSTOMER-IDENTIFIED"] + _HOW[mode]


def _guesses(claim: str) -> bool:
    """Whether more is named than one person has: an address is tried out."""
    numbers = [word for word in without_order_ids(claim).split() if re.search(r"\d", word) and "@" not in word]
    return len(emails(claim)) > 1 or len(numbers) > _NUMBERS


def _where(session: Session, ids: Sequence[str], said: str) -> list[str]:
    """How far the orders are whose customer's address, or name and postcode, is in what was said."""
    written = {each for number in ids for each in spellings(number)}
    query = select(OrderRow.id, OrderRow.status, CustomerRow).join(CustomerRow, CustomerRow.id == OrderRow.customer_id)
    rows = session.execute(query.where(OrderRow.id.in_(written)).order_by(OrderRow.id)).all() if written else ()
    return [f"{order_id}: {status}." for order_id, status, customer in rows if _is(customer, said)]


def _is(customer: CustomerRow, said: str) -> bool:
    if customer.email in emails(said):
        return True
    words = _words(said)
    together = {*words, *(first + second for first, second in pairwise(words))}  # SW1A 1AA
    postcode = "".join(_words(customer.address.get("postcode", "")))
    named = {*_words(customer.first_name), *_words(customer.last_name)}
    return bool(postcode and named) and postcode in together and named <= together


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]
