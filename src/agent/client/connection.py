"""Reaching the server: the token that says who we are, and what each failure means to people.

Every failure ends as one `DeskError`: one line that says what, where and what to do, and an exit code.
What is sent and how answers are shown live elsewhere (`runs`, `show`, and a module a verb).
"""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path

import httpx
import typer
from langgraph_sdk.errors import APIStatusError
from pydantic import BaseModel, HttpUrl, TypeAdapter, ValidationError


class ExitCode(IntEnum):
    """What `desk` tells the shell. 0 is success; parked, waiting and unfinished orders are successes."""

    OTHER = 1
    USAGE = 2
    UNREACHABLE = 3
    UNAUTHORISED = 4
    NOT_FOUND = 5
    REFUSED = 6
    UNKNOWN = 7
    INTERRUPTED = 130  # as shells count a process that Ctrl-C has ended


MEANINGS = {
    0: "done; also of an order that waits for people, is parked, or is on its way",
    ExitCode.OTHER: "failed at the server",
    ExitCode.USAGE: "the command, or a line of the file, can't be read",
    ExitCode.UNREACHABLE: "the server can't be reached: nothing was sent",
    ExitCode.UNAUTHORISED: "the token is not known, or its role may not do this",
    ExitCode.NOT_FOUND: "there is no such thing",
    ExitCode.REFUSED: "refused by a rule; an answer that was not taken",
    ExitCode.UNKNOWN: "sent, and not known what became of it",
    ExitCode.INTERRUPTED: "stopped by Ctrl-C",
}
"""Of the exit codes, for `desk --help`."""


class DeskError(typer.TyperException):
    """A failure in one line, with the exit code that it ends the process with."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.exit_code = code


class LostError(DeskError):
    """Something was sent and its answer never came: it may have been done, or may be done yet."""

    def __init__(self, message: str) -> None:
        super().__init__(message, ExitCode.UNKNOWN)


class _Holder(BaseModel):
    token: str


_TOKENS = TypeAdapter(dict[str, _Holder])
_ADDRESS = TypeAdapter(HttpUrl)

_RULE = re.compile(r"[A-Z]+(-[A-Z]+)+: ")
"""How a refusal begins that a rule of the desk's gives."""

_REFUSALS = {
    400: (ExitCode.REFUSED, "refused", "Change the request"),
    401: (ExitCode.UNAUTHORISED, "token not accepted", "Give another with --token or --as ROLE"),
    403: (ExitCode.UNAUTHORISED, "not allowed", "Another role may: --as ROLE"),
    404: (ExitCode.NOT_FOUND, "not found", "Check the id, and --url"),
    409: (ExitCode.REFUSED, "refused", "If other work on it is under way, try again in a moment"),
    422: (ExitCode.REFUSED, "refused", "Change the request"),
    429: (ExitCode.REFUSED, "too often", "Try again then"),
}


def check_address(url: str) -> None:
    """Raise `DeskError` (USAGE) for what is no http address."""
    try:
        _ADDRESS.validate_python(url)
    except ValidationError as error:
        raise DeskError(f"{url} is no server address; give --url http://HOST:PORT", ExitCode.USAGE) from error


def find_token(token: str | None, role: str | None, tokens_file: Path, default_role: str | None) -> str:
    """The token to send: `--token`, else that of `--as ROLE`, else DESK_TOKEN, else that of `default_role`.

    What is said on the command line beats the environment. Raises `DeskError` (USAGE) when there is none.
    """
    found = token or (os.environ.get("DESK_TOKEN") if role is None else None)
    found = (found or _token_of(role or default_role, tokens_file)).strip()
    if not (found.isascii() and found.isprintable()):
        raise DeskError("the token has characters that no header can carry; copy it again", ExitCode.USAGE)
    return found


