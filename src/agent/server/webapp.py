"""The custom routes: /ops, guarded by the same authentication, /webhooks, guarded by signatures, and /desk, the page.

While it is up it sees to it that the reconciler runs, and remembers the last hour.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST

from agent.drain import DRAIN
from agent.identity import STUDIO_IDENTITY, owner_of
from agent.ledger.database_errors import DatabaseConflictError, DatabaseUnavailableError, LedgerDamagedError
from agent.ledger.repair_hints import in_one_line
from agent.ledger.schema import SchemaError
from agent.observability.events import emit, listening
from agent.server import (
    approval_routes,
    breaker_routes,
    comparison_routes,
    limits,
    order_routes,
    overview_routes,
    return_routes,
    story_routes,
    ticket_routes,
    webhook_routes,
)
from agent.server.callers import caller_of_request
from agent.server.disclosure import Disclosure
from agent.server.edge import RETRY_SECONDS, Edge
from agent.server.recent import RECENT, keep_sampling
from agent.server.revocation import Revocation
from agent.server.scrape import leave, scraped
from agent.server.stopping import stopping_in_order
from agent.server.watchdog import how_reconciler_is, watch_reconciler
from agent.services import services
from agent.settings import settings
from agent.web import routes as desk_routes

HEALTH_WAITS_SECONDS: Final = 1.0
"""How long `/ops/health` waits for a write to come through before it says that none does."""


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Look after the reconciler, keep the last hour, and stop in order: the port does not listen yet."""
    config = await asyncio.to_thread(settings)
    with listening(RECENT.hear):
        tasks = [asyncio.create_task(each) for each in (watch_reconciler(config), keep_sampling())]
        async with stopping_in_order(config.drain_seconds):
            yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    await limits.close()
    leave()


app = FastAPI(title="Order desk operations", lifespan=lifespan)
app.add_middleware(Disclosure)
app.add_middleware(Revocation)
app.add_middleware(Edge)  # the outermost, before authentication: see `edge`


@app.get("/desk/try.js", include_in_schema=False)
async def try_it(request: Request) -> Response:
    """The desk's page on which one is a customer, for development: in production the module is empty, and the shell
    offers no such page."""
    config = await asyncio.to_thread(settings)
    if config.environment == "production":
        return Response("export {};\n", media_type=desk_routes.KINDS[".js"], headers=desk_routes.HEADERS)
    return await desk_routes.asset("try.js", request)


for _room in (
    approval_routes,
    breaker_routes,
    comparison_routes,
    desk_routes,
    order_routes,
    overview_routes,
    return_routes,
    story_routes,
    ticket_routes,
    webhook_routes,
):
    app.router.routes += _room.router.routes
"""Each by itself: the platform puts its authentication around each, and refuses to start on an included router."""


@app.exception_handler(RequestValidationError)
async def unreadable(_: Request, wrong: RequestValidationError) -> JSONResponse:
    """HTTP 422 with the fields at fault; what was sent is not repeated, and could not always be."""
    faults = [{"loc": error["loc"], "msg": error["msg"], "type": error["type"]} for error in wrong.errors()]
    return JSONResponse({"detail": faults}, 422)


@app.exception_handler(DatabaseUnavailableError)
@app.exception_handler(DatabaseConflictError)
@app.exception_handler(LedgerDamagedError)
@app.exception_handler(SchemaError)
async def unusable(_: Request, error: Exception) -> JSONResponse:
    """HTTP 503: the ledger can't be used now, nothing was changed, and why; the log has what an operator can do."""
    emit("ledger.unusable", why=await asyncio.to_thread(lambda: in_one_line(error, settings().ledger_url)))
    return JSONResponse({"detail": str(error)}, 503, {"retry-after": str(RETRY_SECONDS)})


@app.get("/ops/health")
async def health() -> dict[str, str | None]:
    """Open to anyone, and answered while nobody can write: whether the ledger is read and written, and the reconciler
    runs. HTTP 503 when it can't even be read."""
    shop = await services()
    last = await shop.heartbeat.last()
    refusal = await shop.readiness.refusal(HEALTH_WAITS_SECONDS)
    return {
        "status": "read-only" if refusal else "ok",
        **({"why": refusal} if refusal else {}),
        "reconciler": how_reconciler_is(shop, last),
        "reconciler_last_run": last.isoformat() if last else None,
    }


@app.get("/ops/me")
async def me(request: Request) -> dict[str, str]:
    """Who the caller is to this server. `owner` is whose their threads are, and in their orders' thread ids."""
    caller = caller_of_request(request)
    return {"identity": caller.identity, "role": caller.role, "owner": owner_of(caller)}


@app.get("/ops/ready")
async def ready() -> JSONResponse:
    """Open to anyone: whether orders can be taken. HTTP 503, and why, while the ledger can't be written, and while
    this worker stops."""
    if DRAIN.begun:
        return JSONResponse({"status": "draining"}, 503, {"retry-after": str(RETRY_SECONDS)})
    refusal = await (await services()).readiness.refusal()
    if refusal:
        return JSONResponse({"status": "not ready", "why": refusal}, 503, {"retry-after": str(RETRY_SECONDS)})
    return JSONResponse({"status": "ready"})


@app.get("/info")
async def info(request: Request) -> dict[str, Any]:
    """For whoever has a token, and Studio: by it UIs see whether they reach a server. The platform's own is open to
    anyone, so `disable_meta` closes it."""
    if getattr(request.user, "identity", None) != STUDIO_IDENTITY:
        caller_of_request(request)
    return {
        "version": version(getattr(app.state, "engine", "langgraph-api")),
        "langgraph_py_version": version("langgraph"),
        "flags": {"assistants": True, "crons": False, "langsmith": False},
    }


@app.get("/ops/metrics")
async def metrics(request: Request) -> Response:
    """Prometheus metrics, for operators: of this host's workers, and what the ledger knows."""
    caller_of_request(request, "operator", "admin")
    return Response(await scraped(), media_type=CONTENT_TYPE_LATEST)
