"""The table of role × resource × action, as people would say it. That handlers decide by it is in `test_auth`."""

import pytest

from agent.identity import APPROVER_ROLES, ROLES, STUDIO_IDENTITY, Caller
from agent.server.permissions import PERMISSIONS, Who, reach
from agent.settings import Settings

CRONS = {("crons", action) for action in ("create", "read", "search", "update", "delete")}
READS = {(resource, action) for resource in ("assistants", "threads") for action in ("read", "search")}
TALKS = READS | {("threads", "create"), ("threads", "create_run")}

ALLOWED: dict[Who, set[tuple[str, str]]] = {
    "customer": TALKS,
    "channel": TALKS,
    **{role: READS | {("threads", "create_run")} for role in APPROVER_ROLES},
    "warehouse": READS,
    "operator": READS | {("threads", "create_run"), ("threads", "delete")},
    "admin": READS,
    "service": TALKS | CRONS | {("threads", "update"), ("threads", "delete")},
    "studio:read": READS,
    "studio:act": TALKS,
}


@pytest.mark.parametrize("who", sorted(ALLOWED))
def test_each_may_do_this_and_nothing_else(who: Who) -> None:
    assert {pair for pair, allowed in PERMISSIONS.items() if who in allowed} == ALLOWED[who]


def test_nobody_is_missing() -> None:
    assert set(ALLOWED) == {*ROLES, "studio:read", "studio:act"}


def test_customers_and_channels_reach_what_is_theirs_only() -> None:
    for pair, allowed in PERMISSIONS.items():
        if pair[0] == "threads":
            assert {allowed.get("customer", "own"), allowed.get("channel", "own")} == {"own"}, pair


def test_nobody_but_the_one_who_made_it_and_the_service_account_deletes_a_thread() -> None:
    assert PERMISSIONS["threads", "delete"] == {"operator": "own", "service": "all"}


@pytest.mark.parametrize(("mode", "allowed"), [("off", set()), ("read", READS), ("act", TALKS)])
@pytest.mark.parametrize("role", ROLES)
def test_studio_is_what_its_mode_says_whatever_role_comes_with_it(mode: str, allowed: set[object], role: str) -> None:
    config = Settings.model_validate({"studio_mode": mode})
    studio = Caller(STUDIO_IDENTITY, role)  # type: ignore[arg-type]

    assert {pair for pair in PERMISSIONS if reach(studio, config, *pair)} == allowed


@pytest.mark.parametrize("role", ROLES)
def test_what_the_table_has_never_heard_of_is_nobodys(role: str) -> None:
    caller = Caller("ann", role)  # type: ignore[arg-type]
    assert reach(caller, Settings(), "threads", "explode") is None
    assert reach(caller, Settings(), "secrets", "read") is None
