"""What a request must be before any part of the server sees it, at each bound and one past it."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from importlib.metadata import files
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Message, Receive, Scope, Send

from agent.drain import Drain
from agent.server import edge
from agent.server.edge import LARGEST_BODY, LARGEST_HEADERS, LONGEST_PATH, Edge


async def server(scope: Scope, receive: Receive, send: Send) -> None:
    """Says what came through."""
    body = await Request(scope, receive).body()
    await JSONResponse({"path": scope["path"], "size": len(body)})(scope, receive, send)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(Edge(server)), base_url="http://desk") as client:
        yield client


def documented() -> Iterator[str]:
    """Every path of the platform's own description of its API."""
    [description] = [file for file in files("langgraph-api") or [] if file.name == "openapi.json"]
    yield from json.loads(description.read_text())["paths"]


@pytest.mark.parametrize("path", [
    *documented(), "/mcp", "/a2a/x/.well-known/agent-card.json", "/.well-known/agent-card.json", "/openapi.json",
    "/ops/health", "/ops/orders/W-1001/cancel", "/webhooks/stripe", "/desk", "/desk/", "/desk/shell.js",
])  # fmt: skip
async def test_a_documented_path_and_our_own_are_let_through(path: str, client: httpx.AsyncClient) -> None:
    if path == "/metrics":  # which `disable_meta` closes: ours is /ops/metrics
        assert (await client.get(path)).status_code == 404
    else:
        assert (await client.get(path)).json()["path"] == path


async def path_as_sent(path: str) -> int:
    """The status of a path that comes in just as it is, which a client library would tidy up."""
    answers: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        answers.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": []}
    await Edge(server)(scope, receive, send)
    return int(answers[0]["status"])


@pytest.mark.parametrize("path", [
    "", "/", "*", "/metrics", "/redoc", "/ui", "/ui/x", "/profile", "/internal", "/internal/x", "/noauth/threads",
    "/Threads", "/threadsx", "/threads;x", "/THREADS/search", " /threads", "/ threads", "//threads", "//internal/x",
    "/./threads", "/../threads", "/threads/../internal", "/threads/./x", "/threads/..", "/ops/.", "/threads//search",
    "/ops/../internal/x", "/desk/../internal/x", "/desk//", "/desks", "/ok/../internal", "/.well-known/../internal",
    "/%74hreads", "\\threads", "threads", "http://desk/threads",
])  # fmt: skip
async def test_any_other_path_is_not_there_however_it_is_spelled(path: str) -> None:
    assert await path_as_sent(path) == 404


@pytest.mark.parametrize("more", [0, 1])
async def test_a_body_is_let_in_up_to_its_bound(more: int, client: httpx.AsyncClient) -> None:
    async def in_chunks() -> AsyncIterator[bytes]:
        for size in (LARGEST_BODY - 1, 1, more):
            yield b"x" * size

    whole = await client.post("/threads", content=b"x" * (LARGEST_BODY + more))
    unannounced = await client.post("/threads", content=in_chunks())

    if more:
        for answer in (whole, unannounced):
            assert (answer.status_code, answer.json()) == (
                413,
                {"detail": f"the body is larger than {LARGEST_BODY} bytes"},
            )
    else:
        assert whole.json()["size"] == unannounced.json()["size"] == LARGEST_BODY


async def test_a_body_that_is_announced_too_large_is_not_waited_for() -> None:
    answers: list[Message] = []

    async def receive() -> Message:
        raise AssertionError("it is read")

    async def send(message: Message) -> None:
        answers.append(message)

    headers = [(b"content-length", str(LARGEST_BODY + 1).encode())]
    scope = {"type": "http", "method": "POST", "path": "/threads", "query_string": b"", "headers": headers}
    await Edge(server)(scope, receive, send)

    assert answers[0]["status"] == 413


