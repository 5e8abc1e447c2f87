"""What must hold in a ledger at any moment between two transactions, as data: one query a promise.

`desk db check` and the tests ask these of live ledgers. How the promises are kept is up to the commands.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, and_, case, func, literal, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from agent.ledger.base import Base, total
from agent.ledger.tables import (
    ApprovalRow,
    DebtRow,
    DecisionRow,
    MoneyEntryRow,
    OrderLineRow,
    OrderRow,
    PaymentMethodRow,
    PaymentRow,
    ReturnedPieceRow,
    VariantRow,
)

Query = Select[*tuple[Any, ...]]

_STAGES_OF: Final = {  # what the customer is told, and how far the work may be then
    "pending (item modified)": (
        *("reserved", "awaiting_approval", "approved", "parked", "declined", "paid", "imported"),
        "cancelling",  # a parcel that may have left is being stopped
    ),
    "pending": (
        *("placed", "reserved", "awaiting_approval", "approved", "parked", "declined", "paid", "imported"),
        "cancelling",
    ),
    "processed": ("paid", "completed", "imported"),
    "delivered": ("completed",),
    "return requested": ("completed",),
    "exchange requested": ("completed",),
    "returned": ("completed",),
    "cancelled": ("cancelling", "cancelled"),
}
_CAPTURES: Final = ("capture", "gift_debit")
_REFUNDS: Final = ("refund", "gift_credit", "hand_refund")


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


async def violations(session: AsyncSession, check: Check) -> list[Violation]:
    """What breaks the check's promise, in the session's view of the ledger."""
    result = await session.execute(check.broken)
    _, *names = result.keys()
    return [
        Violation(check.name, check.promise, str(what), dict(zip(names, found, strict=True))) for what, *found in result
    ]


def _held() -> Query:
    lines = select(OrderLineRow.sku, OrderLineRow.quantity).where(OrderLineRow.reservation == "held")
    exchanges = (
        select(ReturnedPieceRow.new_sku, literal(1))
        .join(OrderRow, OrderRow.id == ReturnedPieceRow.order_id)
        .where(OrderRow.status == "exchange requested", ReturnedPieceRow.new_sku.is_not(None))
    )
    holds = union_all(lines, exchanges).subquery()
    held = func.coalesce(total(holds.c.quantity), 0)
    return (
        select(VariantRow.sku, VariantRow.reserved, held.label("held"))
        .outerjoin(holds, holds.c.sku == VariantRow.sku)
        .group_by(VariantRow.sku, VariantRow.reserved)
        .having(VariantRow.reserved != held)
    )


def _negative() -> Query:
    amounts = union_all(
        *(
            select(literal(f"{of} of ").concat(row).label("what"), number.label("found")).where(number < least)
            for of, row, number, least in (
                ("on_hand", VariantRow.sku, VariantRow.on_hand, 0),
                ("reserved", VariantRow.sku, VariantRow.reserved, 0),
                ("price", VariantRow.sku, VariantRow.price, 0),
                ("quantity", OrderLineRow.order_id, OrderLineRow.quantity, 1),
                ("unit_price", OrderLineRow.order_id, OrderLineRow.unit_price, 0),
                ("total", OrderRow.id, OrderRow.total, 0),
                ("payment", PaymentRow.key, PaymentRow.amount, 0),
                ("debt", DebtRow.key, DebtRow.amount, case((DebtRow.kind == "refund", 1), else_=0)),
            )
        )
    ).subquery()
    return select(amounts)


def _total() -> Query:
    lines = func.coalesce(total(OrderLineRow.quantity * OrderLineRow.unit_price), 0)
    return (
        select(OrderRow.id, OrderRow.total, lines.label("lines"))
        .outerjoin(OrderLineRow, and_(OrderLineRow.order_id == OrderRow.id, OrderLineRow.reservation != "short"))
        .group_by(OrderRow.id, OrderRow.total)
        .having(OrderRow.total != lines)
    )


def _captured_once() -> Query:
    booked = and_(MoneyEntryRow.key == PaymentRow.key, MoneyEntryRow.kind.in_(_CAPTURES))
    return (
        select(PaymentRow.key, PaymentRow.outcome, PaymentRow.amount, MoneyEntryRow.amount.label("booked"))
        .outerjoin(MoneyEntryRow, booked)
        .where(
            PaymentRow.outcome == "captured",
            or_(
                MoneyEntryRow.key.is_(None),
                MoneyEntryRow.amount != PaymentRow.amount,
                MoneyEntryRow.order_id != PaymentRow.order_id,
                MoneyEntryRow.method_id != PaymentRow.method_id,
            ),
        )
    )


def _price_captured_once() -> Query:
    captured = func.count(PaymentRow.key)
    return (
        select(PaymentRow.order_id, captured.label("captured"))
        .where(PaymentRow.attempt.is_not(None), PaymentRow.outcome == "captured")
        .group_by(PaymentRow.order_id)
        .having(captured > 1)
    )


def _captures_explained() -> Query:
    captured = and_(PaymentRow.key == MoneyEntryRow.key, PaymentRow.outcome == "captured")
    return (
        select(MoneyEntryRow.key, MoneyEntryRow.kind, MoneyEntryRow.amount)
        .outerjoin(PaymentRow, captured)
        .where(MoneyEntryRow.kind.in_(_CAPTURES), PaymentRow.key.is_(None))
    )


def _settled_once() -> Query:
    booked = and_(MoneyEntryRow.key == DebtRow.key, MoneyEntryRow.kind.in_(_REFUNDS))
    return (
        select(DebtRow.key, DebtRow.amount, MoneyEntryRow.amount.label("booked"))
        .outerjoin(MoneyEntryRow, booked)
        .where(
            DebtRow.settled,
            DebtRow.kind == "refund",
            or_(
                MoneyEntryRow.key.is_(None),
                MoneyEntryRow.amount != -DebtRow.amount,
                MoneyEntryRow.order_id != DebtRow.order_id,
            ),
        )
    )


def _refunds_explained() -> Query:
    settled = and_(DebtRow.key == MoneyEntryRow.key, DebtRow.settled)
    return (
        select(MoneyEntryRow.key, MoneyEntryRow.kind, MoneyEntryRow.amount)
        .outerjoin(DebtRow, settled)
        .where(MoneyEntryRow.kind.in_(_REFUNDS), DebtRow.key.is_(None))
    )


def _refunded_at_most_once() -> Query:
    owed = total(DebtRow.amount)
    return (
        select(PaymentRow.key, PaymentRow.outcome, PaymentRow.amount, owed.label("owed_or_refunded"))
        .join(DebtRow, and_(DebtRow.payment_key == PaymentRow.key, DebtRow.kind == "refund"))
        .group_by(PaymentRow.key, PaymentRow.outcome, PaymentRow.amount)
        .having(or_(PaymentRow.outcome != "captured", owed > PaymentRow.amount))
    )


def _gift_balance() -> Query:
    balance = -total(MoneyEntryRow.amount)
    return (
        select(PaymentMethodRow.id, balance.label("balance"))
        .join(MoneyEntryRow, MoneyEntryRow.method_id == PaymentMethodRow.id)
        .where(PaymentMethodRow.kind == "gift_card")
        .group_by(PaymentMethodRow.id)
        .having(balance < 0)
    )


def _stages() -> Query:
    legal = or_(*(and_(OrderRow.status == status, OrderRow.stage.in_(stages)) for status, stages in _STAGES_OF.items()))
    return select(OrderRow.id, OrderRow.status, OrderRow.stage).where(~legal)


def _nothing_held_when_over() -> Query:
    return (
        select(OrderRow.id, OrderLineRow.number.label("line"), OrderRow.status)
        .join(OrderLineRow, OrderLineRow.order_id == OrderRow.id)
        .where(OrderRow.status.in_(("delivered", "cancelled")), OrderLineRow.reservation == "held")
    )


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
    Check("stock-held", "what is reserved of a variant is what order lines and exchanges hold", _held()),
    Check("negative", "stock, prices, totals, payments and debts are not negative", _negative()),
    Check("order-total", "an order's total is the sum of its lines, without those that were short", _total()),
    Check("order-stage", "an order's status and stage go together", _stages()),
    Check("order-over", "an order that is delivered or cancelled holds no stock", _nothing_held_when_over()),
    Check("capture-booked", "a captured payment has one money entry of its amount", _captured_once()),
    Check("price-once", "an order's price is captured at most once", _price_captured_once()),
    Check("capture-explained", "money taken belongs to a captured payment", _captures_explained()),
    Check("refund-booked", "a settled debt has one money entry of its amount", _settled_once()),
    Check("refund-explained", "money given back belongs to a settled debt", _refunds_explained()),
    Check("refund-limit", "refunded and owed are at most what was captured", _refunded_at_most_once()),
    Check("gift-balance", "no gift card is overdrawn", _gift_balance()),
    Check("approval-yes", "an approved request has a yes for each step of its last round", _approved_by_all()),
    *_references(),
)
"""Every promise. Add to these with the tables and rules that you add."""
