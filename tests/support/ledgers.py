"""Where a test's shop keeps its things: a folder of its own, with the ledger in it as SQLite.

With TEST_DATABASE_URL, a PostgreSQL server on which databases may be made, each ledger is a database there instead.
"""

import atexit
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import psycopg
from sqlalchemy import URL, Engine, create_engine, make_url

from agent.ledger.schema import check, newest, upgrade
from agent.settings import Settings


@contextmanager
def home(folder: Path, like: Settings | None = None, **more: Any) -> Iterator[Settings]:
    """Settings of a shop in `folder`: with nothing in its ledger, or with a copy of all that is in `like`."""
    server = os.environ.get("TEST_DATABASE_URL")
    folder.mkdir(parents=True, exist_ok=True)
    if like:
        shutil.copytree(like.data_dir, folder, dirs_exist_ok=True)
    elif not server:
        new_ledger(folder)
    with postgres_database(server, like.database_url if like else None) if server else nullcontext("") as url:
        made = (like or Settings()).model_copy(update={"data_dir": folder, "database_url": url, **more})
        if server and not like:
            upgrade(made.ledger_url)
        yield made


def new_ledger(folder: Path) -> str:
    """A `ledger.db` with nothing in it; its URL. A copy of one made before, which takes a hundredth of the time."""
    shutil.copytree(_made_before(), folder, dirs_exist_ok=True)
    return f"sqlite:///{folder / 'ledger.db'}"


@cache
def _made_before() -> Path:
    folder = TemporaryDirectory()
    atexit.register(folder.cleanup)
    upgrade(Settings(data_dir=Path(folder.name)).ledger_url)
    return Path(folder.name)


@contextmanager
def postgres_database(server: str, like: str | None = None) -> Iterator[str]:
    """The URL of a database that goes away afterwards: empty, or a copy of the one at `like`."""
    url = make_url(server)
    name, template = f"test_{uuid4().hex}", make_url(like).database if like else "template0"
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
        yield url.set(database=name).render_as_string(hide_password=False)
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def engine_with_shared_statements(url: URL, **options: Any) -> Engine:
    """`create_engine`, with what all engines of a process have compiled: tests have one each, and ask the same.

    SQLAlchemy keeps compiled statements by engine and dialect. Each SQLite engine gets those of the first; another
    database's says at its first connection what it can, and keeps its own.
    """
    made = create_engine(url, **options)
    if url.get_backend_name() == "sqlite":
        made.dialect = made.pool._dialect = _first().dialect
        made._compiled_cache = _first()._compiled_cache
    return made


@cache
def _first() -> Engine:
    engine = create_engine("sqlite://", query_cache_size=5000)
    engine.connect().close()
    return engine


def upgraded_at_once(url: str) -> None:
    """Three programs upgrade an empty ledger at the same time: one does it, and the others find it done."""
    program = "import sys; from agent.ledger.schema import check, newest, upgrade; print(upgrade(sys.argv[1])[0])"
    started = [
        subprocess.Popen([sys.executable, "-c", program, url], stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    before = sorted(process.communicate()[0].strip() for process in started)
    assert before == sorted(["None", newest(), newest()])
    check(url)
