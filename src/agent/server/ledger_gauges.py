"""What the ledger knows, as gauges: who waits for whom and since when, what is parked, unknown, owed, undelivered.

One read of indexed rows, kept for some seconds: a storm of scrapes costs the ledger nothing. Whichever worker is
scraped reads the same ledger, so nothing is added up.
"""

import asyncio
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from prometheus_client.core import GaugeMetricFamily
from sqlalchemy import String, cast, func, select
from sqlalchemy.orm import Session

from agent.commerce.lifecycle import AT_WORK
from agent.commerce.tickets import WORKERS, asked_in_turn
from agent.identity import APPROVER_ROLES
from agent.ledger.database_errors import UNUSABLE
from agent.ledger.schema import SchemaError
from agent.ledger.tables import (
    ApprovalRow,
    DebtRow,
    HeartbeatRow,
    OrderRow,
    PaymentRow,
    QuarantineRow,
    TicketRow,
)
from agent.services import Services, services

KEPT_SECONDS: Final = 5.0
"""How long one read is good for."""
LONGEST_WAIT_SECONDS: Final = 3.0
"""For the read, before the ledger counts as away: a scrape gives up after 10 s."""

DEBT_KINDS: Final = ("refund", "void", "stop")

Family = GaugeMetricFamily
Grouped = Mapping[str, tuple[float, ...]]
"""Values by label."""


class LedgerGauges:
    """The gauges as of a moment ago. `desk_ledger_up` 0, and nothing else, while the ledger can't be read."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: list[Family] = []
        self._until = float("-inf")
        self._reading = asyncio.Lock()

    async def families(self) -> list[Family]:
        """All of them; who comes while one reads waits for it."""
        async with self._reading:
            if self._clock() >= self._until:
                self._known = await _read()
                self._until = self._clock() + KEPT_SECONDS
            return self._known


async def _read() -> list[Family]:
    up = GaugeMetricFamily("desk_ledger_up", "Whether the ledger can be read", value=1)
    try:
        shop = await services()
        async with asyncio.timeout(LONGEST_WAIT_SECONDS):
            return [up, *await shop.database.read(lambda session: list(_families(session, shop)))]
    except (*UNUSABLE, SchemaError, TimeoutError):
        return [GaugeMetricFamily("desk_ledger_up", "Whether the ledger can be read", value=0)]


def _families(session: Session, shop: Services) -> Iterator[Family]:
    now = shop.database.clock()
    stages = _orders(session)
    waiting = {
        "desk_approvals_waiting": "Open requests, by whose turn it is",
        "desk_approvals_oldest_seconds": "The longest turn",
    }
    yield from _by(waiting, _approvals(session, now), role=APPROVER_ROLES)
    untaken = {
        "desk_tickets_waiting": "Tickets that nobody has taken, by who is asked",
        "desk_tickets_oldest_seconds": "The oldest of them",
    }
    yield from _by(untaken, _tickets(session, now), role=WORKERS)
    owed = {
        "desk_debts_owed": "What is owed and not settled",
        "desk_debts_owed_amount": "Its sum, in minor units",
        "desk_debts_oldest_seconds": "The oldest of it",
    }
    yield from _by(owed, _debts(session, now), kind=DEBT_KINDS)
    yield from _by({"desk_orders": "Orders that are at work"}, stages, stage=AT_WORK)
    yield _one("desk_orders_parked", "Orders whose provider can't say", stages.get("parked", (0.0,))[0])
    unknown = select(func.count()).where(PaymentRow.outcome == "unknown")
    yield _one("desk_payments_unknown", "Payments whose answer was lost", session.scalar(unknown))
    kept_aside = select(func.count()).select_from(QuarantineRow)
    yield _one("desk_quarantined", "Damaged states that are kept aside", session.scalar(kept_aside))
    undelivered = shop.webhook_delivery.undelivered(session)
    yield _one("desk_notices_undelivered", "Notifications that nobody took, 20 times or more", undelivered)
    last = session.get(HeartbeatRow, "reconciler")
    text = "When the reconciler last began to run; 0: never"
    yield _one("desk_reconciler_last_run_timestamp_seconds", text, last.at.timestamp() if last else 0)


def _approvals(session: Session, now: datetime) -> Grouped:
    """Count and age by the role whose turn it is. There are as many chains as the shop has cases, however many wait."""
    row, found = ApprovalRow, dict[str, tuple[float, ...]]()
    chain = cast(row.chain, String)
    query = select(chain, row.step, func.count(), func.min(row.step_since)).where(row.status == "open")
    for steps, step, count, since in session.execute(query.group_by(chain, row.step)):
        role = json.loads(steps)[step]["role"]
        before, oldest = found.get(role, (0.0, 0.0))
        found[role] = before + count, max(oldest, _age(since, now))
    return found


def _tickets(session: Session, now: datetime) -> Grouped:
    row, found = TicketRow, dict[str, tuple[float, ...]]()
    query = select(row.topic, row.role, func.count(), func.min(row.at)).where(row.status == "open")
    for topic, role, count, since in session.execute(query.group_by(row.topic, row.role)):
        asked = role or asked_in_turn(topic)[0]
        before, oldest = found.get(asked, (0.0, 0.0))
        found[asked] = before + count, max(oldest, _age(since, now))
    return found


def _orders(session: Session) -> Grouped:
    query = select(OrderRow.stage, func.count()).where(OrderRow.stage.in_(AT_WORK)).group_by(OrderRow.stage)
    return {stage: (count,) for stage, count in session.execute(query)}


def _debts(session: Session, now: datetime) -> Grouped:
    row = DebtRow
    query = select(row.kind, func.count(), func.sum(row.amount), func.min(row.at)).where(row.settled.is_(False))
    return {
        kind: (count, float(amount), _age(since, now))
        for kind, count, amount, since in session.execute(query.group_by(row.kind))
    }


def _age(since: datetime, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds())


def _one(name: str, text: str, value: Any) -> Family:
    return GaugeMetricFamily(name, text, value=float(value or 0))


def _by(named: Mapping[str, str], values: Grouped, **labels: Iterable[str]) -> Iterator[Family]:
    """A gauge for each part of the values, with all of its labels, also those of which there is nothing."""
    [(label, known)] = labels.items()
    for part, (name, text) in enumerate(named.items()):
        family = GaugeMetricFamily(name, text, labels=[label])
        for each in sorted({*known, *values}):
            family.add_metric([each], values[each][part] if each in values else 0.0)
        yield family
