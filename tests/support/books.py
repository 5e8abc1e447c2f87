"""What the tests read behind the server's back: the ledger itself, and the card network's account of itself.

Nothing here changes either; `Ledger.held_at` only keeps others from writing for a moment.
"""

import sqlite3
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from signal import SIGTERM
from typing import Any, ClassVar, Self

import httpx
import psycopg
from psycopg.rows import dict_row

from tests.support.live_server import ROOT, Process, free_port, wait_for

HELD_LIMIT = 20.0
"""Seconds within which an order must come to the stage that a test waits for."""


class LedgerReader(ABC):
    """A ledger on either database. Booleans, times and JSON are what its driver makes of them."""

    @abstractmethod
    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """The rows that a query finds. A value's place in it is a question mark."""

    @abstractmethod
    def _tables(self) -> list[str]:
        """Their names."""

    _ORDER: ClassVar[str]
    """Of the rows of a table `t`, the same as long as nothing changes."""

    def dump(self) -> dict[str, list[dict[str, Any]]]:
        """Everything that it holds, by table; of notifications what they say, not how far they were delivered, nor
        when that one last ran."""
        columns = {"notices": "key, event, customer_id, order_id, facts, at", "heartbeats": "name"}
        return {
            name: self.rows(f"SELECT {columns.get(name, '*')} FROM {name} t ORDER BY {self._ORDER}")  # noqa: S608
            for name in self._tables()
        }

    def order(self, order_id: str) -> dict[str, Any]:
        """One order's row; empty when there is none."""
        return next(iter(self.rows("SELECT * FROM orders WHERE id = ?", order_id)), {})

    def pieces(self) -> dict[str, int]:
        """By SKU what is on hand or has left: orders move it, and never change the sum."""
        rows = self.rows(
            "SELECT sku, on_hand + coalesce((SELECT sum(quantity) FROM order_lines l WHERE l.sku = variants.sku"
            " AND reservation = 'shipped'), 0) AS pieces FROM variants"
        )
        return {row["sku"]: int(row["pieces"]) for row in rows}  # PostgreSQL sums to a decimal number


class PostgresLedger(LedgerReader):
    """The ledger of a server on PostgreSQL. Times are in UTC."""

    _ORDER = "t::text"

    def __init__(self, url: str) -> None:
        self._url = url

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """The rows that a query finds. A value's place in it is a question mark."""
        options = "-c TimeZone=UTC -c default_transaction_read_only=on"
        with psycopg.connect(self._url, row_factory=dict_row, options=options) as connection:
            return connection.execute(query.replace("%", "%%").replace("?", "%s").encode(), values).fetchall()

    def _tables(self) -> list[str]:
        return [row["tablename"] for row in self.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]


class Ledger(LedgerReader):
    """The ledger of a server on the embedded database."""

    _ORDER = "rowid"

    def __init__(self, file: Path) -> None:
        self._file = file

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """The rows that a query finds."""
        with closing(sqlite3.connect(f"file:{self._file}?mode=ro", uri=True, timeout=15)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(query, values)]

    def _tables(self) -> list[str]:
        return [row["name"] for row in self.rows("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]

    @contextmanager
    def held_at(self, order_id: str, stage: str) -> Iterator[None]:
        """Nobody can write while this lasts, and the order is in `stage`. Raises RuntimeError when it never is.

        It looks every millisecond, far more often than a server writes, and never queues up: SQLite would let it wait
        for longer and longer, and the order would be past the stage.
        """
        with closing(sqlite3.connect(self._file, timeout=0, isolation_level=None)) as connection:
            end = time.monotonic() + HELD_LIMIT
            while time.monotonic() < end:
                if _locked(connection):
                    found = connection.execute("SELECT stage FROM orders WHERE id = ?", (order_id,)).fetchone()
                    if found == (stage,):
                        yield
                        return
                    connection.execute("ROLLBACK")
                time.sleep(0.001)
        raise RuntimeError(f"{order_id} was never seen {stage}")


def _locked(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:  # a writer is at work
        return False
    return True


class CardNetwork:
    """The sandbox card network as a process of its own, with its account in `file`; its slow card takes `slow_seconds`.

    Beside a server whose own network keeps its account in the same file, it tells what that one did.
    """

    def __init__(self, file: Path, *, slow_seconds: float = 0.5) -> None:
        self.url = f"http://127.0.0.1:{(port := free_port())}"
        command = [sys.executable, "-m", "sandbox", "--port", str(port)]
        command += ["--data", str(file), "--slow-seconds", str(slow_seconds)]
        self._process = Process(command, file.with_suffix(".log"), ROOT, {})

    def __enter__(self) -> Self:
        wait_for(self._answers, 30, lambda: f"the card network does not answer: {self._process.log.read_text()}")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.end(SIGTERM)

    def _answers(self) -> bool:
        try:
            return bool(self._account())
        except httpx.TransportError:
            return False

    def _account(self) -> dict[str, list[dict[str, Any]]]:
        answer = httpx.get(f"{self.url}/charges", timeout=10, trust_env=False).raise_for_status()
        return answer.json()  # type: ignore[no-any-return]

    def captured(self, order_id: str = "") -> dict[str, int]:
        """{key: minor units} of what it took, for one order or for all."""
        taken = (charge for charge in self._account()["charges"] if charge["status"] == "captured")
        return {
            each["key"]: each["amount"] for each in taken if each["key"].startswith(f"{order_id}:" if order_id else "")
        }

    def refunded(self, order_id: str = "") -> dict[str, int]:
        """{key: minor units} of what it gave back, for one order or for all."""
        charges = {charge["id"]: charge["key"] for charge in self._account()["charges"]}
        prefix = f"{order_id}:" if order_id else ""
        return {
            each["key"]: each["amount"]
            for each in self._account()["refunds"]
            if charges[each["charge_id"]].startswith(prefix)
        }


def check_money(ledger: Ledger, network: CardNetwork) -> None:
    """The ledger and the network tell the same of every charge and refund, and nothing is owed."""
    entries = ledger.rows("SELECT key, kind, amount FROM money_entries")
    assert {entry["key"]: entry["amount"] for entry in entries if entry["kind"] == "capture"} == network.captured()
    assert {entry["key"]: -entry["amount"] for entry in entries if entry["kind"] == "refund"} == network.refunded()
    assert ledger.rows("SELECT key FROM debts WHERE NOT settled") == []


def check_stock(ledger: Ledger, pieces: dict[str, int]) -> None:
    """No piece came from or went nowhere since `pieces` were counted, and what is reserved is what lines hold."""
    assert ledger.pieces() == pieces
    held = "SELECT coalesce(sum(quantity), 0) FROM order_lines l WHERE l.sku = variants.sku AND reservation = 'held'"
    assert ledger.rows(f"SELECT sku FROM variants WHERE reserved <> ({held})") == []  # noqa: S608
