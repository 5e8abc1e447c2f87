"""The platform's API, as far as the server calls it itself: threads, runs and crons in lists, behind the real SDK.

It knows no rules and runs nothing. That the real platform answers the same way is what the integration tests show.
"""

from typing import Annotated, Any
from uuid import uuid4

import httpx
from fastapi import Depends, FastAPI, HTTPException, Request
from langgraph_sdk.client import LangGraphClient
from starlette.types import Receive, Scope, Send


class Platform:
    """Threads and crons as a test puts them; what was asked of it in `runs` and `created`.

    `broken`: paths that fail, with the status that they fail with.
    """

    def __init__(self) -> None:
        self.threads: dict[str, dict[str, Any]] = {}
        self.created: list[str] = []
        self.runs: list[tuple[str, dict[str, Any]]] = []
        self.crons: list[dict[str, Any]] = []
        self.broken: dict[str, int] = {}
        self.client = LangGraphClient(
            httpx.AsyncClient(transport=httpx.ASGITransport(self), base_url="http://platform")
        )

    def thread(self, thread_id: str, status: str, *, graph: str = "order_processing", **more: Any) -> None:
        """Put a thread there."""
        self.threads[thread_id] = {"thread_id": thread_id, "status": status, "metadata": {"graph_id": graph}} | more

    def cron(self, cron_id: str, schedule: str, created_at: str) -> None:
        """Put a cron of the reconciler there."""
        self.crons.append({"cron_id": cron_id, "schedule": schedule, "created_at": created_at})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer by the routes below, which are the same for every platform and are made once."""
        await _app({**scope, "platform": self}, receive, send)


def _asked(request: Request) -> Platform:
    platform: Platform = request.scope["platform"]
    if status := platform.broken.get(request.url.path):
        raise HTTPException(status, "broken")
    return platform


Asked = Annotated[Platform, Depends(_asked)]

_app = FastAPI()


@_app.get("/threads/{thread_id}")
async def _get(thread_id: str, platform: Asked) -> dict[str, Any]:
    if thread_id not in platform.threads:
        raise HTTPException(404)
    return platform.threads[thread_id]


@_app.post("/threads")
async def _create(request: Request, platform: Asked) -> dict[str, Any]:
    body = await request.json()
    assert body["if_exists"] == "do_nothing"
    platform.created.append(body["thread_id"])
    platform.thread(body["thread_id"], "idle", metadata=body["metadata"])
    return platform.threads[body["thread_id"]]


@_app.post("/threads/search")
async def _search(request: Request, platform: Asked) -> list[dict[str, Any]]:
    body = await request.json()
    found = [
        thread
        for thread in platform.threads.values()
        if thread["thread_id"] in (body.get("ids") or platform.threads) and thread["status"] == body["status"]
    ]
    return found[body.get("offset", 0) :][: body["limit"]]


@_app.patch("/threads/{thread_id}", status_code=204)
async def _update(thread_id: str, request: Request, platform: Asked) -> None:
    if thread_id not in platform.threads:
        raise HTTPException(404)
    platform.threads[thread_id]["metadata"] |= (await request.json())["metadata"]


@_app.post("/threads/{thread_id}/runs")
async def _run(thread_id: str, request: Request, platform: Asked) -> dict[str, Any]:
    platform.runs.append((thread_id, await request.json()))
    return {"run_id": str(uuid4()), "thread_id": thread_id, "status": "pending"}


@_app.post("/runs")
async def _run_on_no_thread(request: Request, platform: Asked) -> dict[str, Any]:
    body = await request.json()
    platform.runs.append((body["assistant_id"], body))
    return {"run_id": str(uuid4()), "thread_id": None, "status": "pending"}


@_app.post("/assistants/search")
async def _assistants(_: Asked) -> list[dict[str, Any]]:
    return [{"assistant_id": "reconciler-1", "graph_id": "reconciler"}]


@_app.post("/runs/crons/search")
async def _crons(platform: Asked) -> list[dict[str, Any]]:
    return platform.crons


@_app.post("/runs/crons")
async def _new_cron(request: Request, platform: Asked) -> dict[str, Any]:
    body = await request.json()
    platform.cron(f"cron-{len(platform.crons) + 1}", body["schedule"], "2026-06-01T12:00:00+00:00")
    return platform.crons[-1]


@_app.delete("/runs/crons/{cron_id}")
async def _delete(cron_id: str, platform: Asked) -> None:
    platform.crons = [cron for cron in platform.crons if cron["cron_id"] != cron_id]
