"""Whether the ledger can be written, proved by writing: a full disk and a read-only folder show in nothing else."""

import asyncio
import shutil
import time
from typing import Final

from agent.ledger.database_errors import UNUSABLE
from agent.ledger.engines import ledger_file
from agent.ledger.heartbeat import Heartbeat

FRESH_SECONDS: Final = 5.0
"""How long an answer holds: whoever asks more often than that does not make the ledger write more often."""
LEAST_FREE_BYTES: Final = 2**20
"""Of the disk of an embedded ledger. What fits into pages that are there already may be written to a full disk."""


class Readiness:
    """One write for all who ask at the same time. `heartbeat` is what is written, `url` where."""

    def __init__(self, heartbeat: Heartbeat, url: str) -> None:
        self._heartbeat = heartbeat
        self._file = ledger_file(url)
        self._began = 0.0
        self._write: asyncio.Task[str | None] | None = None

    async def refusal(self, wait: float | None = None) -> str | None:
        """Why the ledger can't be written, None when it can; within `wait` seconds, or the database's own limits."""
        if self._write is None or (self._write.done() and time.monotonic() - self._began > FRESH_SECONDS):
            self._began, self._write = time.monotonic(), asyncio.create_task(self._proved())
        done, _ = await asyncio.wait((self._write,), timeout=wait)
        return self._write.result() if done else f"a write has not come through for {wait:g} s: something holds it up"

    async def _proved(self) -> str | None:
        try:
            await self._heartbeat.record()
        except UNUSABLE as error:
            return str(error)
        return await asyncio.to_thread(self._disk_refuses)

    def _disk_refuses(self) -> str | None:
        if self._file and shutil.disk_usage(self._file.parent).free < LEAST_FREE_BYTES:
            return f"the ledger's disk is full: less than {LEAST_FREE_BYTES >> 20} MiB is free"
        return None
