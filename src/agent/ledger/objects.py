"""What a database holds besides rows: tables, columns, indexes. Whatever is not of a ledger acts in its name unseen."""

import re
from collections.abc import Iterable
from functools import cache
from typing import Final

from sqlalchemy import Connection, create_engine, text

from agent.ledger.schema import one_at_a_time, take_steps

SchemaObject = tuple[str, str, str]
"""Kind, name, and the table that it belongs to."""

_OWN_KINDS: Final = frozenset(
    ("SCHEMA", "TABLE", "TABLE DATA", "DEFAULT", "CONSTRAINT", "FK CONSTRAINT", "CHECK CONSTRAINT", "INDEX", "SEQUENCE",
     "SEQUENCE OWNED BY", "SEQUENCE SET", "COMMENT")
)  # fmt: skip
"""What an archive of pg_dump lists of a ledger."""
_ENTRY: Final = re.compile(r"\d+; \d+ \d+ (?P<kind>[A-Z]+(?: [A-Z]+)*) (?:\S+) (?P<name>.+) \S*\n?")


def strangers(connection: Connection, revision: str) -> list[str]:
    """What is in this database and in no ledger of that revision, in words."""
    if connection.dialect.name == "sqlite":
        return [f"{kind} {name} of {of}" for kind, name, of in sorted(_in_sqlite(connection) - _of_ledger(revision))]
    return [f"{kind} {name}" for kind, name in connection.execute(text(_IN_POSTGRES))]


def strangers_in_archive(listing: Iterable[str]) -> list[str]:
    """The same of what `pg_restore --list` says; which tables are a ledger's is for the schema to say."""
    entries = (_ENTRY.fullmatch(line) for line in listing if line.strip() and not line.startswith(";"))
    return [
        "an entry that can't be read" if entry is None else f"{entry['kind'].lower()} {entry['name']}"
        for entry in entries
        if entry is None or entry["kind"] not in _OWN_KINDS
    ]


@cache
def _of_ledger(revision: str) -> set[SchemaObject]:
    """What the steps to that revision make of an empty database."""
    with one_at_a_time, create_engine("sqlite://").begin() as fresh:
        take_steps(fresh, revision)
        return _in_sqlite(fresh)


def _in_sqlite(connection: Connection) -> set[SchemaObject]:
    listed = connection.execute(text("SELECT type, name, tbl_name FROM sqlite_schema"))
    found = {
        (kind, name, of)
        for kind, name, of in listed
        if not (kind in ("table", "index") and name.startswith("sqlite_"))  # SQLite's own
    }
    columns = text("SELECT name || CASE hidden WHEN 0 THEN '' ELSE ' (generated)' END FROM pragma_table_xinfo(:name)")
    for table in {name for kind, name, _ in found if kind == "table"}:
        found |= {("column", name, table) for (name,) in connection.execute(columns, {"name": table})}
    return found


_IN_POSTGRES: Final = """
    SELECT 'trigger', tgname || ' of ' || tgrelid::regclass FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT 'view', viewname FROM pg_views WHERE schemaname = 'public'
    UNION ALL SELECT 'rule', rulename || ' of ' || tablename FROM pg_rules WHERE schemaname = 'public'
    UNION ALL SELECT 'function', proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT 'policy', policyname || ' of ' || tablename FROM pg_policies WHERE schemaname = 'public'
    ORDER BY 1, 2
"""
