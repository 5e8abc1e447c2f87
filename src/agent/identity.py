"""Who is calling: roles, tokens, and the authenticated caller of a run.

Identity comes from the server's authentication only; nothing in a payload, a header or a thread's state counts.
"""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

from langgraph.runtime import Runtime

from agent.settings import settings

Role = Literal[
    "customer",
    "channel",
    "tech_support",
    "senior_tech",
    "billing_agent",
    "billing_manager",
    "security_analyst",
    "security_manager",
    "compliance_officer",
    "order_manager",
    "finance_director",
    "general_agent",
    "duty_manager",
    "agent",
    "warehouse",
    "operator",
    "admin",
    "service",
]
ROLES: Final[tuple[Role, ...]] = get_args(Role)

APPROVER_ROLES: Final[frozenset[Role]] = frozenset(ROLES[2:13])
"""Those who can stand in an approval chain. A customer, a channel or a program never can."""

SERVICE_IDENTITY: Final = "service-1"
"""The service account. A cron's runs carry this identity alone, without a role, so it counts by name."""

STUDIO_IDENTITY: Final = "langgraph-studio-user"
"""What the platform calls a Studio user under `langgraph dev`."""

DEMO_CUSTOMER: Final = "ada_park"
"""Whom the development token of role `customer` belongs to, in the demo shop."""

_FIRST_IDENTITY: Final[dict[Role, str]] = {"customer": DEMO_CUSTOMER, "service": SERVICE_IDENTITY}


@dataclass(frozen=True)
class Caller:
    """An authenticated caller. `identity` of a customer is the customer's id."""

    identity: str
    role: Role


class TokensError(RuntimeError):
    """The token file cannot be used; says what to do."""


def caller_of(user: Any) -> Caller:
    """The caller behind a run, from `runtime.server_info.user`.

    Raises `PermissionError` when nobody is authenticated: a node that needs to know refuses (platform-fact: the
    in-process client can carry no user at all).
    """
    identity = getattr(user, "identity", None)
    permissions = list(getattr(user, "permissions", None) or [])
    role = next((p.removeprefix("role:") for p in permissions if p.startswith("role:")), None)
    if role is None and identity == SERVICE_IDENTITY:
        role = "service"
    if identity == STUDIO_IDENTITY and settings().studio_mode == "on":
        role = "channel"
    if not identity or role not in ROLES:
        raise PermissionError("this run has no authenticated caller with a role")
    return Caller(identity, role)


def caller_of_run(runtime: Runtime[Any]) -> Caller | None:
    """Who started or resumed this run; None when nobody is authenticated."""
    try:
        return caller_of(runtime.server_info.user if runtime.server_info else None)
    except PermissionError:
        return None


def create_tokens(path: Path) -> bool:
    """Write one random token a role to a new file that only its owner can read; False when there is a file already."""
    tokens = {
        role: {
            "token": secrets.token_urlsafe(24),
            "identity": _FIRST_IDENTITY.get(role, f"{role.replace('_', '-')}-1"),
        }
        for role in ROLES
    }
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w") as file:
        json.dump(tokens, file, indent=2)
    return True


def read_tokens(path: Path) -> Mapping[str, Caller]:
    """Tokens and whom they stand for. Raises `TokensError` when the file is missing, readable by others, or wrong."""
    try:
        if path.stat().st_mode & 0o077:
            raise TokensError(f"{path} can be read by others: chmod 600 {path}")
        entries = json.loads(path.read_text())
        callers = {entry["token"]: Caller(entry["identity"], role) for role, entry in entries.items() if role in ROLES}
    except FileNotFoundError as missing:
        raise TokensError(f"{path} is missing: run `make setup`, or `desk tokens init`") from missing
    except (ValueError, TypeError, KeyError, AttributeError) as wrong:
        raise TokensError(f"{path} is not a token file: want {{role: {{token, identity}}}}") from wrong
    if unknown := set(entries) - set(ROLES):
        raise TokensError(f"{path} names unknown roles: {', '.join(sorted(unknown))}")
    return callers
