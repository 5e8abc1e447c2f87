"""Threads on disk, for one machine that keeps everything (`desk serve`): LangGraph's own SQLite checkpointer.

`langgraph dev` keeps checkpoints in memory, and a kill loses what it has not written. What it knows of threads it still
keeps there: after a kill it would never sweep those that nobody asks for again, so a start does.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from agent.settings import settings

KEPT_SECONDS: Final = 90 * 86_400.0
"""After a thread was last used; as `checkpointer.ttl` of langgraph.json."""
_FROM_1582: Final = 12_219_292_800
"""Seconds from the beginning of the calendar of UUIDs (RFC 9562) to that of Unix."""


@asynccontextmanager
async def checkpointer() -> AsyncIterator[AsyncSqliteSaver]:
    """Checkpoints in DATA_DIR."""
    config = await asyncio.to_thread(settings)
    async with AsyncSqliteSaver.from_conn_string(str(config.threads_file)) as saver:
        await saver.setup()
        await sweep(saver, time.time() - KEPT_SECONDS)
        yield saver


async def sweep(saver: AsyncSqliteSaver, before: float) -> None:
    """Delete threads that were last used before this Unix time. A checkpoint's id is a UUID of version 6: its time."""
    ticks = int((before + _FROM_1582) * 10_000_000)
    first = f"{ticks >> 28:08x}-{ticks >> 12 & 0xFFFF:04x}-6"
    query = "SELECT thread_id FROM checkpoints GROUP BY thread_id HAVING max(checkpoint_id) < ?"
    async with saver.conn.execute(query, (first,)) as found:
        threads = [str(row[0]) async for row in found]
    for thread_id in threads:
        await saver.adelete_thread(thread_id)
