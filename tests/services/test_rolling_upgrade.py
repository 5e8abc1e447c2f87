"""Workers of the release before and of this one, side by side on one ledger while its schema is upgraded under them.

Each is a process with its own source tree. Threads that one leaves waiting are answered on the other, as a saver that
both share would hand them over.
"""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import create_engine, text

from agent.ledger.database import Database
from agent.ledger.engines import driver_url
from agent.ledger.invariants import CHECKS, violations
from agent.ledger.schema import newest, revision, upgrade
from agent.providers.factory import sandbox_client
from agent.settings import Settings
from sandbox.card_forms import Ledger
from tests.support.clock import Clock
from tests.support.commits import check_out
from tests.support.ledgers import postgres_database
from tests.support.live_server import ROOT
from tests.support.workers import Worker

BEFORE: Final = "05b341f"
"""The last commit whose newest schema is 0015."""

WAITING: Final = {"sqlite": 60, "postgres": 200}
"""Threads that wait for people, half of them left by each release; more where several workers are the rule."""


@pytest.fixture(scope="module")
def path_before(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The PYTHONPATH of the release before; what tells its worker what to do is of this one."""
    tree = tmp_path_factory.mktemp("before")
    check_out(BEFORE, tree)
    return f"{tree / 'src'}:{ROOT}"


@pytest.fixture(params=["sqlite", "postgres"])
def config(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """A folder and a database with nothing in them."""
    is_server = request.param == "postgres"
    made = postgres_database(request.getfixturevalue("postgres").url) if is_server else nullcontext("")
    with made as url:
        yield Settings(data_dir=tmp_path, database_url=url, payment_timeout_seconds=30, order_sum_hours=0)


@contextmanager
def worker(path: str | None = None) -> Iterator[Worker]:
    made = Worker(path)
    try:
        yield made
    finally:
        made.end()


class Site:
    """Where both releases work."""

    def __init__(self, config: Settings) -> None:
        self.config, self.clock = config, Clock()
        self.waiting = WAITING["postgres" if config.database_url else "sqlite"]

    def has(self, which: Worker, act: str, *args: Any) -> Any:
        """What came of an act of a worker's."""
        which.prepare(self.config, self.clock(), act, *args)
        which.go()
        said = which.hears()
        assert "answer" in said, said
        return said["answer"]

    def work(self, which: Worker, name: str) -> list[str]:
        """Orders come in at a worker, and every second one waits for people; the threads of those that do."""
        left = []
        for number in range(self.waiting // 2):
            left.append(self.has(which, "order_that_waits", f"{name}-large-{number}"))
            assert self.has(which, "order_that_flows", f"{name}-small-{number}") == "completed"
        return left

    def answer(self, which: Worker, threads: list[str], name: str) -> list[tuple[int, str]]:
        """People answer what waits, on a worker at which orders come in; how often each was asked, what came of it."""
        ended = []
        for number, thread in enumerate(threads):
            ended.append(tuple(self.has(which, "approve", thread)))
            assert self.has(which, "order_that_flows", f"{name}-later-{number}") == "completed"
        return ended

    async def charges(self) -> Counter[str]:
        """How often each order was charged, by the card network's own books."""
        async with sandbox_client("", self.config.data_dir / "sandbox.db", timeout=30, slow_seconds=0) as client:
            book = Ledger.model_validate_json((await client.get("/charges")).content)
        return Counter(
            charge.key.partition(":")[0]
            for charge in book.charges
            if charge.status == "captured" and charge.key.startswith(("old", "new"))
        )


def run(path: str, program: str) -> None:
    """Run a program of a release."""
    subprocess.run([sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": path}, check=True)


def endless_stock(url: str) -> None:
    engine = create_engine(driver_url(url))
    with engine.begin() as connection:
        connection.execute(text("UPDATE variants SET on_hand = 100000"))
    engine.dispose()


@pytest.mark.timeout(600)
async def test_threads_of_each_release_are_answered_on_the_other_while_orders_flow(
    config: Settings, path_before: str
) -> None:
    url, site = config.ledger_url, Site(config)
    run(path_before, f"from agent.ledger.schema import upgrade; upgrade({url!r})")
    with worker(path_before) as old, ThreadPoolExecutor() as threads:
        assert site.has(old, "knows") == "0015"
        site.has(old, "load")
        endless_stock(url)
        of_old = threads.submit(site.work, old, "old")  # in the midst of which
        assert upgrade(url) == ("0015", newest())
        with worker() as new:
            assert site.has(new, "knows") == newest()
            of_new = threads.submit(site.work, new, "new")
            left_by_old, left_by_new = of_old.result(), of_new.result()

            on_new = threads.submit(site.answer, new, left_by_old, "new")
            on_old = threads.submit(site.answer, old, left_by_new, "old")
            ended = on_new.result() + on_old.result()

    assert revision(url) == newest()
    assert ended == [(1, "completed")] * site.waiting
    await nothing_is_lost_or_asked_twice(site)


async def nothing_is_lost_or_asked_twice(site: Site) -> None:
    ledger = Database(site.config.ledger_url)
    placed = "FROM orders WHERE id LIKE 'old-%' OR id LIKE 'new-%'"
    with ledger.reading() as session:
        orders = {each.id: each.stage for each in session.execute(text(f"SELECT id, stage {placed}"))}
        asked = session.execute(text("SELECT order_id FROM approvals")).scalars().all()
        broken = [found for check in CHECKS for found in violations(session, check)]
    await ledger.close()
    assert Counter(orders.values()) == {"completed": 3 * site.waiting}
    assert await site.charges() == dict.fromkeys(orders, 1)
    assert Counter(asked) == dict.fromkeys((order for order in orders if "large" in order), 1)
    assert broken == []
