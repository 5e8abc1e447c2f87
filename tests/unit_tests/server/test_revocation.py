"""An answer under way, when the token that asked for it is taken away."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from agent.identity import Caller
from agent.server import revocation
from agent.server.revocation import CHECK_EVERY_SECONDS, Revocation
from agent.settings import Settings
from agent.tokens import add_token, revoke_tokens
from tests.support.threads import events, user

ADA = Caller("ada_park", "customer")


class Stream:
    """Says one thing after another as it is told to; keeps what its client got, and whether it heard of the end."""

    def __init__(self, token: str, kind: str = "http") -> None:
        self.got: list[Message] = []
        self.begun, self.disconnected = asyncio.Event(), asyncio.Event()
        self._to_say: asyncio.Queue[Message] = asyncio.Queue()
        headers = [(b"x-api-key", token.encode())] if token else []
        self._task = asyncio.ensure_future(
            Revocation(self._serve)({"type": kind, "headers": headers}, self._receive, self._send)
        )

    async def say(self, message: Message) -> None:
        await self._to_say.put(message)
        await asyncio.wait_for(self._to_say.join(), 5)

    def end(self) -> None:
        self._task.cancel()

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["user"] = user(ADA)
        await receive()
        self.begun.set()
        listening = asyncio.ensure_future(self._listen(receive))
        try:
            while True:
                await send(await self._to_say.get())
                self._to_say.task_done()
        finally:
            listening.cancel()

    async def _listen(self, receive: Receive) -> None:
        assert (await receive())["type"].endswith(".disconnect")
        self.disconnected.set()

    async def _receive(self) -> Message:
        if not self.got:
            return {"type": "http.request", "body": b""}
        await asyncio.Event().wait()
        raise AssertionError

    async def _send(self, message: Message) -> None:
        self.got.append(message)


START: Message = {"type": "http.response.start", "status": 200, "headers": []}
DATA: Message = {"type": "http.response.body", "body": b"data: 1\n", "more_body": True}
END: Message = {"type": "http.response.body", "body": b"", "more_body": False}


@pytest.fixture
def digests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "digests.json"
    monkeypatch.setattr(revocation, "settings", lambda: Settings(token_digests_file=path))
    return path


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let so many seconds go by, as this module sees it."""
    now = [0.0]
    clock: Any = type("Time", (), {"monotonic": staticmethod(lambda: now[0])})
    monkeypatch.setattr(revocation, "time", clock)

    def go(seconds: float) -> None:
        now[0] += seconds

    return go


async def test_nothing_is_sent_any_more_and_the_server_hears_that_nobody_listens(
    digests: Path, later: Callable[[float], None]
) -> None:
    ended = events("stream.ended")
    stream = Stream(add_token(digests, ADA))
    await stream.say(START)
    later(CHECK_EVERY_SECONDS)
    await stream.say(DATA)
    assert stream.got == [START, DATA]

    revoke_tokens(digests, "ada_park")
    await stream.say(DATA)  # within the bound
    later(1)
    await stream.say(DATA)
    await stream.say(DATA)

    assert stream.got == [START, DATA, DATA, END]
    await asyncio.wait_for(stream.disconnected.wait(), 5)
    assert events("stream.ended") == ended + 1
    stream.end()


async def test_an_answer_that_has_not_begun_is_a_refusal(digests: Path, later: Callable[[float], None]) -> None:
    stream = Stream(add_token(digests, ADA))
    await stream.begun.wait()
    revoke_tokens(digests, "ada_park")
    later(CHECK_EVERY_SECONDS)
    await stream.say({**START, "headers": [(b"content-length", b"7")]})
    assert stream.got == [{**START, "status": 401}, END]
    stream.end()


async def test_a_token_that_is_anothers_by_now_does_not_count(digests: Path, later: Callable[[float], None]) -> None:
    stream = Stream(add_token(digests, Caller("ada_park", "operator")))
    await stream.say(START)
    later(CHECK_EVERY_SECONDS)
    await stream.say(DATA)
    assert stream.got == [START, END]
    stream.end()


async def test_a_websocket_is_closed(digests: Path, later: Callable[[float], None]) -> None:
    stream = Stream(add_token(digests, ADA), "websocket")
    await stream.say({"type": "websocket.accept"})
    revoke_tokens(digests, "ada_park")
    later(CHECK_EVERY_SECONDS)
    await stream.say({"type": "websocket.send", "text": "{}"})
    assert stream.got[1:] == [{"type": "websocket.close", "code": 1008}]
    await asyncio.wait_for(stream.disconnected.wait(), 5)
    stream.end()


async def test_who_came_without_a_token_is_not_asked_for_one(later: Callable[[float], None]) -> None:
    stream = Stream("")
    await stream.say(START)
    later(3600)
    await stream.say(DATA)
    assert stream.got == [START, DATA]
    stream.end()
