"""No query of the reconciler or of a conversation scans a table that grows, on SQLite and, if given, on PostgreSQL."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg
import pytest

from agent import services as composition
from agent.ledger.engines import driver_url, is_embedded
from agent.services import Services
from tests.support.goods import W1001
from tests.support.query_plans import everything, scanned_by_postgres, scanned_by_sqlite

Scanned = Callable[[str, Any], set[str]]


@contextmanager
def explainer(url: str) -> Iterator[Scanned]:
    """Tells which growing tables a statement would read from end to end."""
    if is_embedded(url):
        with closing(sqlite3.connect(driver_url(url).database or "")) as ledger:
            yield lambda statement, given: scanned_by_sqlite(ledger, statement, given)
        return
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET enable_seqscan = off")  # so that the few rows of a test do not tempt it
        yield lambda statement, given: scanned_by_postgres(connection, statement, given)


@pytest.fixture
def services_of_the_process(shop: Services) -> Iterator[None]:
    composition.replace(shop)
    yield
    composition.replace(None)


@pytest.mark.usefixtures("services_of_the_process")
async def test_what_is_asked_for_is_found_by_an_index(shop: Services) -> None:
    async with everything(shop) as made:
        assert len(made) > 50
    with explainer(shop.settings.ledger_url) as scanned:
        assert not {statement: found for statement, given in made if (found := scanned(statement, given))}


def test_a_scan_is_seen(shop: Services) -> None:
    given = "?" if is_embedded(shop.settings.ledger_url) else "%s"
    with explainer(shop.settings.ledger_url) as scanned:
        assert scanned(f"SELECT * FROM orders WHERE reason = {given}", ("none",)) == {"orders"}  # noqa: S608
        assert scanned(f"SELECT * FROM orders WHERE id = {given}", (W1001,)) == set()  # noqa: S608
