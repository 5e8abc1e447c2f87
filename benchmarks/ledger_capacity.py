"""What one PostgreSQL carries: statements and transactions of an order, its own processor for one, and pgbench beside.

`python -m benchmarks.ledger_capacity`; `--quick` runs fewer orders and a shorter pgbench. The server is the one of the
tests, which does not wait for the disk (`fsync=off`): what it shows is the processor's bound.
"""

import argparse
import asyncio
import re
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import psycopg

from benchmarks.builds import Build
from benchmarks.figures import Figure, report
from benchmarks.processor import postgres_seconds
from benchmarks.rivals import Contender, postgres
from tests.support.ledgers import postgres_database
from tests.support.postgres_server import binaries

AT_ONCE: Final = 10
LINES: Final = 2
YEAR: Final = 365 * 86_400


async def figures(orders: int, seconds: int) -> AsyncIterator[Figure]:
    """The counts, the processor, and pgbench."""
    programs = binaries()
    assert programs  # noqa: S101  (`postgres` says so if there is none)
    with tempfile.TemporaryDirectory() as folder, postgres() as server, postgres_database(server.url) as ledger:
        # checkpoints are in SQLite, so that the server's processor is the ledger's alone
        desk = Contender("desk", Build(), Path(folder), ["--ledger-url", ledger])
        desk.ready()
        desk.ask("orders", name="warm", count=AT_ONCE, at_once=AT_ONCE, lines=LINES)
        counts = desk.ask("statements", name="counted", lines=LINES)
        before, bytes_before = postgres_seconds(server.url), _bytes(ledger)
        took = desk.ask("orders", name="timed", count=orders, at_once=AT_ONCE, lines=LINES)
        used = (postgres_seconds(server.url) - before) / orders
        grown = (_bytes(ledger) - bytes_before) / orders
        desk.end()
        pgbench = _pgbench(programs / "pgbench", server.url, seconds)
    statements = sum(counts.values()) - counts["transactions"] - counts.get("BEGIN", 0)
    yield Figure(
        figure="ledger_statements_of_an_order",
        value=statements,
        unit=f"statements of an order of {LINES} lines, in {counts['transactions']} transactions",
        bar="as it is",
        holds=True,
        note=f"10^8 orders a year: {1e8 / YEAR * statements:.0f} statements a second on average",
    )
    yield Figure(
        figure="postgres_processor_an_order",
        value=round(used * 1000, 1),
        unit="ms of PostgreSQL's own processor an order, checkpoints left out",
        bar="as it is",
        holds=True,
        note=f"so {1 / used:.0f} orders/s a core; the worker used {took['cpu'] / orders * 1000:.0f} ms an order",
    )
    yield Figure(
        figure="ledger_bytes_an_order",
        value=round(grown / 1024, 1),
        unit="KiB that the ledger's database grows by an order, indexes included",
        bar="as it is",
        holds=True,
        note=f"10^8 orders: {grown * 1e8 / 1e12:.2f} TB",
    )
    yield Figure(
        figure="pgbench_transactions_a_second",
        value=round(pgbench),
        unit=f"TPC-B-like transactions a second of five statements, {AT_ONCE} clients, fsync off, on what is free here",
        bar="as it is",
        holds=True,
        note=f"an order is {counts['transactions']}: {pgbench / counts['transactions']:.0f} orders/s",
    )


def _pgbench(program: Path, url: str, seconds: int) -> float:
    initial: list[str | Path] = [program, "--initialize", "--quiet", "--scale=10", url]
    subprocess.run(initial, check=True, capture_output=True)  # noqa: S603
    command: list[str | Path] = [program, f"--client={AT_ONCE}", f"--time={seconds}", "--protocol=prepared", url]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603
    found = re.search(r"tps = ([\d.]+)", said)
    assert found, said  # noqa: S101
    return float(found[1])


def _bytes(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    assert row  # noqa: S101
    return int(row[0])


def main() -> int:
    """Measure what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ledger_capacity", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="for a look, not for a record")
    quick = parser.parse_args().quick
    return 0 if asyncio.run(report(figures(40 if quick else 300, 4 if quick else 20))) else 1


if __name__ == "__main__":
    sys.exit(main())
