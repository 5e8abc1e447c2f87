"""What a real socket does to a capture, and whether the adapter may say that nothing was sent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agent.providers.factory import sandbox_client
from agent.providers.payment import Attempt, PaymentNotSentError, PaymentUnknownError
from agent.providers.sandbox import SandboxProvider
from tests.support.serving import PATIENCE

ATTEMPT = Attempt("k1", 1000, "USD", "tok_approve")


@asynccontextmanager
async def listening(hang_up: bool) -> AsyncIterator[str]:
    """A server that takes a request and then hangs up, or says nothing until its client leaves."""

    taken: list[asyncio.Task[None]] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"}")
        if not hang_up:
            await reader.read()
        writer.close()
        await writer.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.append(asyncio.create_task(take(reader, writer)))

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    await asyncio.wait_for(asyncio.gather(*taken), PATIENCE)


async def test_a_connection_that_drops_after_the_request_is_unknown(tmp_path: Path) -> None:
    async with listening(hang_up=True) as url, sandbox_client(url, tmp_path, PATIENCE, 0) as client:
        with pytest.raises(PaymentUnknownError, match=r"RemoteProtocolError|ReadError"):
            await SandboxProvider(client, PATIENCE).capture(ATTEMPT)


async def test_silence_is_unknown_by_the_clients_read_timeout(tmp_path: Path) -> None:
    async with listening(hang_up=False) as url, sandbox_client(url, tmp_path, 0.2, 0) as client:
        with pytest.raises(PaymentUnknownError, match="ReadTimeout"):
            await SandboxProvider(client, PATIENCE).capture(ATTEMPT)


async def test_silence_is_unknown_by_the_whole_calls_time(tmp_path: Path) -> None:
    async with listening(hang_up=False) as url, sandbox_client(url, tmp_path, PATIENCE, 0) as client:
        with pytest.raises(PaymentUnknownError, match="TimeoutError"):
            await SandboxProvider(client, 0.2).capture(ATTEMPT)


async def test_a_refused_connection_was_not_sent(tmp_path: Path) -> None:
    async with listening(hang_up=True) as url:
        pass  # the port is known, and closed
    async with sandbox_client(url, tmp_path, PATIENCE, 0) as client:
        with pytest.raises(PaymentNotSentError, match="ConnectError"):
            await SandboxProvider(client, PATIENCE).capture(ATTEMPT)


async def test_proxies_of_the_environment_are_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with listening(hang_up=True) as url, sandbox_client(url, tmp_path, PATIENCE, 0) as client:
        with pytest.raises(PaymentUnknownError):  # it came through to the server
            await SandboxProvider(client, PATIENCE).capture(ATTEMPT)
