"""The sandbox: the outside world as the shop knows it, a card network and a parcel carrier, with a memory of its own.

It stands for all that the real ones are: another process, another database, slow or gone at the worst moment.
It reads no settings and knows no order. Test cards are in `cards`, test addresses in `parcels`.

`python -m sandbox --port PORT --data FILE` runs it as a process of its own.
"""

import argparse
import logging
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.announcer import Announce, Announcer, nobody
from sandbox.cards import CARD_TABLES, card_routes
from sandbox.file import SandboxFile
from sandbox.parcels import PARCEL_TABLES, parcel_routes
from sandbox.requests import UnreadableError, refused, unreadable

_log = logging.getLogger(__name__)


class Sandbox(Starlette):
    """The outside world as an ASGI app, to be closed when no more requests come; a server does that as it ends.

    `slow_seconds` is what `tok_slow` takes, `hand_over_seconds` how long a parcel waits to be fetched. Every change
    is announced.
    """

    def __init__(
        self,
        database: Path,
        *,
        slow_seconds: float = 3.0,
        hand_over_seconds: float = 0.0,
        announce: Announce = nobody,
    ) -> None:
        self._file = SandboxFile(database, (*CARD_TABLES, *PARCEL_TABLES))
        super().__init__(
            routes=[
                *card_routes(self._file, slow_seconds, announce),
                *parcel_routes(self._file, hand_over_seconds, announce),
            ],
            exception_handlers={
                HTTPException: refused,
                UnreadableError: unreadable,
                sqlite3.Error: _database_failed,
            },
            lifespan=_closed_at_the_end,
        )
        self.router.redirect_slashes = False

    async def close(self) -> None:
        """Close the file."""
        await self._file.close()


class InProcess(httpx.ASGITransport):
    """The wire to a sandbox in this process; closing the client closes the sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self._sandbox = sandbox

    async def aclose(self) -> None:
        """Close the sandbox."""
        await self._sandbox.close()


@asynccontextmanager
async def _closed_at_the_end(sandbox: Sandbox) -> AsyncIterator[None]:
    yield
    await sandbox.close()


async def _database_failed(_: Request, error: Exception) -> Response:
    _log.error("the sandbox's own database failed", exc_info=error)
    return JSONResponse({"detail": "the sandbox's own database failed"}, 500)


def command_line(prog: str) -> argparse.ArgumentParser:
    """The options of an outside world that is a process of its own."""
    parser = argparse.ArgumentParser(prog=prog, description="A fake card network and parcel carrier.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True, help="SQLite file of the sandbox's own ledger")
    parser.add_argument("--slow-seconds", type=float, default=3.0, help="how long tok_slow takes to answer")
    parser.add_argument("--hand-over-seconds", type=float, default=0.0, help="how long a parcel waits to be fetched")
    parser.add_argument("--webhook-url", default="", help="where changes are announced; nowhere without it")
    parser.add_argument("--webhook-secret", default="", help="what webhooks are signed with: whsec_ and base64")
    return parser


def main() -> None:
    """Serve the outside world on loopback until a signal ends it; a port in use is an error."""
    options = command_line("python -m sandbox").parse_args()
    os.umask(0o077)  # its books are its own
    app = Sandbox(
        options.data,
        slow_seconds=options.slow_seconds,
        hand_over_seconds=options.hand_over_seconds,
        announce=Announcer(options.webhook_url, options.webhook_secret) if options.webhook_url else nobody,
    )
    uvicorn.run(app, host="127.0.0.1", port=options.port, access_log=False, timeout_graceful_shutdown=1)
