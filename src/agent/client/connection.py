"""Reaching the server: the token that says who we are, and what each failure means to people.

Every failure ends as one `DeskError`: one line that says what, where and what to do, and an exit code.
What is sent and how answers are shown live elsewhere (`runs`, `show`, and a module a verb).
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path

import httpx
import typer
from langgraph_sdk.errors import APIStatusError
from pydantic import BaseModel, HttpUrl, TypeAdapter, ValidationError


class ExitCode(IntEnum):
    """What `desk` tells the shell. 0 is success; parked and waiting orders are successes."""

    OTHER = 1
    USAGE = 2
    UNREACHABLE = 3
    UNAUTHORISED = 4
    NOT_FOUND = 5
    REFUSED = 6  # by a rule or by validation


class DeskError(typer.TyperException):
    """A failure in one line, with the exit code that it ends the process with."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.exit_code = code


class _Holder(BaseModel):
    token: str


_TOKENS = TypeAdapter(dict[str, _Holder])
_ADDRESS = TypeAdapter(HttpUrl)

_MEANINGS = {
    400: (ExitCode.REFUSED, "refused", "Change the request"),
    401: (ExitCode.UNAUTHORISED, "token not accepted", "Give another with --token or --as ROLE"),
    403: (ExitCode.UNAUTHORISED, "not allowed", "Another role may: --as ROLE"),
    404: (ExitCode.NOT_FOUND, "not found", "Check the id, and --url"),
    409: (ExitCode.REFUSED, "refused", "If other work on it is under way, try again in a moment"),
    422: (ExitCode.REFUSED, "refused", "Change the request"),
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
    except APIStatusError as error:
        detail = error.body.get("detail") if isinstance(error.body, dict) else None
        said = json.dumps(detail) if isinstance(detail, dict | list) else error.message
        raise _answered(url, error.status_code, said) from error
    except httpx.HTTPStatusError as error:  # what the SDK raises of an answer that it was waiting for
        raise _answered(url, error.response.status_code, error.response.text) from error
    except httpx.HTTPError as error:
        reason = str(error) or type(error).__name__
        raise DeskError(
            f"cannot reach {url} ({reason}); start the server, or say with --url where it is",
            ExitCode.UNREACHABLE,
        ) from error
    except KeyError as error:
        raise DeskError(
            f"{url} answers without {error}; are server and desk of one version?", ExitCode.OTHER
        ) from error
    except json.JSONDecodeError as error:
        raise DeskError(f"{url} does not answer in JSON; is it the desk? Check --url", ExitCode.OTHER) from error


def _answered(url: str, status: int, said: str) -> DeskError:
    unforeseen = (ExitCode.OTHER, f"failed with HTTP {status}", "See the server's log")
    code, what, advice = _MEANINGS.get(status, unforeseen)
    return DeskError(f"{what} at {url}: {said.rstrip('.')}. {advice}", code)
