"""Accounts that may have been taken over: what could be stolen is frozen, and people set it free (ACCOUNT-FROZEN).

Each function is part of a command's transaction.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.commerce.commands import (
    ChangeEmail,
    ChangeProfileAddress,
    ChangeShipTo,
    Command,
    FreezeAccount,
    RefundPayment,
    ReplaceLines,
    RequestExchange,
    RequestReplacement,
    RequestReturn,
    SwapPayment,
    UnfreezeAccount,
)
from agent.commerce.customers import customer_of
from agent.commerce.policy import policy_denied
from agent.commerce.tickets import add_ticket
from agent.ledger.database import PolicyDenied, digest, take_turn
from agent.ledger.tables import ConversationRow, CustomerRow, TicketRow

BARRED: Final = frozenset(
    (
        ChangeEmail,
        ChangeProfileAddress,
        ChangeShipTo,
        RefundPayment,
        ReplaceLines,
        RequestExchange,
        RequestReplacement,
        RequestReturn,
        SwapPayment,
    )
)
"""What nobody does in the name of a frozen account: whoever took it over would send goods or money elsewhere.
PlaceOrder looks by itself."""


def check_not_frozen(session: Session, command: Command) -> None:
    """Raise `PolicyDenied` ACCOUNT-FROZEN for a command that is barred, ORDER-CUSTOMER when the customer was
    forgotten."""
    if type(command) in BARRED:
        query = select(CustomerRow.frozen_at, CustomerRow.forgotten_at).where(CustomerRow.id == command.subject)
        frozen, forgotten = session.execute(query).one_or_none() or (None, None)
        if forgotten is not None:
            raise policy_denied("ORDER-CUSTOMER")
        if frozen is not None:
            raise policy_denied("ACCOUNT-FROZEN")


def freeze(session: Session, command: FreezeAccount, now: datetime) -> TicketRow:
    """FreezeAccount: at once, and security staff hears of it. Raises `PolicyDenied` ORDER-CUSTOMER."""
    customer = customer_of(session, command.subject)
    customer.frozen_at = now
    heard = session.get(ConversationRow, customer.id)
    return add_ticket(
        session,
        f"tic-{digest(command.key)[:12]}",
        topic="security",
        text=command.text,
        now=now,
        customer_id=customer.id,
        thread_id=heard.thread_id if heard else None,
    )


def unfreeze(session: Session, command: UnfreezeAccount, now: datetime) -> CustomerRow:  # noqa: ARG001
    """UnfreezeAccount. Raises `PolicyDenied` APPROVAL-STALE when it was frozen anew since people were asked."""
    customer = customer_of(session, command.subject)
    if customer.frozen_at is None or customer.frozen_at.isoformat() != command.frozen_at:
        raise PolicyDenied("APPROVAL-STALE", "This account was frozen anew, or is free already. Please ask again.")
    customer.frozen_at = None
    return customer


def change_email(session: Session, command: ChangeEmail, now: datetime) -> CustomerRow:
    """ChangeEmail. Raises `PolicyDenied` EMAIL-USABLE for one that is not free: whose it is nobody is told."""
    customer = customer_of(session, command.subject)
    email = command.email.lower()
    take_turn(session, f"email:{email}")
    if session.scalar(select(CustomerRow.id).where(CustomerRow.email == email, CustomerRow.id != customer.id)):
        raise policy_denied("EMAIL-USABLE")
    customer.email, customer.profile_changed_at = email, now
    return customer
