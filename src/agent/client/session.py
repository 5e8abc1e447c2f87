"""What every remote verb shares: its options, and the session that it works in.

`remote` makes a typer command of a coroutine `verb(session, its own arguments)`; verbs live elsewhere.
"""

import asyncio
import functools
import inspect
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Concatenate, ParamSpec

import httpx
import typer
from langgraph_sdk.client import LangGraphClient

from agent.client.connection import DeskError, ExitCode, check_address, explained, find_token
from agent.client.show import Screen

P = ParamSpec("P")


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of every remote verb; typer reads them from here."""

    url: Annotated[str, typer.Option(envvar="DESK_URL", help="The server.")] = "http://127.0.0.1:2024"
    token: Annotated[str | None, typer.Option(help="Your token; or set DESK_TOKEN.")] = None
    act_as: Annotated[str | None, typer.Option("--as", metavar="ROLE", help="Act as this role.")] = None
    tokens: Annotated[Path, typer.Option(envvar="TOKENS_FILE", help="The tokens of roles.")] = Path(".tokens.json")
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON only, one document a line.")] = False


@dataclass(frozen=True)
class Session:
    """An open connection to the server at `url`, and the screen that answers go to."""

    client: LangGraphClient
    screen: Screen
    url: str


_STOPPED = "stopped; if something was being sent it may be done all the same: look before you send it again"

Verb = Callable[Concatenate[Session, P], Coroutine[Any, Any, None]]


def remote(default_role: str | None) -> Callable[[Verb[P]], Callable[..., None]]:
    """Give a verb the shared options, and a session in their place.

    `default_role` is whose token is taken when nobody is named; None: somebody must be.
    """

    def decorate(verb: Verb[P]) -> Callable[..., None]:
        @functools.wraps(verb)
        def command(**given: Any) -> None:
            options = Options(**{field.name: given.pop(field.name) for field in fields(Options)})
            try:
                asyncio.run(_run(options, default_role, functools.partial(verb, **given)))
            except KeyboardInterrupt as error:
                raise DeskError(_STOPPED, ExitCode.INTERRUPTED) from error

        own = list(inspect.signature(verb).parameters.values())[1:]
        shared = inspect.signature(Options).parameters.values()
        command.__signature__ = inspect.Signature([*own, *shared])  # type: ignore[attr-defined]
        return command

    return decorate


async def _run(
    options: Options, default_role: str | None, verb: Callable[[Session], Coroutine[Any, Any, None]]
) -> None:
    check_address(options.url)
    token = find_token(options.token, options.act_as, options.tokens, default_role)
    screen = Screen(as_json=options.as_json)
    with explained(options.url):
        async with LangGraphClient(_http(options.url, token)) as client:
            await verb(Session(client, screen, options.url))


def _http(url: str, token: str) -> httpx.AsyncClient:
    """As the SDK makes it, but for its retries of a refused connection: people would wait 8 seconds for each."""
    return httpx.AsyncClient(
        base_url=url,
        transport=httpx.AsyncHTTPTransport(),
        timeout=httpx.Timeout(connect=5, read=300, write=300, pool=5),
        headers={"x-api-key": token},
    )
