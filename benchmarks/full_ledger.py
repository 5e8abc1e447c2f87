"""A ledger of many orders, made of one customer with ten: every row of theirs again and again, by SQL, as new ones."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

TEMPLATE: Final = 10
"""Orders of the customer who is multiplied."""

_NAMES: Final = {"liam": "liam{}", "TPL-": "TPL{}-"}
"""What is in the customer's and the orders' ids, and what it becomes."""

_DAYS: Final = "-' || (30 + nth % 700) || ' days"
"""How much longer ago it was: not delivered any more."""


def multiply(ledger: Path, orders: int) -> int:
    """Have so many orders that have arrived in a SQLite ledger, ten of each customer; returns the rows that were added.

    Their customers have talked to the desk once, and one in ten was approved by people. Times go back two years.
    """
    with closing(sqlite3.connect(ledger, isolation_level=None)) as connection:
        names = _NAMES | {row[0]: row[0] + "-{}" for row in connection.execute(_APPROVALS, ("TPL-%",))}
        indexes = connection.execute(_INDEXES).fetchall()
        for pragma in ("foreign_keys = OFF", "synchronous = OFF", "cache_size = -1000000", "temp_store = MEMORY"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("CREATE TEMP TABLE numbers (nth INTEGER PRIMARY KEY)")
        count = orders // TEMPLATE - 1  # the one that is there counts
        connection.executemany("INSERT INTO numbers VALUES (?)", ((number,) for number in range(1, count + 1)))
        connection.execute("UPDATE parcels SET state = 'delivered' WHERE state = 'handed_over'")
        connection.execute("UPDATE orders SET status = 'delivered' WHERE status = 'processed'")
        for name, _ in indexes:
            connection.execute(f'DROP INDEX "{name}"')
        added = sum(_again(connection, table, names) for (table,) in connection.execute(_TABLES).fetchall())
        for _, sql in indexes:
            connection.execute(sql)
        connection.execute("COMMIT")
        if broken := connection.execute("PRAGMA foreign_key_check").fetchall():
            raise RuntimeError(f"rows that refer to nothing: {broken[:5]}")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return added


_TABLES: Final = "SELECT name FROM sqlite_master WHERE type = 'table'"
_INDEXES: Final = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql <> ''"
_APPROVALS: Final = "SELECT id FROM approvals WHERE order_id LIKE ?"


def _again(connection: sqlite3.Connection, table: str, names: dict[str, str]) -> int:
    """Have the customer's rows in a table again for each number; how many that are."""
    columns = {f'"{row[1]}"': row[2].upper() for row in connection.execute(f"PRAGMA table_info({table})")}
    mine = " OR ".join(f"instr({each}, '{name}')" for each, kind in columns.items() if _is_text(kind) for name in names)
    if not mine:
        return 0
    connection.execute(f"CREATE TEMP TABLE mine AS SELECT * FROM {table} WHERE {mine}")  # noqa: S608
    values = ", ".join(_renamed(connection, column, kind, names) for column, kind in columns.items())
    into = f"INSERT INTO {table} ({', '.join(columns)})"
    added = connection.execute(f"{into} SELECT {values} FROM temp.numbers CROSS JOIN temp.mine").rowcount  # noqa: S608
    connection.execute("DROP TABLE temp.mine")
    return added


def _is_text(kind: str) -> bool:
    return kind.startswith(("VARCHAR", "JSON", "TEXT"))


def _renamed(connection: sqlite3.Connection, column: str, kind: str, names: dict[str, str]) -> str:
    """A column of the customer's rows, as an expression for the nth rows that are like them."""
    if column == '"thread_id"':
        return "printf('%08x', nth) || substr(thread_id, 9)"
    if column == '"answer"' and kind == "JSON":
        return "'{}'"  # of a command long ago: nobody reads it again, and it is half of the bytes
    if kind == "DATETIME":
        return f"strftime('%Y-%m-%d %H:%M:%f', {column}, '{_DAYS}')"
    renamed = column
    for name, new in names.items() if _is_text(kind) else ():
        if connection.execute(f"SELECT 1 FROM temp.mine WHERE instr({column}, '{name}')").fetchone():  # noqa: S608
            before, after = new.split("{}")
            renamed = f"replace({renamed}, '{name}', '{before}' || printf('%06d', nth) || '{after}')"
    return renamed
