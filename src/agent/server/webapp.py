"""The custom routes: /ops, what an operator and `desk` read from the ledger. Guarded by the same authentication.

On start it sees to it that the reconciler's cron exists.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from agent.identity import Caller, caller_of
from agent.ledger.database import Denied
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


@app.get("/ops/health")
async def health() -> dict[str, str]:
    """Open to anyone: whether the ledger answers."""
    await (await services()).reads.customer_exists("nobody")
    return {"status": "ok"}


@app.get("/ops/orders/{order_id}")
async def order(order_id: str, request: Request) -> dict[str, Any]:
    """An order as the ledger has it; customers see their own."""
    caller = _caller(request)
    shop = await services()
    try:
        view = await shop.reads.get(order_id, customer_id=caller.identity if caller.role == "customer" else None)
    except Denied as denial:
        raise HTTPException(404, f"{denial.rule}: {denial.sentence}") from denial
    return {**view, "approvals": await shop.approvals.of_order(order_id)}


@app.get("/ops/metrics")
async def metrics(request: Request) -> Response:
    """Prometheus metrics, for operators."""
    if _caller(request).role not in ("operator", "admin"):
        raise HTTPException(403, "metrics are for operators")
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def _caller(request: Request) -> Caller:
    try:
        return caller_of(request.user)
    except PermissionError as nobody:
        raise HTTPException(403, str(nobody)) from nobody
