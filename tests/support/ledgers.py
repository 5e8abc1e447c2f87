"""Where a test's shop keeps its things: a folder of its own, with the ledger in it as SQLite.

With TEST_DATABASE_URL, a PostgreSQL server on which databases may be made, each ledger is a database there instead.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from sqlalchemy import make_url

from agent.ledger.schema import upgrade
from agent.settings import Settings


@contextmanager
def home(folder: Path, like: Settings | None = None, **more: Any) -> Iterator[Settings]:
    """Settings of a shop in `folder`: with nothing in its ledger, or with a copy of all that is in `like`."""
    if like:
        shutil.copytree(like.data_dir, folder, dirs_exist_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    server = os.environ.get("TEST_DATABASE_URL")
    with postgres_database(server, like.database_url if like else None) if server else nullcontext("") as url:
        made = Settings(data_dir=folder, database_url=url, **more)
        upgrade(made.ledger_url)
        yield made


@contextmanager
def postgres_database(server: str, like: str | None = None) -> Iterator[str]:
    """The URL of a database that goes away afterwards: empty, or a copy of the one at `like`."""
    url = make_url(server)
    name, template = f"test_{uuid4().hex}", make_url(like).database if like else "template0"
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
        yield url.set(database=name).render_as_string(hide_password=False)
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())