def _token_of(role: str | None, tokens_file: Path) -> str:
    try:
        holders = _TOKENS.validate_json(tokens_file.read_bytes())
    except OSError as error:
        raise DeskError(
            f"no token: cannot read {tokens_file} ({error.strerror}); "
            "make it with `desk tokens init`, or give --tokens FILE, --token or DESK_TOKEN",
            ExitCode.USAGE,
        ) from error
    except ValidationError:  # its text shows the tokens, so it goes no further
        raise DeskError(
            f'{tokens_file} is no tokens file; it should be {{"ROLE": {{"token": "…", "identity": "…"}}}}',
            ExitCode.USAGE,
        ) from None
    if role in holders:
        return holders[role].token
    problem = f"{tokens_file} has no role {role}" if role else "say who you are"
    roles = ", ".join(sorted(holders))
    raise DeskError(f"{problem}; give --token, or --as with one of: {roles}", ExitCode.USAGE)


@contextmanager
def explained(url: str) -> Iterator[None]:
    """Raise whatever goes wrong between us and the server at `url` as a `DeskError`."""
    try:
        yield
    except httpx.HTTPError as error:
        raise failure(url, error) from error
    except httpx.InvalidURL as error:
        raise DeskError(f"this id can be part of no address ({error}); check it", ExitCode.USAGE) from error
    except KeyError as error:
        raise DeskError(
            f"{url} answers without {error}; are server and desk of one version?", ExitCode.OTHER
        ) from error
    except json.JSONDecodeError as error:
        raise DeskError(f"{url} does not answer in JSON; is it the desk? Check --url", ExitCode.OTHER) from error


@contextmanager
def sending(url: str, look: str) -> Iterator[None]:
    """Around what changes something: raises `LostError` where it may have been done though no answer came."""
    try:
        yield
    except httpx.HTTPError as error:
        if may_be_done(error):
            raise lost(url, error, look) from error
        raise


def may_be_done(error: httpx.HTTPError) -> bool:
    """Whether what was sent may have been done, though this came of it: no answer, or one that something broke."""
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code >= 500
    return not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)


def lost(url: str, error: httpx.HTTPError, look: str) -> LostError:
    """What people read of an answer that never came; `look` tells them where they see what became of it."""
    if isinstance(error, httpx.HTTPStatusError):
        why = f"HTTP {error.response.status_code} from {url}: {_said(error)}"
    else:
        why = _unreachable(url, error)
    return LostError(f"no answer came, so this may have been done, or not ({why}). {look}")


def failure(url: str, error: httpx.HTTPError) -> DeskError:
    """What a failed call to the server at `url` means to people."""
    if not isinstance(error, httpx.HTTPStatusError):
        advice = "start the server, or say with --url where it is"
        return DeskError(f"{_unreachable(url, error)}; {advice}", ExitCode.UNREACHABLE)
    status = error.response.status_code
    unforeseen = (ExitCode.OTHER, f"failed with HTTP {status}", "See the server's log")
    code, what, advice = _REFUSALS.get(status, unforeseen)
    said = _said(error)
    if status == 409 and _RULE.match(said):
        return DeskError(f"{what} at {url}: {said}.", code)  # the rule says it all
    return DeskError(f"{what} at {url}: {said}. {advice}", code)


def _said(error: httpx.HTTPStatusError) -> str:
    """The server's reason; of fields at fault the first one, as the rest may follow from it."""
    body = error.body if isinstance(error, APIStatusError) else _json_of(error.response)
    match body.get("detail") if isinstance(body, dict) else None:
        case [{"loc": [_, *where], "msg": str(wrong)}, *_]:
            return f"{'.'.join(map(str, where))}: {wrong}"
        case dict() | list() as detail:
            return json.dumps(detail)
        case str(detail):
            return detail.rstrip(".")
    return (error.message if isinstance(error, APIStatusError) else error.response.text).rstrip(".")


def _json_of(response: httpx.Response) -> object:
    """What the SDK raises of an answer that it was waiting for has its body as text."""
    try:
        return response.json()
    except ValueError:
        return None


def _unreachable(url: str, error: httpx.HTTPError) -> str:
    return f"cannot reach {url} ({str(error) or type(error).__name__})"
