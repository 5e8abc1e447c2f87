"""The sandbox: the outside world as the shop knows it, a card network and a parcel carrier, with a memory of its own.

It stands for all that the real ones are: another process, another database, slow or gone at the worst moment.
It reads no settings and knows no order. Test cards are in `sandbox_cards`, test addresses in `sandbox_parcels`.

`python -m agent.providers.sandbox_server --port PORT --data FILE` runs it as a process of its own.
"""

import argparse
import logging
import os
from pathlib import Path

import aiosqlite
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from agent.providers.sandbox_cards import card_routes
from agent.providers.sandbox_parcels import parcel_routes
from agent.providers.sandbox_webhooks import Announce, Announcer, nobody

_log = logging.getLogger(__name__)


def create_app(
    database: Path, *, slow_seconds: float = 3.0, hand_over_seconds: float = 0.0, announce: Announce = nobody
) -> FastAPI:
    """The outside world as an ASGI app. Requests open `database`.

    `slow_seconds` is what `tok_slow` takes, `hand_over_seconds` how long a parcel waits to be fetched. Every change
    is announced.
    """
    app = FastAPI(title="Sandbox card network and carrier", redirect_slashes=False)
    app.include_router(card_routes(database, slow_seconds, announce))
    app.include_router(parcel_routes(database, hand_over_seconds, announce))

    @app.exception_handler(aiosqlite.Error)
    async def database_failed(_: Request, error: aiosqlite.Error) -> JSONResponse:
        _log.error("the sandbox's own database failed", exc_info=error)
        return JSONResponse({"detail": "the sandbox's own database failed"}, 500)

    return app


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
    options = command_line("sandbox_server").parse_args()
    os.umask(0o077)  # its books are its own
    app = create_app(
        options.data,
        slow_seconds=options.slow_seconds,
        hand_over_seconds=options.hand_over_seconds,
        announce=Announcer(options.webhook_url, options.webhook_secret) if options.webhook_url else nobody,
    )
    uvicorn.run(app, host="127.0.0.1", port=options.port, access_log=False, timeout_graceful_shutdown=1)


if __name__ == "__main__":
    main()
