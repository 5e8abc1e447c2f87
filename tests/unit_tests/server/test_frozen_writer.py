"""Two servers on one SQLite ledger, one of them stopped in its tracks: the other goes on, and so does the ledger."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.identity import Caller
from agent.ledger.database import Database
from agent.ledger.tables import OrderRow
from agent.services import Services
from agent.settings import Settings
from tests.support.goods import W1002
from tests.support.routes import Ask
from tests.support.scenes import approved, charges, dump, new_order

pytestmark = pytest.mark.thorough

ADA = Caller("ada_park", "customer")

MID_WRITE = """
import os, signal, sys
from sqlalchemy import text
from agent.ledger.database import Database

with Database(sys.argv[1]).writing() as session:
    session.execute(text("UPDATE products SET name = 'Changed' WHERE id = 'lamp'"))
    os.kill(os.getpid(), signal.SIGSTOP)
"""

BEFORE_BOOKING = """
import asyncio, os, signal, sys
from pathlib import Path
from agent import services
from agent.providers.sandbox import SandboxProvider
from agent.settings import Settings

capture = SandboxProvider.capture

async def capture_and_stop(self, attempt):
    charge = await capture(self, attempt)
    os.kill(os.getpid(), signal.SIGSTOP)
    return charge

async def main():
    SandboxProvider.capture = capture_and_stop
    shop = await services.build(Settings(data_dir=Path(sys.argv[1]), payment_timeout_seconds=30))
    print((await shop.payments.capture("A-1")).outcome)
    await shop.close()

asyncio.run(main())
"""


@pytest.fixture
def config(config: Settings) -> Settings:
    """Limits that a test can wait for."""
    if config.database_url:
        pytest.skip("SQLite has one writer; a frozen one is not in the way of others on PostgreSQL")
    return config.model_copy(update={"database_statement_timeout_seconds": 0.5, "database_pool_timeout_seconds": 1.0})


@contextmanager
def frozen(script: str, *arguments: str | Path) -> Iterator["subprocess.Popen[str]"]:
    """A process that has stopped itself; it is ended at the latest when the test is."""
    child = subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert os.WIFSTOPPED(os.waitpid(child.pid, os.WUNTRACED)[1])
        yield child
    finally:
        if child.poll() is None:
            child.kill()
        child.communicate()


def woken(child: "subprocess.Popen[str]") -> str:
    """Let it go on to its end; what it printed."""
    child.send_signal(signal.SIGCONT)
    out, err = child.communicate(timeout=120)
    assert (child.returncode, err) == (0, "")
    return out.strip()


async def test_who_must_write_is_told_why_in_time_and_who_only_reads_is_answered(
    shop: Services, config: Settings, ask: Ask
) -> None:
    cancel = {"json": {"reason": "no longer needed"}}
    with frozen(MID_WRITE, config.ledger_url) as child:
        started = time.monotonic()
        refused = await asyncio.gather(*(ask("POST", f"/ops/orders/{W1002}/cancel", ADA, **cancel) for _ in range(8)))
        assert time.monotonic() - started < 10  # some 0.5 s a statement, of at most as many as began in 1 s

        assert {answer.status_code for answer in refused} == {503}
        assert {answer.json()["detail"].partition(":")[0] for answer in refused} <= {
            "another transaction was in the way", "the ledger's database can't be used now"
        }  # fmt: skip
        assert all(answer.headers["retry-after"] for answer in refused)

        started = time.monotonic()
        health, order = await ask("GET", "/ops/health"), await ask("GET", f"/ops/orders/{W1002}", ADA)
        assert time.monotonic() - started < 5
        assert (health.status_code, health.json()["status"]) == (200, "read-only")
        assert (order.status_code, order.json()["status"]) == (200, "pending")

        ready = await ask("GET", "/ops/ready")
        assert (ready.status_code, ready.json()["status"]) == (503, "not ready")
        assert "in the way" in ready.json()["why"] or "come through" in ready.json()["why"]

        woken(child)
    assert (await ask("POST", f"/ops/orders/{W1002}/cancel", ADA, **cancel)).status_code == 200


async def test_a_server_that_starts_meanwhile_reads_and_does_not_wait(shop: Services, config: Settings) -> None:
    with frozen(MID_WRITE, config.ledger_url):
        second = Database(config.ledger_url)
        async with asyncio.timeout(5):
            await second.open()
            assert await second.read(lambda session: session.get(OrderRow, W1002)) is not None
        await second.close()


async def test_what_was_taken_over_is_not_changed_by_who_wakes(shop: Services, config: Settings) -> None:
    await approved(shop, new_order())
    with frozen(BEFORE_BOOKING, config.data_dir) as child:
        taken = await shop.payments.capture("A-1")  # the money was taken by the one that stands still
        assert taken.outcome == "captured"
        for parcel in taken.parcels:
            await shop.fulfilment.book(parcel)
        before = await dump(shop)

        assert woken(child) == "captured"

    assert await dump(shop) == before
    assert [charge.key for charge in await charges(shop)] == ["A-1:pay:1"]


async def test_what_was_cancelled_meanwhile_stays_cancelled(shop: Services, config: Settings, ask: Ask) -> None:
    await approved(shop, new_order())
    with frozen(BEFORE_BOOKING, config.data_dir) as child:
        asked = await ask("POST", "/ops/orders/A-1/cancel", ADA, json={"reason": "no longer needed"})
        assert asked.status_code == 200, asked.text
        await shop.debts.settle()
        before = (await shop.queries.get("A-1"))["stage"]

        woken(child)

    await shop.debts.settle()
    assert (await shop.queries.get("A-1"))["stage"] == before
    assert await shop.queries.refundable("A-1") == 0
