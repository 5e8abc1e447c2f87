"""Who is calling: roles, and the authenticated caller of a run. The tokens that say so are in `tokens`.

Identity comes from the server's authentication only; nothing in a payload, a header or a thread's state counts.
"""

import json
import re
import unicodedata
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeGuard, get_args

from langgraph.runtime import Runtime

from agent.settings import settings

ApproverRole = Literal[
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
]
"""Those who can stand in an approval chain. A customer, a channel or a program never can."""

Role = Literal["customer", "channel", ApproverRole, "warehouse", "operator", "admin", "service"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
APPROVER_ROLES: Final[frozenset[Role]] = frozenset(get_args(ApproverRole))

SERVICE_IDENTITY: Final = "service-1"
"""The service account. A cron's runs carry this identity alone, without a role, so it counts by name."""

STUDIO_IDENTITY: Final = "langgraph-studio-user"
"""Studio, by the platform's name for it: it has no user."""
_NUMBER: Final = re.compile(r"-[0-9]+$")
_UNSEEN: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u2800\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]"
)
"""What shows nothing and is no format character: Unicode's Default_Ignorable_Code_Point, and the blank of Braille."""

STUDIO_ROLE: Final = "studio as "
"""How whoever sits at Studio is called in the trail, before the role that they answered in."""


@dataclass(frozen=True)
class Caller:
    """An authenticated caller. `identity` of a customer is the customer's id."""

    identity: str
    role: Role


def owner_of(caller: Caller) -> str:
    """How a thread says whose it is: role and identity, since a customer may be called as a channel is."""
    return f"{caller.role}:{caller.identity}"


def owner_by(actor: str, subject: str) -> str:
    """Whose a thread is, by what the ledger knows: customers act for themselves alone, channels for others.

    Of a channel that is called as its customer is, the thread is the customer's.
    """
    return owner_of(Caller(actor, "customer" if actor == subject else "channel"))


def caller_of(user: Any) -> Caller:
    """The caller behind a run, from `runtime.server_info.user`. Where an engine keeps threads by its users' identity,
    that is the owner's of the thread, and who calls is `subject` (`server.aegra`); only authentication says either.

    Raises `PermissionError` when nobody is authenticated: a node that needs to know refuses (platform-fact: the
    in-process client can carry no user at all).
    """
    identity = getattr(user, "subject", None) or getattr(user, "identity", None)
    permissions = list(getattr(user, "permissions", None) or [])
    role = next((p.removeprefix("role:") for p in permissions if p.startswith("role:")), None)
    if role is None and identity == SERVICE_IDENTITY:
        role = "service"
    if identity == STUDIO_IDENTITY:
        role = "channel" if settings().studio_mode == "act" else None
    if not identity or not is_role(role):
        raise PermissionError("this run has no authenticated caller with a role")
    return authenticated(identity, role)


def is_role(name: object) -> TypeGuard[Role]:
    """Whether this is the name of a role."""
    return name in ROLES


def caller_of_run(runtime: Runtime[Any]) -> Caller | None:
    """Who started or resumed this run; None when nobody is authenticated."""
    try:
        return caller_of(runtime.server_info.user if runtime.server_info else None)
    except PermissionError:
        return None


def person(identity: str) -> str:
    """Who an identity stands for, however a provider of identities spells it: two spellings are one person."""
    seen = "".join(c for c in _UNSEEN.sub("", identity) if unicodedata.category(c) not in ("Cc", "Cf"))
    folded = unicodedata.normalize("NFKC", seen).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def authenticated(identity: str, role: Role) -> Caller:
    """A caller as authentication has found them. A customer's identity is the id of their account, and a channel owns
    threads by its: those keep their case."""
    return Caller(identity.strip() if role in ("customer", "channel") else person(identity), role)


def is_reserved(caller: Caller) -> bool:
    """Whether nobody may be called this: Studio has no user, and the service account is one, known by name."""
    name = person(caller.identity)
    of_studio = name.startswith((STUDIO_IDENTITY, STUDIO_ROLE.strip()))
    return not name.strip() or of_studio or (name == SERVICE_IDENTITY) != (caller.role == "service")


def is_staff_name(name: str) -> bool:
    """Whether colleagues or programs are called so, such as `order-manager-1`; no customer should be."""
    role = _NUMBER.sub("", name.strip().casefold()).replace("-", "_")
    return is_reserved(Caller(name, "customer")) or (is_role(role) and role != "customer")


def acting(caller: Caller, said: Any) -> tuple[Caller, Any]:
    """Who answers an approval, and what: Studio may say `{"as": ROLE, "decision": …, "note": …}` in mode `act`.

    Then it is `studio as ROLE` who answers, in the form that everybody else's clients send; more keys, such as
    `edited_action`, are kept. All other callers and answers come back as they are.
    """
    if caller.identity != STUDIO_IDENTITY or settings().studio_mode != "act":
        return caller, said
    answer = out_of_json(said)
    role = answer.get("as") if isinstance(answer, dict) else None
    if not is_role(role) or role not in APPROVER_ROLES:
        return caller, said
    plain = {"type": answer.get("decision"), "message": answer.get("note", "")}
    rest = {key: value for key, value in answer.items() if key not in ("as", "decision", "note")}
    return Caller(f"{STUDIO_ROLE}{role}", role), rest | plain


def out_of_json(said: Any) -> Any:
    """What a string says when it is JSON, else what was said: Studio's text box may send an object as text."""
    try:
        return json.loads(said) if isinstance(said, str) else said
    except (ValueError, RecursionError):
        return said
