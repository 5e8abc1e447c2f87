"""Access tokens, and their digests, which are all that a server needs of them. Only the files; who asks is elsewhere.

`desk tokens` writes both files: tokens of every role for `desk` on a developer's machine, digests for the server.
"""

import hmac
import json
import os
import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from agent.identity import ROLES, SERVICE_IDENTITY, Caller, Role, person

if sys.platform != "win32":
    import fcntl

DEMO_CUSTOMER: Final = "ada_park"
"""Whom the development token of role `customer` belongs to, in the demo shop."""

_FIRST_IDENTITY: Final[dict[Role, str]] = {"customer": DEMO_CUSTOMER, "service": SERVICE_IDENTITY}

RETIRED_ROLES: Final = frozenset(("agent",))
"""Roles of 0.1, whose tokens may be in a file still: they are nobody's."""


class TokensError(RuntimeError):
    """A file of tokens or digests cannot be used; says what to do."""


def create_tokens(tokens: Path, digests: Path | None = None) -> bool:
    """Have a token for each role in one file, for `desk`, and their digests in another, for the server.

    Both are readable by their owner alone. Tokens that are there are kept; False when both files are.
    """
    digests = digests or tokens.with_suffix(".sha256.json")
    with _alone(digests):
        if tokens.exists() and digests.exists():
            return False
        if not tokens.exists():
            _write(tokens, {role: {"token": _new_token(), "identity": _first(role)} for role in ROLES})
        callers = read_tokens(tokens)
        known = _known(digests)
        kept = {digest: caller for digest, caller in known.items() if caller not in callers.values()}
        _write_digests(digests, kept | {digest_of(token): caller for token, caller in callers.items()})
        return True


def add_token(digests: Path, caller: Caller) -> str:
    """A new token for this caller, beside those that they have: the only time that anybody sees it."""
    token = _new_token()
    with _alone(digests):
        _write_digests(digests, {**_known(digests), digest_of(token): caller})
    return token


def revoke_tokens(digests: Path, identity: str) -> int:
    """Forget all tokens of an identity, at once; returns how many there were."""
    with _alone(digests):
        known = read_digests(digests)
        kept = {digest: caller for digest, caller in known.items() if person(caller.identity) != person(identity)}
        _write_digests(digests, kept)
    return len(known) - len(kept)


def _first(role: Role) -> str:
    return _FIRST_IDENTITY.get(role, f"{role.replace('_', '-')}-1")


def _new_token() -> str:
    return secrets.token_urlsafe(24)


def digest_of(token: str) -> str:
    """SHA-256 of a token, in hex. No slow hash is needed: 24 random bytes can't be guessed, however fast one tries."""
    return sha256(token.encode()).hexdigest()


def holder(token: str, digests: Mapping[str, Caller]) -> Caller | None:
    """Whom a token stands for; each digest is compared in constant time."""
    given = digest_of(token)
    return next((caller for digest, caller in digests.items() if hmac.compare_digest(digest, given)), None)


def read_digests(path: Path) -> Mapping[str, Caller]:
    """Digests of tokens and whom they stand for; the file is read again when it has changed.

    Raises `TokensError` when it is missing, wrong, or others could change it.
    """
    try:
        file = path.stat()
    except FileNotFoundError as error:
        raise TokensError(f"{path} is missing: run `make setup`, or `desk tokens init`") from error
    if file.st_mode & 0o022:
        raise TokensError(f"{path} can be changed by others: chmod go-w {path}")
    return _read_digests(path, (file.st_mtime_ns, file.st_ino, file.st_size))


@lru_cache(maxsize=4)
def _read_digests(path: Path, _: tuple[int, int, int]) -> Mapping[str, Caller]:
    try:
        entries = json.loads(path.read_text())
        callers = {
            digest: Caller(entry["identity"], entry["role"])
            for digest, entry in entries.items()
            if entry["role"] not in RETIRED_ROLES
        }
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise TokensError(f"{path} is not a file of digests: want {{sha256: {{identity, role}}}}") from error
    _check_roles(path, {caller.role for caller in callers.values()})
    return MappingProxyType(callers)


def read_tokens(path: Path) -> Mapping[str, Caller]:
    """Tokens and whom they stand for. Raises `TokensError` when the file is missing, readable by others, or wrong."""
    try:
        if path.stat().st_mode & 0o077:
            raise TokensError(f"{path} can be read by others: chmod 600 {path}")
        entries = json.loads(path.read_text())
        callers = {
            entry["token"]: Caller(entry["identity"], role)
            for role, entry in entries.items()
            if role not in RETIRED_ROLES
        }
    except FileNotFoundError as error:
        raise TokensError(f"{path} is missing: run `make setup`, or `desk tokens init`") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise TokensError(f"{path} is not a token file: want {{role: {{token, identity}}}}") from error
    _check_roles(path, {caller.role for caller in callers.values()})
    return callers


def _check_roles(path: Path, named: set[Any]) -> None:
    if unknown := named - set(ROLES):
        raise TokensError(f"{path} names unknown roles: {', '.join(sorted(map(str, unknown)))}")


@contextmanager
def _alone(digests: Path) -> Iterator[None]:
    """Nobody else changes the digests meanwhile: else a token that was revoked could come back."""
    try:
        lock = os.open(digests.with_name(f"{digests.name}.lock"), os.O_WRONLY | os.O_CREAT, 0o600)
    except FileNotFoundError as error:
        raise TokensError(f"{digests.parent} is missing: make that directory first") from error
    with os.fdopen(lock, "w"):
        if sys.platform != "win32":  # Windows has no flock: there, change tokens one at a time
            fcntl.flock(lock, fcntl.LOCK_EX)  # ends when the file is closed
        yield


def _known(digests: Path) -> Mapping[str, Caller]:
    return read_digests(digests) if digests.exists() else {}


def _write_digests(path: Path, callers: Mapping[str, Caller]) -> None:
    _write(path, {digest: asdict(caller) for digest, caller in callers.items()})


def _write(path: Path, content: Mapping[Any, Any]) -> None:
    """Put a file in place whole, so that a server that reads it meanwhile sees the old or the new one."""
    beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(content, file, indent=2)
    beside.replace(path)
