"""What the ledger knows of how the shop stands: who waits for whom, what is parked, unknown, owed, undelivered.

Each number is one read of indexed rows. The gauges of a scrape (`ledger_gauges`) and the operations page
(`overview_routes`) say the same, since both come from here; the orders behind a number are in `behind`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, String, and_, cast, func, select
from sqlalchemy.orm import Session

from agent.commerce.lifecycle import AT_WORK
from agent.commerce.tickets import asked_in_turn
from agent.ledger.base import total
from agent.ledger.tables import (
    ApprovalRow,
    DebtRow,
    HeartbeatRow,
    NotificationRow,
    OrderRow,
    PaymentRow,
    QuarantineRow,
    TicketRow,
)
from agent.services import Services

RECENT: Final = timedelta(days=1)
"""A damaged state is kept aside for ever; so long it counts as something to look into."""


@dataclass(frozen=True)
class Some:
    """How many there are, and since when the oldest; None: there is none."""

    count: int = 0
    since: datetime | None = None


@dataclass(frozen=True)
class Queue(Some):
    """What waits for a role: `late` of them are past their due time, or were escalated. `late_since`: when the first of
    them was due; a ticket that was escalated, when it was opened."""

    late: int = 0
    late_since: datetime | None = None


@dataclass(frozen=True)
class Owed(Some):
    """Debts that are not settled: their sum in minor units; `failing` have failed at least once."""

    amount: int = 0
    failing: Some = Some()


@dataclass(frozen=True)
class LedgerFacts:
    """All of it, as of `at`. Requests and tickets by the role whose turn it is, debts by kind, orders at work by
    stage."""

    at: datetime
    stages: Mapping[str, Some]
    requests: Mapping[str, Queue]
    tickets: Mapping[str, Queue]
    debts: Mapping[str, Owed]
    unknown: Some
    quarantined: int
    lately_quarantined: Some
    undelivered: Some
    reconciled: datetime | None


def ledger_facts(session: Session, shop: Services) -> LedgerFacts:
    """Read them, in a transaction of somebody else's."""
    now, damaged = shop.database.clock(), QuarantineRow
    last = session.get(HeartbeatRow, "reconciler")
    return LedgerFacts(
        at=now,
        stages=_stages(session),
        requests=_requests(session, now),
        tickets=_tickets(session, now),
        debts=_debts(session),
        unknown=_some(session, PaymentRow, PaymentRow.outcome == "unknown"),
        quarantined=session.scalar(select(func.count()).select_from(damaged)) or 0,
        lately_quarantined=_some(session, damaged, damaged.at >= now - RECENT),
        undelivered=_some(session, NotificationRow, shop.webhook_delivery.undelivered()),
        reconciled=last.at if last else None,
    )


def chain_as_text() -> ColumnElement[str]:
    """A request's chain as it can be compared: there are as many as the shop has cases, however many wait."""
    return cast(ApprovalRow.chain, String)


def _some(session: Session, row: Any, *which: ColumnElement[bool]) -> Some:
    count, since = session.execute(select(func.count(), func.min(row.at)).where(*which)).one()
    return Some(count, since)


def _stages(session: Session) -> dict[str, Some]:
    query = select(OrderRow.stage, func.count(), func.min(OrderRow.touched_at)).where(OrderRow.stage.in_(AT_WORK))
    return {stage: Some(count, since) for stage, count, since in session.execute(query.group_by(OrderRow.stage))}


def _requests(session: Session, now: datetime) -> dict[str, Queue]:
    row, found = ApprovalRow, dict[str, Queue]()
    query = select(chain_as_text(), row.step, func.count(), func.min(row.step_since)).where(row.status == "open")
    for steps, step, count, since in session.execute(query.group_by(chain_as_text(), row.step)).all():
        asked = json.loads(steps)[step]
        late, due = 0, since + timedelta(seconds=asked["due_seconds"])
        if due <= now:
            same = and_(row.status == "open", chain_as_text() == steps, row.step == step)
            begun = row.step_since <= now - timedelta(seconds=asked["due_seconds"])
            late = session.scalar(select(func.count()).where(same, begun)) or 0
        queue = Queue(count, since, late, due if late else None)
        found[asked["role"]] = _together(found.get(asked["role"]), queue)
    return found


def _tickets(session: Session, now: datetime) -> dict[str, Queue]:
    """The first role of a chain is late when the ticket is due; who is asked after it is asked since it was."""
    row, found = TicketRow, dict[str, Queue]()
    query = select(row.topic, row.role, func.count(), func.min(row.at), func.min(row.due_at))
    for topic, role, count, since, due in session.execute(
        query.where(row.status == "open").group_by(row.topic, row.role)
    ).all():
        first = asked_in_turn(topic)[0]
        if role not in (None, first):
            queue = Queue(count, since, count, since)
        elif due is not None and due <= now:
            same = and_(row.status == "open", row.topic == topic, row.role == role, row.due_at <= now)
            queue = Queue(count, since, session.scalar(select(func.count()).where(same)) or 0, due)
        else:
            queue = Queue(count, since)
        found[role or first] = _together(found.get(role or first), queue)
    return found


def _debts(session: Session) -> dict[str, Owed]:
    row = DebtRow
    owed = select(row.kind, func.count(), func.min(row.at), total(row.amount)).where(row.settled.is_(False))
    failed = (row.settled.is_(False), row.attempts > 0, row.pending_since.is_(None))
    failing = select(row.kind, func.count(), func.min(row.at)).where(*failed).group_by(row.kind)
    known = {kind: Some(count, since) for kind, count, since in session.execute(failing)}
    return {
        kind: Owed(count, since, amount, known.get(kind, Some()))
        for kind, count, since, amount in session.execute(owed.group_by(row.kind))
    }


def _together(one: Queue | None, other: Queue) -> Queue:
    if one is None:
        return other
    return Queue(
        one.count + other.count,
        _first(one.since, other.since),
        one.late + other.late,
        _first(one.late_since, other.late_since),
    )


def _first(*times: datetime | None) -> datetime | None:
    return min((each for each in times if each), default=None)