async def test_a_body_that_does_not_come_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "SLOWEST_BODY_SECONDS", 0.01)

    async def in_chunks() -> AsyncIterator[bytes]:
        yield b"x"
        await never.wait()

    never = asyncio.Event()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(Edge(server)), base_url="http://desk") as client:
        assert (await client.post("/threads", content=in_chunks())).status_code == 408


@pytest.mark.parametrize(("more", "status"), [(0, 200), (1, 414)])
async def test_path_and_query_are_let_in_up_to_their_bound(more: int, status: int, client: httpx.AsyncClient) -> None:
    query = "x" * (LONGEST_PATH - len("/threads") + more)

    assert (await client.get(f"/threads?{query}")).status_code == status


@pytest.mark.parametrize(("more", "status"), [(0, 200), (1, 431)])
async def test_headers_are_let_in_up_to_their_bound(more: int, status: int) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(Edge(server)), base_url="http://desk") as client:
        asked = client.build_request("GET", "/ok", headers={"x-api-key": ""})
        room = LARGEST_HEADERS - sum(len(name) + len(value) for name, value in asked.headers.raw)
        asked.headers["x-api-key"] = "x" * (room + more)
        assert (await client.send(asked)).status_code == status


async def spoken(path: str, *said: Message) -> tuple[list[Message], list[Message]]:
    """What the server heard on a WebSocket, and what it was answered."""
    heard: list[Message] = []
    answers: list[Message] = []
    to_come = iter(said)

    async def receive() -> Message:
        return next(to_come)

    async def send(message: Message) -> None:
        answers.append(message)

    async def listener(_: Scope, receive: Receive, __: Send) -> None:
        heard.extend([await receive() for _ in said])

    scope = {"type": "websocket", "path": path, "query_string": b"", "headers": []}
    await Edge(listener)(scope, receive, send)
    return heard, answers


