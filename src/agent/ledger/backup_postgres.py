"""Backups of a ledger on PostgreSQL: `pg_dump`'s custom format, read and put back by PostgreSQL's own tools.

A dump holds the schema `public`, all of which is the ledger's.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, Any, Final

from sqlalchemy import URL, inspect, text

from agent.ledger.contents import MONEY, VERSION_TABLE, BackupError, Contents, contents
from agent.ledger.engines import driver_url, sync_engine
from agent.ledger.objects import strangers_in_archive

_COPY: Final = re.compile(r'COPY public\."?(\w+)"? \((.*)\) FROM stdin;\n')


def save(url: str, file: Path, say: Callable[[str], None]) -> Contents:  # noqa: ARG001
    """Copy the ledger into the file; returns what was in it at that moment."""
    with sync_engine(url).connect().execution_options(isolation_level="REPEATABLE READ") as live:
        snapshot = live.scalar(text("SELECT pg_export_snapshot()"))  # counts and copy see one moment
        taken = contents(live)
        if taken.revision is None:
            raise BackupError("there is no ledger in that database")
        where, env = _where(url)
        _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--table=public.*",
             f"--snapshot={snapshot}", f"--file={file}", where, env=env)  # fmt: skip
    return taken


def read(file: Path) -> Contents:
    """Read a backup from end to end. Raises `BackupError` when it is none, or broken."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as script:
        _run("pg_restore", "--data-only", "--file=-", str(file), stdout=script)
        script.seek(0)
        return _counted(script)


def strangers(file: Path, revision: str) -> list[str]:  # noqa: ARG001
    """What the backup holds besides tables and what belongs to them."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as listing:
        _run("pg_restore", "--list", str(file), stdout=listing)
        listing.seek(0)
        return strangers_in_archive(listing)


def load(url: str, file: Path, kept: Contents, say: Callable[[str], None]) -> None:
    """Put a backup in the place of what is there, in one transaction, which proves its numbers before it ends."""
    with sync_engine(url).connect() as live:
        there = inspect(live).get_table_names()
        where, env = _where(url)
    before = ["BEGIN;", "SET client_min_messages = warning;", "SET LOCAL lock_timeout = '60s';"]
    before += [f'DROP TABLE public."{name}" CASCADE;' for name in there]
    with tempfile.TemporaryFile("w+b") as script:
        script.write("\n".join([*before, ""]).encode())
        script.flush()
        _run("pg_restore", "--no-owner", "--no-privileges", "--file=-", str(file), stdout=script)
        script.seek(0, os.SEEK_END)
        script.write(f"DO $$BEGIN {_assertions(kept)} END$$;\nCOMMIT;\n".encode())
        script.seek(0)
        say("writing the tables")
        _run("psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", where, stdin=script, env=env)


def _assertions(kept: Contents) -> str:
    """The numbers as PL/pgSQL; names and numbers are those of a dump whose every statement is about to be run."""
    numbers = {f'count(*) FROM public."{table}"': rows for table, rows in kept.rows.items()} | {
        f'coalesce(sum("{column}"), 0) FROM public."{table}"': amount
        for (table, column), amount in ((name.split("."), amount) for name, amount in kept.money.items())
    }
    return " ".join(f"ASSERT (SELECT {what}) = {number}, '{what}';" for what, number in numbers.items())


def _counted(script: Iterable[str]) -> Contents:
    """What a dump's `COPY` blocks hold: a line a row, columns between tabs."""
    revision: str | None = None
    rows: dict[str, int] = {}
    money: dict[str, int] = {}
    lines = iter(script)
    for line in lines:
        if not (block := _COPY.fullmatch(line)):
            continue
        table, columns = block[1], [column.strip('" ') for column in block[2].split(",")]
        amounts = {f"{table}.{name}": columns.index(name) for name in MONEY if name in columns}
        money |= dict.fromkeys(amounts, 0)
        rows[table] = 0
        for row in iter(lambda: next(lines).rstrip("\n"), "\\."):
            cells = row.split("\t")
            rows[table] += 1
            for name, place in amounts.items():
                money[name] += int(cells[place])
            if table == VERSION_TABLE:
                revision = cells[0]
    rows.pop(VERSION_TABLE, None)
    return Contents(revision, dict(sorted(rows.items())), money)


def _run(
    tool: str,
    *arguments: str,
    stdin: IO[Any] | None = None,
    stdout: IO[Any] | int = subprocess.DEVNULL,
    env: dict[str, str] | None = None,
) -> None:
    """Run one of PostgreSQL's tools. Raises `BackupError` with its first complaint."""
    if shutil.which(tool) is None:
        raise BackupError(
            f"{tool} is not installed: it comes with PostgreSQL (Debian: apt-get install postgresql-client)"
        )
    done = subprocess.run(  # noqa: S603  (a tool of PostgreSQL's by name, arguments of ours, no shell)
        [tool, *arguments], stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, env=env, text=True, check=False
    )
    if done.returncode:
        complaint = next(iter(done.stderr.strip().splitlines()), f"{tool} ended with {done.returncode}")
        raise BackupError(complaint)


def _where(url: str) -> tuple[str, dict[str, str]]:
    """Where the database is, for a command line, and the environment with the password, which must not be on one."""
    of = driver_url(url)
    bare = URL.create("postgresql", of.username, None, of.host, of.port, of.database, of.query)
    return f"--dbname={bare}", {**os.environ} | ({"PGPASSWORD": str(of.password)} if of.password else {})
