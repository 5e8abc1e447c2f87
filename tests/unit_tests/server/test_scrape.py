"""A scrape: what the ledger knows is read once in a while, and several workers of a host add up."""

import asyncio
import os
import subprocess
import sys
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.core import GaugeMetricFamily

from agent.ledger.database_errors import DatabaseUnavailableError
from agent.ledger.tables import DebtRow, HeartbeatRow, NotificationRow, PaymentRow, TicketRow
from agent.server import scrape
from agent.server.ledger_gauges import KEPT_SECONDS, LedgerGauges
from agent.services import Services
from tests.support.chains import BILLING, OF_LARGE
from tests.support.clock import Clock
from tests.support.goods import W1001
from tests.support.orders import LARGE, place


def samples(families: list[GaugeMetricFamily]) -> dict[str, float]:
    """Values by name and label, those that are not 0."""
    found = [each for family in families for each in family.samples]
    return {" ".join([each.name, *each.labels.values()]): each.value for each in found if each.value}


async def test_who_waits_and_what_is_owed_is_read_from_the_ledger(shop: Services, clock: Clock) -> None:
    await place(LARGE, order_id="N-1")
    at: datetime = clock.now
    clock.advance(hours=2)

    def happens(session: Any) -> None:
        session.add(TicketRow(id="tic-1", topic="billing", text="?", status="open", at=at))
        session.add(TicketRow(id="tic-2", topic="billing", text="?", status="taken", at=at))
        for key, settled in (("a", False), ("b", False), ("c", True)):
            session.add(
                DebtRow(key=key, kind="refund", order_id=W1001, amount=5_00, settled=settled, next_at=at, at=at)
            )
        session.add(
            PaymentRow(key="p", order_id=W1001, method_id="ada_card", amount=1, outcome="unknown", tries=1, at=at)
        )
        session.add(HeartbeatRow(name="reconciler", at=at))

    await shop.database.write(happens)
    found = samples(await LedgerGauges().families())
    hours = 2 * 3600.0
    assert found == {
        "desk_ledger_up": 1,
        "desk_reconciler_cron": 1,
        f"desk_approvals_waiting {OF_LARGE[0]}": 1,
        f"desk_approvals_oldest_seconds {OF_LARGE[0]}": hours,
        f"desk_tickets_waiting {BILLING[0]}": 1,
        f"desk_tickets_oldest_seconds {BILLING[0]}": hours,
        "desk_orders awaiting_approval": 1,
        "desk_payments_unknown": 1,
        "desk_debts_owed refund": 2,
        "desk_debts_owed_amount refund": 10_00,
        "desk_debts_oldest_seconds refund": hours,
        "desk_reconciler_last_run_timestamp_seconds": at.timestamp(),
    }


async def test_a_notification_that_nobody_takes_is_counted_once_there_is_a_receiver(
    shop: Services, clock: Clock
) -> None:
    def refused(session: Any) -> None:
        facts = {"customer_id": "ada_park", "order_id": W1001, "facts": {}, "at": clock.now, "next_at": clock.now}
        session.add(NotificationRow(key="n", event="order.cancelled", attempts=20, **facts))

    await shop.database.write(refused)
    assert "desk_notices_undelivered" not in samples(await LedgerGauges().families())
    shop.webhook_delivery._receivers = {"customers": None}  # type: ignore[dict-item]
    assert samples(await LedgerGauges().families())["desk_notices_undelivered"] == 1


async def test_a_storm_of_scrapes_is_one_read(shop: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    reads, now, read = 0, 0.0, shop.database.read

    async def counted(question: Any) -> Any:
        nonlocal reads
        reads += 1
        return await read(question)

    monkeypatch.setattr(shop.database, "read", counted)
    gauges = LedgerGauges(lambda: now)
    await asyncio.gather(*(gauges.families() for _ in range(200)))
    assert reads == 1
    now = KEPT_SECONDS
    await gauges.families()
    assert reads == 2


async def test_a_ledger_that_is_away_is_a_metric_and_no_failed_scrape(
    shop: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_: Any) -> Any:
        raise DatabaseUnavailableError("away")

    monkeypatch.setattr(shop.database, "read", away)
    [up] = await LedgerGauges().families()
    assert [(each.name, each.value) for each in up.samples] == [("desk_ledger_up", 0)]


WORKER = """
import sys
from agent.observability.events import emit
from agent.observability.metrics import announce_breaker, breaker_is
announce_breaker("payment")
for _ in range(int(sys.argv[1])):
    emit("order.redriven")
breaker_is("payment", sys.argv[2])
print("ready", flush=True)
sys.stdin.read()
"""


def test_workers_of_one_host_add_up_and_the_killed_have_no_breaker(tmp_path: Path) -> None:
    """Also not what the ledger knows: whoever is scraped says that once."""
    up = GaugeMetricFamily("desk_ledger_up", "", value=1)

    def scraped() -> dict[str, float]:
        found = {
            each.name: each.value for family in scrape._Scraped([up], tmp_path).collect() for each in family.samples
        }
        return {name: found[name] for name in ("desk_redriven_total", "desk_ledger_up", "desk_breaker_state")}

    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    with ExitStack() as running:
        workers = [
            running.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", WORKER, *given],
                    env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                )
            )
            for given in (("3", "closed"), ("4", "open"))
        ]  # fmt: skip
        for worker in workers:
            assert worker.stdout
            assert any(line == "ready\n" for line in worker.stdout)  # those before are its events
        assert scraped() == {"desk_redriven_total": 7, "desk_ledger_up": 1, "desk_breaker_state": 2}

        workers[1].kill()
        workers[1].wait()
        assert scraped() == {"desk_redriven_total": 7, "desk_ledger_up": 1, "desk_breaker_state": 0}
