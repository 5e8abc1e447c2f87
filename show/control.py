"""The page with the buttons, by the supervisor itself on a loopback port of its own: there while the server is not.

Its address holds a token that is made anew for each show, and a button counts only when our own page presses it: no
other page that is open in a browser can.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from hmac import compare_digest
from importlib.resources import files
from typing import Any, Final, get_args

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agent.shop import SHOP
from agent.web.routes import ASSETS, HEADERS, KINDS
from show.supervisor import Button, Show
from tests.support.live_server import free_port, until

PAGE: Final = "control.html"
OF_THE_DESK: Final = ("desk.css", "pages.css", "dom.js", "icon.svg")
"""What the page shares with the desk."""

ROLES: Final = tuple(
    dict.fromkeys([*(role for chain in SHOP.chains.values() for role in chain.roles), "operator", "customer"])
)
"""Whose tokens are on the page: those whom something may wait for, an overseer, and a customer."""


class Control:
    """The page of a show. `url` is its address, token and all."""

    def __init__(self, show: Show) -> None:
        self._show = show
        self._token = secrets.token_urlsafe(24)
        self._origin = f"http://127.0.0.1:{(port := free_port())}"
        self.url = f"{self._origin}/{self._token}/"
        own = {file.name: file.read_bytes() for file in files("show").joinpath("static").iterdir()}
        self._files = own | {name: ASSETS[name].content for name in OF_THE_DESK}
        routes = [
            Route("/{token}/", self._page),
            Route("/{token}/state", self._state),
            Route("/{token}/press", self._press, methods=["POST"]),
            Route("/{token}/{name}", self._file),
        ]
        self.app = Starlette(routes=routes, middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1"])])
        self.app.router.redirect_slashes = False
        self._server = _Server(uvicorn.Config(self.app, host="127.0.0.1", port=port, log_level="critical", ws="none"))

    @asynccontextmanager
    async def served(self) -> AsyncIterator[None]:
        """Serve the page meanwhile: its port listens. Raises RuntimeError when it does not."""
        running = asyncio.create_task(self._server.serve())

        async def listens() -> bool:
            return self._server.started

        try:
            await until(listens, "the page with the buttons is not served")
            yield
        finally:
            self._server.should_exit = self._server.force_exit = True
            await asyncio.gather(running, return_exceptions=True)

    async def _page(self, request: Request) -> Response:
        return self._served(PAGE, request)

    async def _file(self, request: Request) -> Response:
        return self._served(request.path_params["name"], request)

    async def _state(self, request: Request) -> Response:
        self._check_token(request)
        return _answer(await self._show.state() | {"desk": self.desk, "tokens": self.tokens})

    async def _press(self, request: Request) -> Response:
        """Press a button. HTTP 403 for another page than ours, 422 for what is no button."""
        self._check_token(request)
        if request.headers.get("origin") != self._origin:
            raise HTTPException(403, "only the page itself presses its buttons")
        try:
            button = (await request.json())["button"]
        except (ValueError, TypeError, KeyError):
            button = None
        if button not in get_args(Button):
            raise HTTPException(422, f"button: one of {', '.join(get_args(Button))}")
        await self._show.press(button)
        return _answer({"pressed": button})

    @property
    def desk(self) -> str:
        """The address of the desk in a browser."""
        return f"{self._show.stage.server.url}/desk/"

    @property
    def tokens(self) -> dict[str, str]:
        """A way to sign in there, by role."""
        return {role: self._show.stage.server.tokens[role] for role in ROLES}

    def _served(self, name: str, request: Request) -> Response:
        self._check_token(request)
        if name not in self._files:
            raise HTTPException(404)
        kind = KINDS[f".{name.rpartition('.')[2]}"]
        return Response(self._files[name], media_type=kind, headers=HEADERS)

    def _check_token(self, request: Request) -> None:
        if not compare_digest(request.path_params["token"].encode(), self._token.encode()):
            raise HTTPException(404)


class _Server(uvicorn.Server):
    """Leaves signals to whoever runs the show."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Do nothing about them."""
        yield


def _answer(document: dict[str, Any]) -> Response:
    return JSONResponse(document, headers=HEADERS | {"cache-control": "no-store"})
