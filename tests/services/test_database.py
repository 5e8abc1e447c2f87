"""The ledger on PostgreSQL: a key acts once whoever comes at the same time, and an absent server is told in time."""

import asyncio
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable

import pytest
from blockbuster import blockbuster_ctx
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from agent.ledger.database import Database, Effect, Json, PolicyDenied
from agent.ledger.database_errors import DatabaseConflictError, DatabaseUnavailableError, LedgerDamagedError
from agent.ledger.engines import Limits
from agent.ledger.schema import upgrade
from agent.ledger.tables import ProductRow
from agent.resilience import is_transient
from tests.services.ledgers import add, adding, all_products, eventually, products
from tests.support.clock import Clock
from tests.support.postgres_server import PASSWORD, Postgres

LIMITS = Limits(connections=2, free=0.5, connect=2, statement=1)
BOUND = 6.0
"""Seconds: a free connection, its check, a new one, a statement, and what a busy machine adds."""


@pytest.fixture
async def own(own_postgres: Postgres, clock: Clock) -> AsyncIterator[Database]:
    """A ledger on a server that the test may break, with one product in it."""
    await asyncio.to_thread(upgrade, own_postgres.url)
    database = Database(own_postgres.url, clock, LIMITS)
    await add(database, "lamp")
    yield database
    await database.close()


async def away(ledger: Database) -> DatabaseUnavailableError:
    """The error of one read and one effect, each in time."""
    for ask in (lambda: products(ledger), lambda: add(ledger, "rug")):
        started = time.monotonic()
        with pytest.raises(DatabaseUnavailableError) as told:
            await ask()
        assert time.monotonic() - started < BOUND
    assert is_transient(told.value)
    return told.value


async def test_two_at_once_with_one_key_act_once_even_when_a_denial_leaves_no_trace(ledger: Database) -> None:
    """The second would find the first one's product there, and be denied, had it not waited its turn."""
    inside, meanwhile = threading.Event(), threading.Event()

    def act(session: Session) -> Json:
        if session.get(ProductRow, "lamp"):
            raise PolicyDenied("TAKEN", "There is one.")
        inside.set()
        assert meanwhile.wait(30)
        return adding("lamp")(session)

    effect = Effect("key", "Add", "ada", "ada_park")
    first = asyncio.create_task(ledger.once(effect, act, remember_denial=False))
    assert await asyncio.to_thread(inside.wait, 30)
    second = asyncio.create_task(ledger.once(effect, act, remember_denial=False))
    await _somebody_waits_for_a_lock(ledger)
    meanwhile.set()
    assert [await first, await second] == [{"added": "lamp"}] * 2


async def _somebody_waits_for_a_lock(ledger: Database) -> None:
    waiting = text("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")

    async def somebody() -> bool:
        with ledger.reading() as session:
            return bool(session.scalar(waiting))

    await eventually(somebody)


async def test_of_two_that_lock_each_other_out_one_goes_on_and_the_other_may_try_again(ledger: Database) -> None:
    await add(ledger, "lamp")
    await add(ledger, "rug")
    both_hold_one = threading.Barrier(2)

    def take(*names: str) -> Callable[[Session], None]:
        def act(session: Session) -> None:
            session.get(ProductRow, names[0], with_for_update=True)
            both_hold_one.wait(30)
            session.get(ProductRow, names[1], with_for_update=True)

        return act

    takers = ledger.write(take("lamp", "rug")), ledger.write(take("rug", "lamp"))
    ends = await asyncio.gather(*takers, return_exceptions=True)
    [conflict] = [end for end in ends if end]
    assert isinstance(conflict, DatabaseConflictError)
    assert is_transient(conflict)


async def test_a_read_sees_one_moment(ledger: Database) -> None:
    await add(ledger, "lamp")
    with ledger.reading() as session:
        before = session.scalars(text("SELECT id FROM products")).all()
        await add(ledger, "rug")
        assert session.scalars(text("SELECT id FROM products")).all() == before == ["lamp"]


async def test_a_read_cannot_write(ledger: Database) -> None:
    with pytest.raises(Exception, match="read-only transaction"), ledger.reading() as session:
        session.execute(text("DELETE FROM products"))


