"""What both rooms of the sandbox stand on: effects by idempotency key in one SQLite file, and work in the background.

The file may be shared by several processes. No card and no parcel is known here.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import aiosqlite
from fastapi import Depends, Header, HTTPException
from pydantic import BaseModel, ConfigDict


class NoBody(BaseModel):
    """Nothing but the idempotency key."""

    model_config = ConfigDict(extra="forbid")


async def _given(idempotency_key: Annotated[str | None, Header(max_length=250)] = None) -> str:
    if not idempotency_key:
        raise HTTPException(400, "send an Idempotency-Key header")
    return idempotency_key


IdempotencyKey = Annotated[str, Depends(_given)]
"""The header of a request that has an effect. 400 without it."""


@asynccontextmanager
async def transaction(database: Path, tables: tuple[str, ...]) -> AsyncIterator[aiosqlite.Connection]:
    """A connection for one transaction, after `tables` (statements) were seen to: nothing stays open.

    Everyone takes the write lock first and waits for it. Not WAL: switching a new file to it fails with
    "database is locked" when two first requests race, whatever the timeout.
    """
    await asyncio.to_thread(database.parent.mkdir, parents=True, exist_ok=True)
    async with aiosqlite.connect(database, timeout=15, isolation_level=None) as db:
        db.row_factory = aiosqlite.Row
        await db.execute("BEGIN IMMEDIATE")
        for table in tables:
            await db.execute(table)
        yield db
        await db.commit()  # not reached after an error: closing rolls back


async def row(db: aiosqlite.Connection, query: str, value: str) -> dict[str, Any] | None:
    """The first row of a query with one parameter."""
    async with db.execute(query, (value,)) as cursor:
        found = await cursor.fetchone()
    return dict(found) if found else None


def same_parameters(key: str, known: dict[str, Any], asked: BaseModel) -> None:
    """409 when the key was used before with other parameters."""
    if differing := [name for name, value in asked.model_dump().items() if known[name] != value]:
        raise HTTPException(409, f"idempotency key {key!r} was used before with another {', '.join(differing)}")


_running: set[asyncio.Task[None]] = set()


def in_background(work: Coroutine[Any, Any, None]) -> None:
    """Start work for which no request waits. The loop knows tasks weakly only, so they are held here."""
    task = asyncio.create_task(work)
    _running.add(task)
    task.add_done_callback(_running.discard)
