"""What must hold in a ledger at any moment between two transactions, as data: one query a promise.

`desk db check` and the tests ask these of live ledgers. How the promises are kept is up to the commands.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import Session

from agent.ledger import money_invariants as money
from agent.ledger import order_invariants as orders
from agent.ledger.base import Base
from agent.ledger.tables import ApprovalRow, DecisionRow, TicketRow, VariantRow

Query = Select[*tuple[Any, ...]]


@dataclass(frozen=True)
class Check:
    """A promise, and the query for what breaks it: the first column says which, the others what was found.

    Columns hold ids, amounts and states, never personal data: violations are printed and logged.
    """

    name: str
    promise: str
    broken: Query


@dataclass(frozen=True)
class Violation:
    """One thing that breaks a promise."""

    check: str
    promise: str
    what: str
    found: dict[str, Any]


def violations(session: Session, check: Check) -> list[Violation]:
    """What breaks the check's promise, in the session's view of the ledger."""
    result = session.execute(check.broken)
    _, *names = result.keys()
    return [
        Violation(check.name, check.promise, str(what), dict(zip(names, found, strict=True))) for what, *found in result
    ]


def _approved_by_all() -> Query:
    yes = and_(
        DecisionRow.request_id == ApprovalRow.id,
        DecisionRow.round == ApprovalRow.round,
        DecisionRow.decision.in_(("approve", "edit")),
        DecisionRow.step >= 0,
    )
    asked, said = func.json_array_length(ApprovalRow.chain), func.count(DecisionRow.step)
    return (
        select(ApprovalRow.id, said.label("yes"), func.max(asked).label("steps"))
        .outerjoin(DecisionRow, yes)
        .where(ApprovalRow.status == "approved")
        .group_by(ApprovalRow.id)
        .having(said != func.max(asked))
    )


def _references() -> Iterator[Check]:
    for table in Base.metadata.sorted_tables:
        for key in table.foreign_keys:
            parent, name = key.column.table.alias(), f"{table.name}.{key.parent.name}"
            yield Check(
                f"orphan-{table.name}-{key.parent.name}",
                f"each {name} refers to a row that is there",
                select(*dict.fromkeys([*table.primary_key.columns, key.parent]))
                .outerjoin(parent, parent.c[key.column.name] == key.parent)
                .where(key.parent.is_not(None), parent.c[key.column.name].is_(None)),
            )


CHECKS: Final[tuple[Check, ...]] = (
    Check(
        "stock-oversold",
        "no more of a variant is reserved than is on hand",
        select(VariantRow.sku, VariantRow.on_hand, VariantRow.reserved).where(VariantRow.reserved > VariantRow.on_hand),
    ),
    Check("stock-held", "what is reserved is what order lines, exchanges and unpaid changes hold", orders.held()),
    Check("return-pieces", "new pieces are held for what is to come back, or wait for a payment", orders.returns()),
    Check("negative", "stock, prices, totals, payments and debts are not negative", orders.negative()),
    Check("order-total", "an order's total is the sum of its lines, without those that were short", orders.totals()),
    Check("order-stage", "an order's status and stage go together", orders.stages()),
    Check("order-over", "an order that is delivered or cancelled holds no stock", orders.nothing_held_when_over()),
    Check("order-undone", "an undone order has no parcel that may leave and no payment that may come", orders.undone()),
    Check("order-repaid", "all that was captured for an undone order is refunded or owed", money.repaid()),
    Check("order-paid", "the price of an order is captured before its parcels are packed", orders.paid()),
    Check("capture-booked", "a captured payment has one money entry of its amount", money.captured_once()),
    Check("price-once", "an order's price is captured at most once", money.price_captured_once()),
    Check("capture-explained", "money taken belongs to a captured payment", money.captures_explained()),
    Check("refund-booked", "a settled debt has one money entry of its amount", money.settled_once()),
    Check("refund-explained", "money given back belongs to a settled debt", money.refunds_explained()),
    Check("refund-returned", "a refund that came back has an entry that says so", money.returns_booked()),
    Check("refund-limit", "refunded and owed are at most what was captured", money.refunded_at_most_once()),
    Check("debt-form", "a debt has what its kind needs: payment and method, payment, or parcel", money.debt_form()),
    Check("void-decided", "a payment that was voided is known to come no more, or to have come", money.voids_decided()),
    Check("stop-done", "a parcel is to be stopped as long as it is booked", orders.stops_done()),
    Check("gift-balance", "no gift card is overdrawn", money.gift_balance()),
    Check("approval-yes", "an approved request has a yes for each step of its last round", _approved_by_all()),
    Check(
        "ticket-taken",
        "a ticket that was taken or closed has a taker, and an open one has none",
        select(TicketRow.id, TicketRow.status).where((TicketRow.status == "open") != TicketRow.taken_by.is_(None)),
    ),
    Check(
        "ticket-closed",
        "a closed ticket, and no other, has who closed it",
        select(TicketRow.id, TicketRow.status).where((TicketRow.status == "closed") == TicketRow.closed_by.is_(None)),
    ),
    *_references(),
)
"""Every promise. Add to these with the tables and rules that you add."""
