"""The custom routes: /ops, guarded by the same authentication, and /webhooks, guarded by signatures.

On start it sees to it that the reconciler's cron exists.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from agent.server import breakers, orders, webhooks
from agent.server.callers import caller_of_request
from agent.server.cron import keep_one_cron
from agent.services import services
from agent.settings import settings


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Look after the cron in the background: the port does not listen yet."""
    config = await asyncio.to_thread(settings)
    task = asyncio.create_task(keep_one_cron(config), name="keep_one_cron")
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


app = FastAPI(title="Order desk operations", lifespan=lifespan)
app.router.routes += [*breakers.router.routes, *orders.router.routes, *webhooks.router.routes]
"""Each by itself: the platform puts its authentication around each, and refuses to start on an included router."""


@app.get("/ops/health")
async def health() -> dict[str, str]:
    """Open to anyone: whether the ledger answers."""
    await (await services()).reads.customer_exists("nobody")
    return {"status": "ok"}


@app.get("/ops/metrics")
async def metrics(request: Request) -> Response:
    """Prometheus metrics, for operators."""
    caller_of_request(request, "operator", "admin")
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
