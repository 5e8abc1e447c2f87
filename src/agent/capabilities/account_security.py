"""An account's security: what may be stolen is frozen at once; three people free it, or change its e-mail address."""

import re
from typing import Any, Final

from sqlalchemy.orm import Session

from agent.approvals.requests import Action
from agent.assistant.entities import emails
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
from agent.commerce.commands import ChangeEmail, FreezeAccount, UnfreezeAccount
from agent.commerce.queries import customer_history
from agent.commerce.types import Form
from agent.services import Services
from agent.shop import Case

_NOT: Final = re.compile(
    r"\b(?:not|isn't|wasn't|never been)\s+(?:been\s+)?(?:hack|stolen|compromis)"
    r"|\b(?:not|don't|never|nobody|no one)\s+(?:\w+\s+){0,4}(?:freeze|block|lock|hack)"
    r"|^\W*(?:was|is|has|did|do|can|could|if|what)\b",
    re.I,
)
"""A question, or the opposite."""
_LONGEST: Final = 2_000
LONGEST_EMAIL: Final = 200


class EmailSlots(Slots):
    """The new address, in the customer's words."""

    email: str | None = None


class EmailForm(Form):
    """The new address, as the customer wrote it."""

    email: str


async def _freeze(_: Services, customer_id: str, slots: Slots) -> Outcome:
    if customer_id == ANONYMOUS:
        return "Please sign in first: then I freeze your account at once."
    if _NOT.search(slots.text):
        return "If somebody else may be using your account, write “freeze my account”, and I do it at once."
    return Proposal({"text": slots.text[:_LONGEST]}, "Freeze the account, and have our security staff look at it.")


async def _unlock(shop: Services, customer_id: str, slots: Slots) -> Outcome:
    if customer_id == ANONYMOUS:
        return ""
    frozen = await shop.queries.frozen_since(customer_id)
    if frozen is None:
        return "Your account is not frozen here. If you can't sign in, choose “Forgot password” there."
    said = {"frozen_at": frozen, "reason": slots.text[:200]}
    return Proposal(said, f"Free your account again, which is frozen since {frozen[:16].replace('T', ' ')} UTC.")


async def _email(shop: Services, customer_id: str, slots: EmailSlots) -> Outcome:
    if customer_id == ANONYMOUS:
        return ""
    own = await shop.queries.email_of(customer_id)
    found = emails(slots.email or slots.text) - {own}
    if len(found) != 1 or len(email := found.pop()) > LONGEST_EMAIL:
        return Question("email", "What is your new e-mail address?")
    return Proposal({"email": email}, f"Change the e-mail address of your account to {email}.")


def by_security(session: Session, asked: PlannedChange) -> tuple[Action, Case]:
    """What the security chain is asked."""
    history = customer_history(session, asked.subject, asked.now)
    said = f"**{asked.sentence}**\n\n{history} Make sure of who asks before you say yes."
    return Action(asked.name, asked.arguments, said, editable=False), "security"


FREEZE_ACCOUNT: Final = Capability(
    name="freeze_account",
    request_type="security_issue",
    does="freeze your account at once when somebody else may be using it",
    reach="anybody",
    wants=phrases(
        "my account/card was/is/got/has_been? hacked/stolen/compromised/taken_over",
        "hacked/hacking/broke into? my account",
        "identity_theft/unauthorised/unauthorized",
        "someone/somebody else? has/is/got/used/uses/using/logged/changed/hacked/stole … my account/card/password",
        "didn't/did_not/never make/made/place/placed/authorise*/authorize* … charge/order/payment",
        "charge/order/payment … i didn't/did_not/never make/made/place/placed/authorise*/authorize*",
        "wasn't/was_not/isn't/is_not me",
        "freeze/block/lock my account",
        "lost my? phone/card/wallet",
    ),
    propose=_freeze,
    command=lambda requester, arguments: FreezeAccount(**requester.as_fields(), text=arguments["text"]),
    done=lambda _, answer: (
        "Your account is frozen: nothing is ordered, changed or refunded from it until our security staff"
        f" has looked at it, as case {answer['id']}. They never ask for a password or a card number."
    ),
    at_once=True,
)

UNLOCK_ACCOUNT: Final = Capability(
    name="unlock_account",
    request_type="security_issue",
    does="have your frozen account freed by our security staff",
    reach="anybody",
    wants=phrases("unlock/unblock/unfreeze/free … account", "account … locked/blocked/frozen/suspended/disabled"),
    propose=_unlock,
    command=lambda requester, arguments: UnfreezeAccount(**requester.as_fields(), frozen_at=arguments["frozen_at"]),
    done=lambda _, __: "Your account is free again.",
    approval=by_security,
)


def _change(requester: Requester, arguments: Arguments) -> ChangeEmail:
    return ChangeEmail(**requester.as_fields(), email=arguments["email"])


def _changed(arguments: Arguments, _: dict[str, Any]) -> str:
    return f"The e-mail address of your account is {arguments['email']} now."


CHANGE_EMAIL: Final = Capability(
    name="change_email",
    request_type="security_issue",
    does="have your e-mail address changed by our security staff",
    reach="anybody",
    slots=EmailSlots,
    form=EmailForm,
    wants=phrases("CHANGE … email/e-mail", "new email/e-mail address?"),
    propose=_email,
    command=_change,
    done=_changed,
    approval=by_security,
)
