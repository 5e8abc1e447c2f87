"""The routes of the page: each file of `static/` by its name, and nothing else.

The files are read once, when the server starts: what a path names is looked up among them, and never on the disk.
"""

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

router = APIRouter(prefix="/desk", include_in_schema=False)

PAGE: Final = "desk.html"

KINDS: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""Media types by the end of a file's name; a file of another kind is not served."""

HEADERS: Final = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",  # kept by the browser, and asked for by its hash: a new release is there at once
}
"""What a browser may do with these files: run our own scripts and speak to this server, and nothing more."""


@dataclass(frozen=True)
class Asset:
    """A file of the page. `etag` changes with its content."""

    content: bytes
    kind: str
    etag: str


def _assets() -> dict[str, Asset]:
    found = {}
    for file in files(__package__).joinpath("static").iterdir():
        kind = KINDS.get(f".{file.name.rpartition('.')[2]}")
        if file.is_file() and kind:
            content = file.read_bytes()
            found[file.name] = Asset(content, kind, f'"{hashlib.sha256(content).hexdigest()[:32]}"')
    return found


ASSETS: Final = _assets()


@router.get("")
async def door() -> Response:
    """To the page itself: its files are named relative to it, so that it works behind any prefix."""
    return RedirectResponse("desk/", 308, HEADERS)


@router.get("/")
async def page(request: Request) -> Response:
    """The one page."""
    return _served(PAGE, request)


@router.get("/{name}")
async def asset(name: str, request: Request) -> Response:
    """A file of the page. HTTP 404 for any other name."""
    return _served(name, request)


def _served(name: str, request: Request) -> Response:
    file = ASSETS.get(name)
    if file is None:
        raise HTTPException(404, "Not Found")
    headers = {**HEADERS, "etag": file.etag}
    if request.headers.get("if-none-match") == file.etag:
        return Response(status_code=304, headers=headers)
    return Response(file.content, media_type=file.kind, headers=headers)
