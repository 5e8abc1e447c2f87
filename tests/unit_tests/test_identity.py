"""Who is calling, and the tokens that say so."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agent import identity
from agent.identity import (
    APPROVER_ROLES,
    ROLES,
    STUDIO_IDENTITY,
    Caller,
    Role,
    TokensError,
    caller_of,
    create_tokens,
    read_tokens,
)
from agent.settings import Settings


def somebody(name: str | None, *permissions: str) -> Any:
    return SimpleNamespace(identity=name, permissions=list(permissions))


@pytest.mark.parametrize("role", ROLES)
def test_a_caller_is_an_identity_with_a_role(role: Role) -> None:
    assert caller_of(somebody("ann", f"role:{role}")) == Caller("ann", role)


@pytest.mark.parametrize(
    "user",
    [
        None,
        pytest.param(object(), id="anything"),
        somebody(None, "role:admin"),
        somebody("", "role:admin"),
        somebody("ann"),
        somebody("ann", "admin", "authenticated"),
        somebody("ann", "role:root"),
        somebody("ann", "role:"),
        somebody("ann", "role:root", "role:admin"),
        SimpleNamespace(identity="ann"),
        SimpleNamespace(identity="ann", permissions=None),
    ],
    ids=str,
)
def test_without_an_identity_and_a_known_role_nobody_is_calling(user: Any) -> None:
    with pytest.raises(PermissionError):
        caller_of(user)


def test_the_service_account_counts_by_its_bare_identity() -> None:
    assert caller_of(somebody("service-1")) == Caller("service-1", "service")


def test_only_the_service_account_needs_no_role() -> None:
    with pytest.raises(PermissionError):
        caller_of(somebody("service-2"))


def test_who_has_a_role_is_not_the_service_account_by_its_name() -> None:
    assert caller_of(somebody("service-1", "role:customer")).role == "customer"


def test_no_customer_and_no_program_can_approve() -> None:
    assert set(ROLES) - APPROVER_ROLES == {"customer", "channel", "agent", "warehouse", "operator", "admin", "service"}


def test_studio_is_nobody_unless_it_is_switched_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "settings", Settings)

    with pytest.raises(PermissionError):
        caller_of(somebody(STUDIO_IDENTITY))


@pytest.mark.parametrize("permissions", [(), ("role:order_manager",)])
def test_studio_is_never_more_than_a_channel(monkeypatch: pytest.MonkeyPatch, permissions: tuple[str, ...]) -> None:
    monkeypatch.setattr(identity, "settings", lambda: Settings(studio_mode="on"))

    assert caller_of(somebody(STUDIO_IDENTITY, *permissions)) == Caller(STUDIO_IDENTITY, "channel")


def test_new_tokens_are_one_a_role_and_read_by_their_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"

    assert create_tokens(path)

    callers = read_tokens(path)
    assert [caller.role for caller in callers.values()] == list(ROLES)
    assert all(len(token) >= 32 for token in callers)
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_development_tokens_speak_for_the_demo_customer_and_the_service_account(tmp_path: Path) -> None:
    create_tokens(tmp_path / "tokens.json")
    identities = {caller.role: caller.identity for caller in read_tokens(tmp_path / "tokens.json").values()}

    assert identities["customer"] == "ada_park"
    assert identities["service"] == "service-1"
    assert identities["order_manager"] == "order-manager-1"
    assert len(set(identities.values())) == len(ROLES)


def test_tokens_that_are_there_already_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    create_tokens(path)
    before = path.read_text()

    assert not create_tokens(path)
    assert path.read_text() == before


def test_a_missing_token_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(TokensError, match="is missing: run `make setup`"):
        read_tokens(tmp_path / "tokens.json")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_token_file_that_others_can_use_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "tokens.json"
    create_tokens(path)
    path.chmod(mode)

    with pytest.raises(TokensError, match="chmod 600"):
        read_tokens(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"tokens"',
        b'{"admin": "secret"}',
        b'{"admin": {"token": "secret"}}',
        b'{"admin": {"token": ["secret"], "identity": "ann"}}',
        b"\xff\xfe",
    ],
)
def test_a_broken_token_file_is_refused_without_telling_its_secrets(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "tokens.json"
    path.write_bytes(content)
    path.chmod(0o600)

    with pytest.raises(TokensError, match="is not a token file") as refused:
        read_tokens(path)
    assert "secret" not in str(refused.value)


def test_a_token_of_no_known_role_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    path.write_text(json.dumps({"root": {"token": "secret", "identity": "ann"}}))
    path.chmod(0o600)

    with pytest.raises(TokensError, match="unknown roles: root"):
        read_tokens(path)
