"""What a worker that froze between the two halves of a statement had locked is free again: `deploy/postgres`."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import pq

from tests.support.live_server import ROOT, wait_for

JOB = (ROOT / "deploy" / "postgres" / "cut_transactions.sql").read_text()
LOCK = "SELECT * FROM locked FOR UPDATE NOWAIT"


@pytest.fixture
def frozen(url: str) -> Iterator[None]:
    """A client that has locked a row and said half of its next statement, as asyncpg does. No time limit ends that."""
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("CREATE TABLE locked (id int); INSERT INTO locked VALUES (1)")
    client = pq.PGconn.connect(url.encode())
    client.exec_(b"SET idle_in_transaction_session_timeout = '100ms'; SET statement_timeout = '100ms'")
    client.exec_(b"BEGIN; UPDATE locked SET id = 2")
    client.enter_pipeline_mode()
    client.send_prepare(b"half", b"SELECT 1")
    client.send_flush_request()
    client.flush()
    yield
    client.finish()


def free(connection: psycopg.Connection) -> bool:
    """Whether nobody has locked the row."""
    try:
        return connection.execute(LOCK).fetchall() == [(1,)]
    except psycopg.errors.LockNotAvailable:
        return False


@pytest.mark.usefixtures("frozen")
def test_a_transaction_cut_in_the_middle_of_a_statement_is_ended_and_no_other(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as job, psycopg.connect(url) as idle:
        idle.execute("SELECT 1")  # a transaction that its client will go on with
        ended = wait_for(lambda: job.execute(JOB).fetchall(), 30, lambda: "the job ended nothing")
        assert ended == [(True,)]
        wait_for(lambda: free(job), 30, lambda: "the row is locked still")
        assert idle.execute("SELECT 1").fetchall() == [(1,)]
