"""The sandbox on a bad day: the same outside world as a process of its own, with failures on purpose.

    PUT /faults      {"refuse": 0.1, "drop_after": 0.2, …}: from now on, instead of what was set before; see `Faults`
    DELETE /faults   nothing fails any more; the counts stay
    GET /faults      {"faults": what is set, "injected": {fault: how often so far}}

`python -m tests.support.faulty_network --port PORT --data FILE [--seed N]`; other options as of `python -m sandbox`.
"""

import asyncio
from collections import Counter
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Annotated, Literal, Self, get_args

import httpx
import uvicorn
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from sandbox.announcer import Announcer, nobody
from sandbox.server import Sandbox, command_line

HANG_SECONDS = 30.0
"""How long a client waits at most for an answer that never comes; then its connection is cut."""

HELD_SECONDS = 5.0
"""How long a webhook is held back at most when none comes after it."""

CALLED = ("/charges", "/voids", "/refunds", "/credits", "/shipments")
SPARED = {("GET", "/charges"), ("GET", "/shipments"), ("POST", "/shipments/deliver")}
"""The books, by which we judge, and what the world does of itself."""

Fault = Literal["refuse", "error_before", "error_after", "hang_before", "hang_after", "drop_before", "drop_after"]
WebhookFault = Literal["webhook_duplicate", "webhook_shuffle"]
Probability = Annotated[float, Field(ge=0, le=1)]


class Faults(BaseModel):
    """What goes wrong, and how likely. A request meets one `Fault` at most, so those add up to 1 at most."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    refuse: Probability = 0.0  # 503, unread
    error_before: Probability = 0.0  # 500, and nothing was done
    error_after: Probability = 0.0  # 500, though it was done
    hang_before: Probability = 0.0  # no answer comes, and nothing was done
    hang_after: Probability = 0.0  # no answer comes, though it was done
    drop_before: Probability = 0.0  # the connection is cut, and nothing was done
    drop_after: Probability = 0.0  # the connection is cut, though it was done
    latency: tuple[float, float] = (0.0, 0.0)  # seconds before anything else, at least and at most
    paths: tuple[str, ...] = CALLED  # all of the above are limited to these and what lies below them
    webhook_duplicate: Probability = 0.0  # it is sent twice
    webhook_shuffle: Probability = 0.0  # it is held back until a later one was sent

    @model_validator(mode="after")
    def _at_most_one_a_request(self) -> Self:
        if sum(getattr(self, fault) for fault in get_args(Fault)) > 1 + 1e-9:
            raise ValueError("the faults of a request add up to more than 1")
        return self


class BadDay:
    """Draws who meets what, by a seed, and counts it."""

    def __init__(self, seed: int) -> None:
        self.faults = Faults()
        self.injected: Counter[str] = Counter()
        self._random = Random(seed)

    def spares(self, method: str, path: str) -> bool:
        """Whether this request is none of those that may fail."""
        return (method, path) in SPARED or not f"{path}/".startswith(tuple(f"{each}/" for each in self.faults.paths))

    def latency(self) -> float:
        """How long this request is on its way, in seconds."""
        return self._random.uniform(*self.faults.latency)

    def fault(self) -> Fault | None:
        """What this request meets."""
        drawn = self._random.random()
        for fault in get_args(Fault):
            drawn -= getattr(self.faults, fault)
            if drawn < 0:
                self.injected[fault] += 1
                return fault  # type: ignore[no-any-return]
        return None

    def befalls(self, fault: WebhookFault) -> bool:
        """Whether this webhook meets this."""
        met: bool = self._random.random() < getattr(self.faults, fault)
        if met:
            self.injected[fault] += 1
        return met


class FaultyWorld:
    """The world behind an unreliable wire, as ASGI middleware. Needs `CuttableProtocol` below it."""

    def __init__(self, app: ASGIApp, day: BadDay) -> None:
        self._app = app
        self._day = day

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._day.spares(scope["method"], scope["path"]):
            await self._app(scope, receive, send)
            return
        await asyncio.sleep(self._day.latency())
        fault = self._day.fault()
        if fault is None:
            await self._app(scope, receive, send)
        elif fault.endswith("_after"):
            await self._app(scope, receive, _lost)
        else:
            while (await receive()).get("more_body"):  # read it: closing on unread data would be a reset
                pass
        match fault:
            case "refuse":
                await JSONResponse({"detail": "refused unread"}, 503)(scope, receive, send)
            case "error_before" | "error_after":
                await JSONResponse({"detail": "it broke"}, 500)(scope, receive, send)
            case "hang_before" | "hang_after":
                with suppress(TimeoutError):
                    async with asyncio.timeout(HANG_SECONDS):
                        await receive()  # until the client is gone
                await _cut(scope, receive)
            case "drop_before" | "drop_after":
                await _cut(scope, receive)


async def _lost(_: Message) -> None:
    """For `send`: nobody hears the answer."""


async def _cut(scope: Scope, receive: Receive) -> None:
    scope["state"]["cut"]()
    await receive()  # uvicorn has noticed, and does not answer in our stead


class CuttableProtocol(H11Protocol):
    """Lets an app cut the connection by which a request came, for which ASGI has no word."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Put the knife into the state that every request of this connection gets."""
        super().connection_made(transport)
        self.app_state = self.app_state | {"cut": transport.abort}