async def test_a_broken_constraint_is_neither_away_nor_transient(ledger: Database) -> None:
    await add(ledger, "lamp")
    with pytest.raises(IntegrityError) as broken:
        await ledger.once(Effect("other key", "Add", "ada", "ada_park"), adding("lamp"))
    assert not is_transient(broken.value)


async def test_a_ledger_without_one_of_its_tables_is_damaged(ledger: Database) -> None:
    with pytest.raises(LedgerDamagedError, match='relation "nowhere" does not exist'), ledger.reading() as session:
        session.execute(text("SELECT * FROM nowhere"))


async def test_nothing_blocks_the_event_loop(url: str, ledger: Database, clock: Clock) -> None:
    database = Database(url, clock)
    with blockbuster_ctx():
        await add(database, "lamp")
        assert await products(database) == ["lamp"]
        await database.close()


async def test_a_plain_url_is_understood(url: str, ledger: Database, clock: Clock) -> None:
    database = Database(url.replace("postgresql://", "postgres://"), clock)
    assert await products(database) == []
    await database.close()


async def test_a_server_that_is_not_there_is_told_in_time(own_postgres: Postgres, own: Database) -> None:
    own_postgres.stop()
    told = await away(own)
    assert "refused" in str(told)
    assert PASSWORD not in str(told)
    with pytest.raises(DatabaseUnavailableError):
        await own.open()


async def test_a_frozen_server_is_told_in_time_and_works_when_it_thaws(own_postgres: Postgres, own: Database) -> None:
    with own_postgres.paused():
        await away(own)
    assert await products(own) == ["lamp"]


async def test_a_transaction_that_the_server_freezes_in_is_told_in_time(own_postgres: Postgres, own: Database) -> None:
    def freezes(session: Session) -> None:
        session.add(ProductRow(id="half", name="Half"))
        session.flush()
        with own_postgres.paused():
            session.execute(text("SELECT 1"))

    started = time.monotonic()
    with pytest.raises(DatabaseUnavailableError):
        await own.write(freezes)
    assert time.monotonic() - started < BOUND
    assert await products(own) == ["lamp"]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
async def test_after_a_restart_of_the_server_nobody_notices(
    own_postgres: Postgres, own: Database, how: signal.Signals
) -> None:
    with own.reading() as one, own.reading() as other:  # two connections in the pool
        one.execute(text("SELECT 1"))
        other.execute(text("SELECT 1"))
    own_postgres.stop(how)
    own_postgres.start()
    assert await add(own, "rug") == {"added": "rug"}
    for seen in await asyncio.gather(products(own), products(own)):
        assert seen == ["lamp", "rug"]


async def test_when_all_connections_are_in_use_that_is_told_in_time(url: str, ledger: Database, clock: Clock) -> None:
    database = Database(url, clock, LIMITS)
    all_busy, done = threading.Barrier(LIMITS.connections + 1), threading.Event()

    def keeps_busy(_: Session) -> bool:
        all_busy.wait(30)
        return done.wait(30)

    busy = [asyncio.create_task(database.read(keeps_busy)) for _ in range(LIMITS.connections)]
    await asyncio.to_thread(all_busy.wait, 30)
    with pytest.raises(DatabaseUnavailableError, match="in use"):
        await database.read(all_products)
    done.set()
    assert await asyncio.gather(*busy) == [True] * LIMITS.connections
    assert await database.read(all_products) == []
    await database.close()


async def test_a_statement_that_takes_too_long_is_ended(url: str, clock: Clock) -> None:
    database = Database(url, clock, LIMITS)
    with pytest.raises(DatabaseUnavailableError, match="statement timeout"):
        await database.read(lambda session: session.execute(text("SELECT pg_sleep(30)")))
    await database.close()


async def test_an_effect_whose_asker_is_gone_happens_once_and_lets_go_of_its_locks(ledger: Database) -> None:
    halfway, go_on = threading.Event(), threading.Event()

    def act(session: Session) -> Json:
        halfway.set()
        assert go_on.wait(30)
        return adding("lamp")(session)

    effect = Effect("key", "Add", "ada", "ada_park")
    asking = asyncio.create_task(ledger.once(effect, act))
    assert await asyncio.to_thread(halfway.wait, 30)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    again = asyncio.create_task(ledger.once(effect, adding("rug")))
    await _somebody_waits_for_a_lock(ledger)
    go_on.set()
    assert await again == {"added": "lamp"}
    assert await products(ledger) == ["lamp"]