@pytest.mark.parametrize("kind", ["text", "bytes"])
async def test_a_message_of_a_websocket_is_let_in_up_to_the_same_bound(kind: str) -> None:
    full: Any = "ä" * (LARGEST_BODY // 2) if kind == "text" else b"x" * LARGEST_BODY
    fits = {"type": "websocket.receive", kind: full}

    assert await spoken("/threads/x/stream/events", fits) == ([fits], [])

    heard, answers = await spoken("/threads/x/stream/events", {**fits, kind: full + full[:1]})
    assert [message["type"] for message in heard] == ["websocket.disconnect"]
    assert answers == [{"type": "websocket.close", "code": 1009}]


@pytest.mark.parametrize("body", [b'{"note": "a\\u0000"}', b"\\u0000", b'"\\\\\\u0000"', b"\0", b"a\0b"])
async def test_text_that_no_store_keeps_is_refused_by_rule(body: bytes, client: httpx.AsyncClient) -> None:
    refused = await client.post("/threads", content=body)

    assert (refused.status_code, refused.json()["detail"].split(":")[0]) == (422, "TEXT-CHARACTERS")
    heard, answers = await spoken("/threads/x/stream/events", {"type": "websocket.receive", "text": body.decode()})
    assert [message["type"] for message in heard] == ["websocket.disconnect"]
    assert answers == [{"type": "websocket.close", "code": 1007}]


@pytest.mark.parametrize("body", [b'"\\\\u0000"', b'"u0000"', b'"\\u0001"', b'"\\\\\\\\u0000"'])
async def test_words_about_it_are_not_it(body: bytes, client: httpx.AsyncClient) -> None:
    assert (await client.post("/threads", content=body)).status_code == 200


@pytest.mark.parametrize(
    ("sent", "comes"),
    [
        (b'{"on_disconnect": "cancel"}', b'{"on_disconnect":"continue"}'),
        (b'{"a":1,"on_disconnect":"cancel","b":2}', b'{"a":1,"on_disconnect":"continue","b":2}'),
        (b'{"content":"\\"on_disconnect\\":\\"cancel\\""}', b'{"content":"\\"on_disconnect\\":\\"cancel\\""}'),
        (b'{"on_disconnect":"continue"}', b'{"on_disconnect":"continue"}'),
    ],
)
async def test_who_goes_away_cancels_nothing(sent: bytes, comes: bytes) -> None:
    assert await through(b"", sent) == (b"", comes)


@pytest.mark.parametrize(
    ("query", "left"),
    [
        (b"cancel_on_disconnect=true", b""),
        (b"stream_mode=values&cancel_on_disconnect=1&x=2", b"stream_mode=values&x=2"),
        (b"not_cancel_on_disconnect=1", b"not_cancel_on_disconnect=1"),
    ],
)
async def test_who_stops_listening_cancels_nothing(query: bytes, left: bytes) -> None:
    assert (await through(query, b"{}"))[0] == left


async def through(query: bytes, body: bytes) -> tuple[bytes, bytes]:
    """Query and body as they come in behind the edge."""
    seen: list[tuple[bytes, bytes]] = []

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((scope["query_string"], await Request(scope, receive).body()))

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(_: Message) -> None:
        """Nothing is answered."""

    scope = {"type": "http", "method": "POST", "path": "/threads/t/runs/stream", "query_string": query, "headers": []}
    await Edge(served)(scope, receive, send)
    [came] = seen
    return came


async def test_a_websocket_on_another_path_is_not_opened() -> None:
    assert await spoken("/internal/x") == ([], [{"type": "websocket.close", "code": 1008}])


@pytest.fixture
def stops(monkeypatch: pytest.MonkeyPatch) -> Drain:
    """This worker has been told to stop."""
    monkeypatch.setattr(edge, "DRAIN", drain := Drain())
    drain.begin()
    return drain


RUNS = [
    path for path in documented() if path.endswith(("/runs", "/runs/stream", "/runs/wait", "/runs/batch", "/commands"))
]


@pytest.mark.parametrize("path", [*RUNS, "/mcp", "/mcp/", "/a2a/x", "/runs/"])
async def test_a_worker_that_stops_takes_no_run(path: str, client: httpx.AsyncClient, stops: Drain) -> None:
    refused = await client.post(path)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert (await client.get(path)).status_code == 200, "looking is no run"


@pytest.mark.parametrize("path", ["/threads/search", "/threads/x/history", "/runs/crons/search", "/ops/tickets/t/take"])
async def test_a_worker_that_stops_answers_what_is_no_run(path: str, client: httpx.AsyncClient, stops: Drain) -> None:
    assert (await client.post(path)).status_code == 200


async def test_who_has_no_answer_yet_when_a_worker_ends_is_told_so(stops: Drain) -> None:
    began = asyncio.Event()

    async def thinks(scope: Scope, receive: Receive, send: Send) -> None:
        began.set()
        await asyncio.Event().wait()

    async with httpx.AsyncClient(transport=httpx.ASGITransport(Edge(thinks)), base_url="http://desk") as client:
        asked = asyncio.create_task(client.post("/threads"))
        await began.wait()
        stops.hang_up()
        answer = await asked
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "look what became of it" in answer.json()["detail"]


async def test_an_answer_that_goes_on_when_a_worker_ends_is_broken_off(stops: Drain) -> None:
    began = asyncio.Event()

    async def goes_on(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        began.set()
        await asyncio.Event().wait()

    async with httpx.AsyncClient(transport=httpx.ASGITransport(Edge(goes_on)), base_url="http://desk") as client:
        asked = asyncio.create_task(client.get("/runs/x/join"))
        await began.wait()
        stops.hang_up()
        with pytest.raises(AssertionError):  # of the transport: the answer is not complete
            await asked


async def test_a_failure_of_the_server_is_not_taken_for_the_end() -> None:
    async def late(scope: Scope, receive: Receive, send: Send) -> None:
        raise TimeoutError("its own")

    async with httpx.AsyncClient(transport=httpx.ASGITransport(Edge(late)), base_url="http://desk") as client:
        with pytest.raises(TimeoutError, match="its own"):
            await client.get("/ok")
