"""Who may do what on the platform's API, as data: role × resource × action. What is not in the table is denied.

`auth` decides by it. What a run may carry besides is in `rules`, and whose answer counts is for `resumes` and the gate.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal

from agent.commerce.tickets import WORKERS
from agent.identity import APPROVER_ROLES, ROLES, STUDIO_IDENTITY, Caller, Role
from agent.settings import Settings

Who = Role | Literal["studio:read", "studio:act"]
"""A role, or Studio in one of its modes."""

Scope = Literal["own", "all"]
"""Whose threads: those that they own, or everybody's."""

STUDIO: Final[tuple[Who, ...]] = ("studio:read", "studio:act")
EVERYBODY: Final[tuple[Who, ...]] = (*ROLES, *STUDIO)
EXTERNAL_ROLES: Final[tuple[Who, ...]] = ("customer", "channel")
INTERNAL_ROLES: Final[tuple[Who, ...]] = tuple(who for who in EVERYBODY if who not in EXTERNAL_ROLES)


def _may(*, own: Iterable[Who] = (), all_: Iterable[Who] = ()) -> dict[Who, Scope]:
    return {**dict.fromkeys(own, "own"), **dict.fromkeys(all_, "all")}


PERMISSIONS: Final[Mapping[tuple[str, str], Mapping[Who, Scope]]] = {
    ("assistants", "read"): _may(all_=EVERYBODY),
    ("assistants", "search"): _may(all_=EVERYBODY),
    ("threads", "read"): _may(own=EXTERNAL_ROLES, all_=INTERNAL_ROLES),
    ("threads", "search"): _may(own=EXTERNAL_ROLES, all_=INTERNAL_ROLES),
    # the service account makes a lost thread again, for the one whose it was
    ("threads", "create"): _may(own=(*EXTERNAL_ROLES, "studio:act"), all_=["service"]),
    # new input on own threads; an answer goes wherever the request is
    ("threads", "create_run"): _may(
        own=(*EXTERNAL_ROLES, "studio:act"), all_=(*sorted(APPROVER_ROLES), "operator", "service")
    ),
    # the index of open requests, in `auth.INDEX`
    ("threads", "update"): _may(all_=["service"]),
    # Threads stay, but for the one that the platform gave to a run of the reconciler, and those of a customer who is to
    # be forgotten (`desk customers forget`, as the service account). The platform deletes the first when the run is
    # done, from Python 3.12 on in the name of who started the run. Refused, the run would never end for whoever waits.
    ("threads", "delete"): _may(own=["operator"], all_=["service"]),
    ("crons", "create"): _may(all_=["service"]),
    ("crons", "read"): _may(all_=["service"]),
    ("crons", "search"): _may(all_=["service"]),
    ("crons", "update"): _may(all_=["service"]),
    ("crons", "delete"): _may(all_=["service"]),
}

STAFF: Final[tuple[Role, ...]] = tuple(role for role in ROLES if role not in EXTERNAL_ROLES)
"""Who may read every request with its decisions, and the story of every order and conversation."""

TICKET_WORKERS: Final[tuple[Role, ...]] = tuple(sorted(WORKERS))
"""Who may reach `/ops/tickets`: each role its own tickets; whose a ticket is, is for `commerce.tickets`."""

TICKET_OVERSEERS: Final[tuple[Role, ...]] = ("operator", "admin")
"""Who may read all of them, and work on none."""


def reach(caller: Caller, config: Settings, resource: str, action: str) -> Scope | None:
    """Whose things this caller may do this with; None when nobody's."""
    studio: Mapping[str, Who] = {"read": "studio:read", "act": "studio:act"}
    who = studio.get(config.studio_mode) if caller.identity == STUDIO_IDENTITY else caller.role
    return PERMISSIONS.get((resource, action), {}).get(who) if who else None
