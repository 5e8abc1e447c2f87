"""All that is kept on a customer, in sections. docs/operations.md names them.

Left out are secrets (tokens of payment methods), seals and hashes, and the names of staff.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import count
from typing import Any, Final

from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import NotFoundError
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from agent.ledger.base import Base
from agent.ledger.statements import table_of
from agent.ledger.tables import (
    ApprovalRow,
    CustomerRow,
    DebtRow,
    DecisionRow,
    EffectRow,
    MoneyEntryRow,
    NotificationRow,
    OrderLineRow,
    OrderRow,
    ParcelRow,
    PaymentMethodRow,
    PaymentRow,
    QuarantineRow,
    QuestionRow,
    ReturnLineRow,
    ReturnRow,
    TicketMessageRow,
    TicketRow,
)

SEARCHED: Final = 500
"""How many threads are looked for at once."""

_LEFT_OUT: Final = frozenset(
    ("token", "tokens", "fingerprint", "seal", "head", "action_hash", "asked", "over", "thread_is_current",
     "actor", "author", "taken_by", "closed_by")
)  # fmt: skip


def ledger_sections(session: Session, customer_id: str, threads: set[str]) -> dict[str, Any]:
    """What the ledger keeps on a customer; amounts in minor units, times ISO 8601 in UTC."""
    orders = select(OrderRow.id).where(OrderRow.customer_id == customer_id)
    returns = select(ReturnRow.id).where(ReturnRow.order_id.in_(orders))
    requests = select(ApprovalRow.id).where(ApprovalRow.subject == customer_id)
    tickets = select(TicketRow.id).where(TicketRow.customer_id == customer_id)
    set_aside = or_(QuarantineRow.thread_id.in_(threads), QuarantineRow.order_id.in_(orders))
    sections: dict[str, tuple[type[Base], ColumnElement[bool]]] = {
        "customer": (CustomerRow, CustomerRow.id == customer_id),
        "payment_methods": (PaymentMethodRow, PaymentMethodRow.customer_id == customer_id),
        "orders": (OrderRow, OrderRow.customer_id == customer_id),
        "order_lines": (OrderLineRow, OrderLineRow.order_id.in_(orders)),
        "parcels": (ParcelRow, ParcelRow.order_id.in_(orders)),
        "payments": (PaymentRow, PaymentRow.order_id.in_(orders)),
        "money_entries": (MoneyEntryRow, MoneyEntryRow.customer_id == customer_id),
        "debts": (DebtRow, DebtRow.order_id.in_(orders)),
        "returns": (ReturnRow, ReturnRow.order_id.in_(orders)),
        "return_lines": (ReturnLineRow, ReturnLineRow.return_id.in_(returns)),
        "requests": (ApprovalRow, ApprovalRow.subject == customer_id),
        "decisions": (DecisionRow, DecisionRow.request_id.in_(requests)),
        "questions": (QuestionRow, QuestionRow.request_id.in_(requests)),
        "tickets": (TicketRow, TicketRow.customer_id == customer_id),
        "ticket_messages": (TicketMessageRow, TicketMessageRow.ticket_id.in_(tickets)),
        "notifications": (NotificationRow, NotificationRow.customer_id == customer_id),
        "commands": (EffectRow, EffectRow.subject == customer_id),
        "damaged_states": (QuarantineRow, set_aside),
    }
    return {name: _rows(session, form, theirs) for name, (form, theirs) in sections.items()}


async def conversations(client: LangGraphClient, threads: Iterable[str]) -> list[dict[str, Any]]:
    """What the platform keeps on each of these threads: its latest state, which holds what was said."""
    found = []
    for thread_id in sorted(threads):
        try:
            thread = await client.threads.get(thread_id)
        except NotFoundError:
            continue
        kept = ("thread_id", "created_at", "updated_at", "status", "metadata", "values", "interrupts")
        found.append({name: thread.get(name) for name in kept})
    return found


async def threads_on_platform(client: LangGraphClient, customer_id: str) -> set[str]:
    """The threads that say themselves that they are the customer's: by their state, or by who made them."""
    found = set[str]()
    theirs = {"customer_id": customer_id}
    for values, metadata in ((theirs, None), (None, theirs)):
        for page in count():
            threads = await client.threads.search(
                values=values,
                metadata=metadata,
                limit=SEARCHED,
                offset=page * SEARCHED,
                select=["thread_id"],
                sort_by="created_at",
            )
            found |= {str(thread["thread_id"]) for thread in threads}
            if len(threads) < SEARCHED:
                break
    return found


def _rows(session: Session, form: type[Base], theirs: ColumnElement[bool]) -> Sequence[dict[str, Any]]:
    table = table_of(form)
    shown = [column for column in table.columns if column.key not in _LEFT_OUT]
    query = select(*shown).where(theirs).order_by(*table.primary_key.columns)
    return [{name: _plain(value) for name, value in row.items()} for row in session.execute(query).mappings()]


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
