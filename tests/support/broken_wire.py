"""A server in a model's place that breaks the wire: it hangs, dribbles, hangs up, and sends what is no completion.

Real sockets on a free loopback port, each answer written byte for byte. `answers` says which comes to a request.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What is written: `body`, by `pace` seconds a byte where that is set, then perhaps nothing for ever."""

    body: bytes = b""
    status: int = 200
    media_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None  # that is promised; None: as long as it is
    pace: float = 0.0
    hangs: bool = False
    head: bool = True  # else the connection is closed without a word

    def as_bytes(self) -> bytes:
        """The answer on the wire."""
        length = len(self.body) if self.length is None else self.length
        told = {"content-type": self.media_type, "content-length": str(length), "connection": "close", **self.headers}
        lines = [f"HTTP/1.1 {self.status} X", *(f"{name}: {value}" for name, value in told.items())]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + self.body if self.head else b""


class BrokenWire:
    """One server; `requests` is what it was asked."""

    def __init__(self, answers: Callable[[Json], Answer]) -> None:
        self._answers = answers
        self.requests: list[Json] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(head.partition("content-length:")[2].partition("\r\n")[0])
            request = json.loads(await reader.readexactly(length))
            self.requests.append(request)
            answer = self._answers(request)
            if answer.pace:
                for byte in answer.as_bytes():
                    writer.write(bytes([byte]))
                    await writer.drain()
                    await asyncio.sleep(answer.pace)
            writer.write(answer.as_bytes())
            await writer.drain()
            if answer.hangs:
                await reader.read()  # until the client has enough
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # it has
        finally:
            writer.close()


@asynccontextmanager
async def broken_wire(answers: Callable[[Json], Answer]) -> AsyncIterator[BrokenWire]:
    """A server that answers so."""
    wire = BrokenWire(answers)
    server = await asyncio.start_server(wire.serve, "127.0.0.1", 0)
    wire.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    async with server:
        yield wire
