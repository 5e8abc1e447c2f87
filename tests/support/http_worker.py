"""A worker without an engine: what the desk serves itself, from its start to its end, behind its own authentication.

`python -m tests.support.http_worker PORT`, with settings from the environment.
"""

import sys
from types import SimpleNamespace

import uvicorn
from langgraph_sdk import Auth
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from agent.server.auth import authenticate
from agent.server.webapp import app


class Authenticated:
    """The app behind the desk's authentication, which an engine puts there."""

    def __init__(self, inner: ASGIApp) -> None:
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                found = await authenticate(dict(scope["headers"]), scope["path"], dict(scope))
            except Auth.exceptions.HTTPException as error:
                return await JSONResponse({"detail": error.detail}, error.status_code)(scope, receive, send)
            scope["user"] = SimpleNamespace(**found)
        return await self._inner(scope, receive, send)


if __name__ == "__main__":
    uvicorn.run(Authenticated(app), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
