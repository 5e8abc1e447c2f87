"""A minute of `python -m tests.chaos --postgres`: a server whose ledger is on PostgreSQL is killed again and again."""

from pathlib import Path

import psycopg
import pytest

from agent.ledger.database import Database
from tests.services.drilled import drilled
from tests.services.ledgers import add
from tests.support.books import PostgresLedger


@pytest.mark.timeout(600)
def test_kills_break_no_promise_of_a_ledger_on_postgres(programs: Path) -> None:
    found = drilled("tests.chaos", "--postgres", "--minutes", "1", "--seed", "5")
    assert found["where"].keys() > {"at random"}, "no life ended at a node"


async def test_the_books_are_read_by_value_and_cannot_be_changed(url: str, ledger: Database) -> None:
    await add(ledger, "LAMP-1")
    books = PostgresLedger(url)
    [found] = books.rows("SELECT id FROM products WHERE id LIKE 'LAMP%' AND name = ?", "Lamp")
    assert found == {"id": "LAMP-1"}
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        books.rows("DELETE FROM products RETURNING id")
