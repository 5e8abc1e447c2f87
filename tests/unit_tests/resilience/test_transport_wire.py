"""The transport over real sockets: bodies that trickle, connections that drop, many at once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from agent.resilience import CircuitOpenError
from agent.resilience.capacity import BulkheadFullError
from agent.resilience.transport import ExchangeTimeoutError

from .flights import state
from .wires import breaker, client

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"

Talk = Callable[[asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(talk: Talk) -> AsyncIterator[str]:
    """A server that reads the head of a request, and then does as told."""
    connections: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        try:
            await talk(writer)
        except ConnectionError:
            return  # the client left
        finally:
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(asyncio.create_task(serve(reader, writer)))

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    await asyncio.wait_for(asyncio.gather(*connections), 10)


async def trickle(writer: asyncio.StreamWriter) -> None:
    """A body that never ends, and never pauses for long."""
    writer.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1\r\nx\r\n")
        await writer.drain()
        await asyncio.sleep(0.01)


async def answer(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b"Connection: close\r\nContent-Length: 5\r\n\r\nhello")
    await writer.drain()


async def silence(_: asyncio.StreamWriter) -> None:
    await asyncio.sleep(0.3)


async def hang_up(_: asyncio.StreamWriter) -> None:
    """Nothing is said at all."""


async def hang_up_within_the_body(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b"Content-Length: 500\r\n\r\nhalf")
    await writer.drain()


@pytest.mark.parametrize("talk", [trickle, silence])
async def test_time_is_over_for_the_whole_exchange_and_that_counts(talk: Talk) -> None:
    guard = breaker(minimum_number_of_calls=1)
    async with server(talk) as url, client(httpx.AsyncHTTPTransport(), guard, timeout=0.2) as http:
        with pytest.raises(ExchangeTimeoutError, match=r"backend: no whole answer within 0\.2 s"):
            await http.get(f"{url}/?token=secret")
    assert set(guard.snapshot().last_errors) == {"timeout"}
    assert state(guard) == "open"


@pytest.mark.parametrize("talk", [hang_up, hang_up_within_the_body])
async def test_a_connection_that_drops_counts_also_within_the_body(talk: Talk) -> None:
    guard = breaker(minimum_number_of_calls=1)
    async with server(talk) as url, client(httpx.AsyncHTTPTransport(), guard) as http:
        with pytest.raises(httpx.RemoteProtocolError):
            await http.get(url)
        with pytest.raises(CircuitOpenError):
            await http.get(url)
    assert set(guard.snapshot().last_errors) == {"connection"}


async def test_nobody_there_counts() -> None:
    guard = breaker(minimum_number_of_calls=1)
    async with server(answer) as url:
        pass
    async with client(httpx.AsyncHTTPTransport(), guard) as http:
        with pytest.raises(httpx.ConnectError):
            await http.get(url)
    assert set(guard.snapshot().last_errors) == {"connection"}


async def test_a_place_is_held_until_the_body_has_come() -> None:
    half_sent, go_on = asyncio.Event(), asyncio.Event()

    async def in_two_halves(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"Content-Length: 8\r\n\r\nhalf")
        await writer.drain()
        half_sent.set()
        await go_on.wait()
        writer.write(b"half")
        await writer.drain()

    wire = httpx.AsyncHTTPTransport()
    async with server(in_two_halves) as url, client(wire, max_concurrent=1, concurrency_wait=0) as http:
        first = asyncio.ensure_future(http.get(url))
        await half_sent.wait()
        with pytest.raises(BulkheadFullError):
            await http.get(url)
        go_on.set()
        assert (await first).text == "halfhalf"


async def test_many_calls_at_once_all_come_through_few_places() -> None:
    here, most = 0, 0

    async def count(writer: asyncio.StreamWriter) -> None:
        nonlocal here, most
        here += 1
        most = max(most, here)
        await asyncio.sleep(0)
        here -= 1
        await answer(writer)

    wire = httpx.AsyncHTTPTransport()
    async with server(count) as url, client(wire, max_concurrent=5, concurrency_wait=10) as http:
        answers = await asyncio.gather(*(http.get(url) for _ in range(60)))
    assert {each.text for each in answers} == {"hello"}
    assert most <= 5


async def test_a_caller_that_gives_up_leaves_no_connection_and_no_place_behind() -> None:
    left = asyncio.Event()

    async def notice_the_end(writer: asyncio.StreamWriter) -> None:
        try:
            await trickle(writer)
        finally:
            left.set()

    wire = httpx.AsyncHTTPTransport()
    async with server(notice_the_end) as url, client(wire, max_concurrent=1, concurrency_wait=0) as http:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(http.get(url), 0.1)
        await asyncio.wait_for(left.wait(), 10)
        with pytest.raises(TimeoutError):  # it got the place, and not a rejection
            await asyncio.wait_for(http.get(url), 0.1)
