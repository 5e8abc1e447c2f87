"""A stub of the server: the endpoints that `desk` speaks to, on loopback, saying what a test scripts.

It knows no rules. That the real server speaks the same way is what the integration tests show.
"""

import json
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse

from agent.approvals.models import ApprovalView, QuestionView

DUE = "2030-01-02T12:00:00+00:00"

Script = Callable[["Call"], Awaitable[Response]]


@dataclass(frozen=True)
class Call:
    """One request that came in. `path` is as it was on the wire, escapes and all."""

    method: str
    path: str
    api_keys: list[str]
    body: Any
    idempotency_key: str | None = None


@dataclass
class Stub:
    """Answers each path as scripted, 404 otherwise, and keeps what was asked."""

    url: str = ""
    calls: list[Call] = field(default_factory=list)
    scripts: dict[str, Script] = field(default_factory=dict)

    def on(self, path: str, answer: object = None, *, status: int = 200) -> None:
        """Answer `path` with this JSON."""

        async def script(_: Call) -> Response:
            return Response(json.dumps(answer), status, media_type="application/json")

        self.scripts[path] = script

    def on_run(self, thread_id: str, *events: tuple[str, object]) -> None:
        """Answer a streamed run on a thread with these events."""

        async def script(_: Call) -> Response:
            return stream(*events)

        self.scripts[f"/threads/{thread_id}/runs/stream"] = script

    def on_search(self, *threads: dict[str, Any]) -> None:
        """Answer a search for threads: those that match, page by page."""

        async def script(call: Call) -> Response:
            found = [
                thread
                for thread in threads
                if all(_contains(thread[part], call.body.get(part, {})) for part in ("metadata", "values"))
            ]
            page = found[call.body["offset"] :][: call.body["limit"]]
            return Response(json.dumps(page), media_type="application/json")

        self.scripts["/threads/search"] = script

    def on_approval(self, view: ApprovalView, *before: dict[str, Any], taken: bool = True) -> None:
        """Answer what became of a request: `before` was said to it, and then, if it was `taken`, each answer sent."""

        async def script(_: Call) -> Response:
            sent = [call for call in self.calls if call.path.endswith("/runs/stream")] if taken else []
            said = [*before, *(said_to(mine=True) for _ in sent)]
            return Response(json.dumps({**view, "decisions": said}), media_type="application/json")

        self.scripts[f"/ops/approvals/{view['request_id']}"] = script

    def body_of(self, path: str) -> Any:
        """What was sent to `path`, the last time."""
        return [call.body for call in self.calls if call.path == path][-1]


def _contains(whole: Any, part: Any) -> bool:
    """As `langgraph dev` compares what is searched for: objects key by key, anything else must be equal."""
    if isinstance(whole, dict) and isinstance(part, dict):
        return all(key in whole and _contains(whole[key], value) for key, value in part.items())
    return bool(whole == part)


def broken_stream(*events: tuple[str, object]) -> Response:
    """Server-sent events, and then the connection is cut, as by a server that is killed."""

    async def body() -> AsyncIterator[str]:
        for name, data in events:
            yield f"event: {name}\ndata: {json.dumps(data)}\n\n"
        raise BrokenStreamError

    return StreamingResponse(body(), media_type="text/event-stream")


class BrokenStreamError(Exception):
    """Makes the server cut the connection in the middle of an answer."""


def stream(*events: tuple[str, object]) -> Response:
    """Server-sent events, as the platform writes them."""
    text = "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in events)
    return Response(text, media_type="text/event-stream")


def approval(request_id: str = "ap-1", **changes: Any) -> ApprovalView:
    """An open request to charge a large order."""
    args = {"amount": "1,234.50", "currency": "USD", "reason": "large order"}
    view = ApprovalView(
        action_requests=[
            {"name": "ChargeOrder", "args": args, "arguments": args, "description": "Charge 1,234.50 USD for W-1"}
        ],
        review_configs=[
            {"action_name": "ChargeOrder", "allowed_decisions": ["approve", "edit", "reject"]},
        ],
        request_id=request_id,
        case="large_order",
        subject="C-1",
        order_id="W-1",
        asked_by="shop",
        roles=["order_manager"],
        step=1,
        steps=2,
        due=DUE,
        action_hash="0" * 64,
        status="open",
        note="",
        refused=None,
    )
    return {**view, **changes}  # type: ignore[typeddict-item]


def interrupted(thread_id: str, view: object, *, graph: str = "order_processing", **noted: str) -> dict[str, Any]:
    """A thread that waits, as the search gives it; `noted` in its metadata."""
    return {
        "thread_id": thread_id,
        "metadata": {"graph_id": graph, **noted},
        "status": "interrupted",
        "values": {"approval": view},
        "interrupts": {"task-1": [{"id": f"interrupt-of-{thread_id}", "value": view}]},
    }


def question(text: str, answer: str | None) -> QuestionView:
    """What the customer was asked about a request, and said."""
    return QuestionView(
        number=1, asked_by="order-manager-1", text=text, at=DUE, answer=answer, answered_at=DUE if answer else None
    )


OWNER = "channel:channel-1"
"""Whom the stub takes its clients for."""


def said_to(**changes: Any) -> dict[str, Any]:
    """What somebody has said to a request."""
    said = {"step": 1, "decision": "approve", "actor": "om-1", "role": "order_manager", "note": "", "at": DUE}
    return said | {"mine": False} | changes


def waiting(view: ApprovalView, **values: object) -> tuple[str, object]:
    """The last event of a run that stopped at the gate."""
    return "values", {**values, "__interrupt__": [{"id": "interrupt-2", "value": view}]}


def serve(stub: Stub, port: int = 0) -> Callable[[], None]:
    """Start `stub` on this port, or on a free one, and set its `url`; call what comes back to stop it."""
    app = FastAPI()

    @app.api_route("/{path:path}", methods=["GET", "POST"])
    async def answer(request: Request) -> Response:
        raw = await request.body()
        if request.url.path == "/ops/me":  # what every verb may ask, and no test is about
            return Response(json.dumps({"owner": OWNER}), media_type="application/json")
        call = Call(
            method=request.method,
            path=request.scope["raw_path"].decode(),
            api_keys=request.headers.getlist("x-api-key"),
            body=json.loads(raw) if raw else None,
            idempotency_key=request.headers.get("idempotency-key"),
        )
        stub.calls.append(call)
        if script := stub.scripts.get(call.path):
            return await script(call)
        return Response('{"detail": "no such thing"}', 404, media_type="application/json")

    listener = socket.create_server(("127.0.0.1", port))
    stub.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", ws="none", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()

    def stop() -> None:
        server.should_exit = True
        thread.join()

    return stop
