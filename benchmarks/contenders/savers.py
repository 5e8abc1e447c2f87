"""LangGraph's own checkpointers, as its documentation sets them up."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool


@asynccontextmanager
async def saver(folder: Path, url: str) -> AsyncIterator[Any]:
    """Checkpoints in PostgreSQL, through a pool of ten connections; without a URL in a SQLite file in the folder."""
    if not url:
        async with AsyncSqliteSaver.from_conn_string(str(folder / "checkpoints.db")) as sqlite:
            await sqlite.setup()
            yield sqlite
        return
    connection = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    async with AsyncConnectionPool[Any](url, min_size=10, max_size=10, kwargs=connection) as pool:
        postgres = AsyncPostgresSaver(pool)
        await postgres.setup()
        yield postgres
