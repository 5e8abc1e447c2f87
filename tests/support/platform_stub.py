"""The platform's API, as far as the server calls it itself: threads, runs and crons in lists, behind the real SDK.

It knows no rules and runs nothing. That the real platform answers the same way is what the integration tests show.
"""

from typing import Any
from uuid import uuid4

import httpx
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from langgraph_sdk.client import LangGraphClient


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
            httpx.AsyncClient(transport=httpx.ASGITransport(self._app()), base_url="http://platform")
        )

    def thread(self, thread_id: str, status: str, *, graph: str = "order_processing", **more: Any) -> None:
        """Put a thread there."""
        self.threads[thread_id] = {"thread_id": thread_id, "status": status, "metadata": {"graph_id": graph}} | more

    def cron(self, cron_id: str, schedule: str, created_at: str) -> None:
        """Put a cron of the reconciler there."""
        self.crons.append({"cron_id": cron_id, "schedule": schedule, "created_at": created_at})

    def _app(self) -> FastAPI:
        app = FastAPI()

        @app.middleware("http")
        async def fail(request: Request, call_next: Any) -> Any:
            if status := self.broken.get(request.url.path):
                return JSONResponse({"detail": "broken"}, status)
            return await call_next(request)

        @app.get("/threads/{thread_id}")
        async def get(thread_id: str) -> dict[str, Any]:
            if thread_id not in self.threads:
                raise HTTPException(404)
            return self.threads[thread_id]

        @app.post("/threads")
        async def create(request: Request) -> dict[str, Any]:
            body = await request.json()
            assert body["if_exists"] == "do_nothing"
            self.created.append(body["thread_id"])
            self.thread(body["thread_id"], "idle", metadata=body["metadata"])
            return self.threads[body["thread_id"]]

        @app.post("/threads/search")
        async def search(request: Request) -> list[dict[str, Any]]:
            body = await request.json()
            found = [
                thread
                for thread in self.threads.values()
                if thread["thread_id"] in (body.get("ids") or self.threads) and thread["status"] == body["status"]
            ]
            return found[body.get("offset", 0) :][: body["limit"]]

        @app.patch("/threads/{thread_id}", status_code=204)
        async def update(thread_id: str, request: Request) -> None:
            if thread_id not in self.threads:
                raise HTTPException(404)
            self.threads[thread_id]["metadata"] |= (await request.json())["metadata"]

        @app.post("/threads/{thread_id}/runs")
        async def run(thread_id: str, request: Request) -> dict[str, Any]:
            self.runs.append((thread_id, await request.json()))
            return {"run_id": str(uuid4()), "thread_id": thread_id, "status": "pending"}

        @app.post("/runs")
        async def run_on_no_thread(request: Request) -> dict[str, Any]:
            body = await request.json()
            self.runs.append((body["assistant_id"], body))
            return {"run_id": str(uuid4()), "thread_id": None, "status": "pending"}

        @app.post("/assistants/search")
        async def assistants() -> list[dict[str, Any]]:
            return [{"assistant_id": "reconciler-1", "graph_id": "reconciler"}]

        @app.post("/runs/crons/search")
        async def crons() -> list[dict[str, Any]]:
            return self.crons

        @app.post("/runs/crons")
        async def new_cron(request: Request) -> dict[str, Any]:
            body = await request.json()
            self.cron(f"cron-{len(self.crons) + 1}", body["schedule"], "2026-06-01T12:00:00+00:00")
            return self.crons[-1]

        @app.delete("/runs/crons/{cron_id}")
        async def delete(cron_id: str) -> None:
            self.crons = [cron for cron in self.crons if cron["cron_id"] != cron_id]

        return app