class FaultyAnnouncer(Announcer):
    """Sends some webhooks twice, and some after the one that came later."""

    def __init__(self, url: str, secret: str, day: BadDay) -> None:
        super().__init__(url, secret)
        self._day = day
        self._held: asyncio.Event | None = None

    async def send(self, request: httpx.Request) -> None:
        """Send one webhook, sooner or later, once or twice."""
        if self._held is None and self._day.befalls("webhook_shuffle"):
            self._held = asyncio.Event()
            with suppress(TimeoutError):
                async with asyncio.timeout(HELD_SECONDS):
                    await self._held.wait()
        for _ in range(2 if self._day.befalls("webhook_duplicate") else 1):
            await super().send(request)
        if self._held is not None:
            self._held.set()
            self._held = None


def faulty_app(
    database: Path,
    *,
    seed: int = 0,
    slow_seconds: float = 3.0,
    hand_over_seconds: float = 0.0,
    webhook_url: str = "",
    webhook_secret: str = "",
) -> FaultyWorld:
    """The outside world of `sandbox.server.Sandbox`, and the wire to it under the control of /faults."""
    day = BadDay(seed)
    announce = FaultyAnnouncer(webhook_url, webhook_secret, day) if webhook_url else nobody
    sandbox = Sandbox(database, slow_seconds=slow_seconds, hand_over_seconds=hand_over_seconds, announce=announce)

    async def faults(request: Request) -> Response:
        match request.method:
            case "PUT":
                try:
                    day.faults = Faults.model_validate_json(await request.body())
                except ValidationError as error:
                    raise HTTPException(422, str(error)) from error
                return JSONResponse(day.faults.model_dump())
            case "DELETE":
                day.faults = Faults()
                return Response(status_code=204)
            case _:
                return JSONResponse({"faults": day.faults.model_dump(), "injected": day.injected})

    sandbox.add_route("/faults", faults, methods=["GET", "PUT", "DELETE"])
    return FaultyWorld(sandbox, day)


def main() -> None:
    """Serve the faulty world on loopback until a signal ends it; a port in use is an error."""
    parser = command_line("faulty_network")
    parser.add_argument("--seed", type=int, default=0, help="of what is drawn: who meets which fault")
    options = vars(parser.parse_args())
    port = options.pop("port")
    app = faulty_app(options.pop("data"), **options)
    uvicorn.run(app, host="127.0.0.1", port=port, http=CuttableProtocol, access_log=False, timeout_graceful_shutdown=1)


if __name__ == "__main__":
    main()
