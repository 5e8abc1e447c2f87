"""What the ledger knows, as gauges: who waits for whom and since when, what is parked, unknown, owed, undelivered.

One read (`ledger_facts`), kept for some seconds: a storm of scrapes costs the ledger nothing. Whichever worker is
scraped reads the same ledger, so nothing is added up.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final

from prometheus_client.core import GaugeMetricFamily
from sqlalchemy.orm import Session

from agent.commerce.lifecycle import AT_WORK
from agent.commerce.tickets import WORKERS
from agent.identity import APPROVER_ROLES
from agent.ledger.database_errors import UNUSABLE
from agent.ledger.schema import SchemaError
from agent.server.ledger_facts import Some, ledger_facts
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
    facts = ledger_facts(session, shop)
    waiting = {
        "desk_approvals_waiting": "Open requests, by whose turn it is",
        "desk_approvals_oldest_seconds": "The longest turn",
    }
    yield from _by(waiting, _ages(facts.requests, facts.at), role=APPROVER_ROLES)
    untaken = {
        "desk_tickets_waiting": "Tickets that nobody has taken, by who is asked",
        "desk_tickets_oldest_seconds": "The oldest of them",
    }
    yield from _by(untaken, _ages(facts.tickets, facts.at), role=WORKERS)
    owed = {
        "desk_debts_owed": "What is owed and not settled",
        "desk_debts_owed_amount": "Its sum, in minor units",
        "desk_debts_oldest_seconds": "The oldest of it",
    }
    debts = {kind: (debt.count, debt.amount, _age(debt.since, facts.at)) for kind, debt in facts.debts.items()}
    yield from _by(owed, debts, kind=DEBT_KINDS)
    stages = {stage: (orders.count,) for stage, orders in facts.stages.items()}
    yield from _by({"desk_orders": "Orders that are at work"}, stages, stage=AT_WORK)
    yield _one("desk_orders_parked", "Orders whose provider can't say", facts.stages.get("parked", Some()).count)
    yield _one("desk_payments_unknown", "Payments whose answer was lost", facts.unknown.count)
    yield _one("desk_quarantined", "Damaged states that are kept aside", facts.quarantined)
    yield _one("desk_notices_undelivered", "Notifications that nobody took, 20 times or more", facts.undelivered.count)
    yield _one(
        "desk_reconciler_cron",
        "Whether the server has a cron that starts it (RECONCILE_CRON)",
        bool(shop.settings.reconcile_cron),
    )
    text = "When the reconciler last began to run; 0: never"
    last = facts.reconciled
    yield _one("desk_reconciler_last_run_timestamp_seconds", text, last.timestamp() if last else 0)


def _ages(queues: Mapping[str, Some], now: datetime) -> Grouped:
    return {role: (queue.count, _age(queue.since, now)) for role, queue in queues.items()}


def _age(since: datetime | None, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds()) if since else 0.0


def _one(name: str, text: str, value: float) -> Family:
    return GaugeMetricFamily(name, text, value=float(value))


def _by(named: Mapping[str, str], values: Grouped, **labels: Iterable[str]) -> Iterator[Family]:
    """A gauge for each part of the values, with all of its labels, also those of which there is nothing."""
    [(label, known)] = labels.items()
    for part, (name, text) in enumerate(named.items()):
        family = GaugeMetricFamily(name, text, labels=[label])
        for each in sorted({*known, *values}):
            family.add_metric([each], values[each][part] if each in values else 0.0)
        yield family
