"""The outer wall: who may do what on the platform's API."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from langgraph_sdk import Auth
from langgraph_sdk.auth.types import StudioUser

from agent import identity
from agent.identity import ROLES, STUDIO_IDENTITY, Caller, Role, create_tokens, read_tokens
from agent.platform import order_thread
from agent.server import auth as wall
from agent.settings import Settings
from tests.unit_tests.threads import user

from .test_rules import ANSWER, run

HTTPException = Auth.exceptions.HTTPException


@pytest.fixture(autouse=True)
def tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The server's settings name this token file; Studio is off."""
    path = tmp_path / "tokens.json"
    create_tokens(path)
    use(monkeypatch, Settings(tokens_file=path))
    return path


def use(monkeypatch: pytest.MonkeyPatch, config: Settings) -> None:
    monkeypatch.setattr(wall, "settings", lambda: config)
    monkeypatch.setattr(identity, "settings", lambda: config)


def everything() -> Iterator[tuple[str, str]]:
    """Every (resource, action) that the SDK knows, found as the server finds them."""
    for resource in ("assistants", "threads", "crons", "store"):
        space = getattr(wall.auth.on, resource)
        named = [getattr(space, name) for name in dir(space) if not name.startswith("_")]
        yield from ((resource, each.action) for each in named if isinstance(getattr(each, "action", None), str))


async def ask(who: Any, resource: str, action: str, value: Any = None) -> Any:
    """The answer of the handler that the server would choose: the most specific one."""
    handlers = wall.auth._handlers
    keys = [(resource, action), (resource, "*"), ("*", action), ("*", "*")]
    handler: Any = next((handlers[key][-1] for key in keys if key in handlers), wall.auth._global_handlers[-1])
    ctx = Auth.types.AuthContext(
        permissions=list(getattr(who, "permissions", [])),
        user=who,
        resource=resource,  # type: ignore[arg-type]
        action=action,  # type: ignore[arg-type]
    )
    return await handler(ctx=ctx, value={} if value is None else value)


async def refused(who: Any, resource: str, action: str, value: Any = None) -> int:
    with pytest.raises(HTTPException) as why:
        await ask(who, resource, action, value)
    return int(why.value.status_code)


def by(role: Role) -> Any:
    return user(Caller("ada_park" if role == "customer" else f"{role}-1", role))


ALLOWED: dict[tuple[str, str], set[Role]] = {
    ("assistants", "read"): set(ROLES),
    ("assistants", "search"): set(ROLES),
    ("threads", "read"): set(ROLES),
    ("threads", "search"): set(ROLES),
    ("threads", "create"): {"customer", "channel", "service"},
    ("threads", "create_run"): {"customer", "channel"},  # this one: a conversation's message
    ("threads", "delete"): {"operator", "service"},
    ("crons", "create"): {"service"},
    ("crons", "read"): {"service"},
    ("crons", "update"): {"service"},
    ("crons", "delete"): {"service"},
    ("crons", "search"): {"service"},
}


def test_the_list_of_what_can_be_asked_is_the_sdks() -> None:
    assert ALLOWED.keys() < set(everything())
    assert {("threads", "update"), ("store", "put")} < set(everything()) - ALLOWED.keys()


@pytest.mark.parametrize("role", ROLES)
async def test_everything_is_denied_that_is_not_allowed_by_name(role: Role) -> None:
    for resource, action in everything():
        value = run() if action == "create_run" else {"metadata": {}, "thread_id": uuid4()}
        if role in ALLOWED.get((resource, action), ()):
            assert await ask(by(role), resource, action, value) is not False
        else:
            assert await refused(by(role), resource, action, value) == 403, (resource, action)


@pytest.mark.parametrize(
    "who",
    [
        SimpleNamespace(identity="ann", permissions=["role:root"]),
        SimpleNamespace(identity="ann"),
        SimpleNamespace(identity=None),
    ],
)
async def test_who_has_no_known_role_is_denied_everything(who: Any) -> None:
    for resource, action in everything():
        assert await refused(who, resource, action, {"metadata": {}}) == 403, (resource, action)


@pytest.mark.parametrize("role", ["customer", "channel"])
async def test_nobody_sits_on_the_thread_of_an_order_to_come(role: Role) -> None:
    value = {"thread_id": UUID(order_thread("W-2001")), "metadata": {}}
    assert await refused(by(role), "threads", "create", value) == 403


async def test_a_thread_belongs_to_who_made_it_whatever_the_client_says() -> None:
    value = {"thread_id": uuid4(), "metadata": {"owner": "ben_ortiz", "customer_id": "ben_ortiz", "page": "help"}}

    assert await ask(by("customer"), "threads", "create", value) == {"owner": "ada_park"}
    assert value["metadata"] == {"owner": "ada_park", "customer_id": "ada_park", "page": "help"}


async def test_a_thread_is_not_copied() -> None:
    assert await refused(by("customer"), "threads", "create", {"thread_id": uuid4()}) == 403


@pytest.mark.parametrize("role", ROLES)
async def test_customers_and_channels_see_their_own_threads_and_staff_all(role: Role) -> None:
    seen = {"owner": by(role).identity} if role in ("customer", "channel") else True

    assert await ask(by(role), "threads", "read") == seen
    assert await ask(by(role), "threads", "search") == seen


async def test_a_run_starts_on_an_own_thread_only() -> None:
    value = run() | {"metadata": {"owner": "ben_ortiz"}}

    assert await ask(by("customer"), "threads", "create_run", value) == {"owner": "ada_park"}
    assert value["metadata"] == {"owner": "ada_park"}


async def test_staff_answers_on_anybodys_thread() -> None:
    value = run("order_processing", input=None, command=ANSWER)

    assert await ask(by("order_manager"), "threads", "create_run", value) is True


@pytest.mark.parametrize("role", ["operator", "service"])
async def test_only_the_thread_that_a_run_of_the_reconciler_was_given_is_deleted_by_who_started_it(role: Role) -> None:
    value = run("reconciler") | {"metadata": {"owner": "ben_ortiz"}}

    assert await ask(by(role), "threads", "create_run", value) is True
    assert value["metadata"] == await ask(by(role), "threads", "delete", {"thread_id": uuid4()})


@pytest.mark.parametrize(("value", "status"), [(run(webhook="http://127.0.0.1:9/"), 403), (run(input={}), 422)])
async def test_a_run_that_the_rules_refuse_is_refused_with_their_status(value: Any, status: int) -> None:
    assert await refused(by("customer"), "threads", "create_run", value) == status


STUDIO = [StudioUser("langgraph-studio-user"), user(Caller(STUDIO_IDENTITY, "order_manager"))]


@pytest.mark.parametrize("studio", STUDIO)
async def test_studio_is_refused_everything_unless_it_is_switched_on(studio: Any) -> None:
    for resource, action in everything():
        value = run() if action == "create_run" else {"metadata": {}, "thread_id": uuid4()}
        assert await refused(studio, resource, action, value) == 403, (resource, action)


@pytest.mark.parametrize("studio", STUDIO)
async def test_studio_switched_on_is_a_channel_and_never_an_approver(
    studio: Any, tokens: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, Settings(tokens_file=tokens, studio_mode="on"))

    assert await ask(studio, "threads", "create_run", run()) == {"owner": STUDIO_IDENTITY}
    answer = run("order_processing", input=None, command=ANSWER)
    assert await refused(studio, "threads", "create_run", answer) == 403
    assert await refused(studio, "crons", "create") == 403
    assert await refused(studio, "threads", "update") == 403


async def test_the_service_account_is_known_by_its_bare_identity() -> None:
    cron = SimpleNamespace(identity="service-1")

    assert await ask(cron, "crons", "search") is True
    value = run("reconciler", config={"configurable": {"cron_id": str(uuid4())}})
    assert await ask(cron, "threads", "create_run", value) is True


def token_of(path: Path, role: Role) -> bytes:
    return next(token for token, caller in read_tokens(path).items() if caller.role == role).encode()


async def authenticated(headers: dict[bytes, bytes], path: str = "/threads") -> Any:
    return await wall.authenticate(headers, path)


@pytest.mark.parametrize("role", ROLES)
async def test_a_token_says_who_is_calling_in_either_header(tokens: Path, role: Role) -> None:
    token = token_of(tokens, role)

    by_key = await authenticated({b"x-api-key": token})
    by_bearer = await authenticated({b"authorization": b"Bearer " + token})

    assert by_key == by_bearer
    assert by_key["permissions"] == [f"role:{role}"]
    assert by_key["is_authenticated"] is True


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {b"x-api-key": b""},
        {b"authorization": b""},
        {b"authorization": b"Bearer "},
        {b"authorization": b"Basic YWRtaW46YWRtaW4="},
        {b"x-api-key": b"wrong"},
        {b"x-api-key": b"\xff\xfe"},
        {b"x-auth-scheme": b"langsmith"},
        {b"authorization": b"bearer"},
    ],
    ids=str,
)
async def test_without_a_known_token_nobody_comes_in(headers: dict[bytes, bytes]) -> None:
    with pytest.raises(HTTPException) as why:
        await authenticated(headers)

    assert why.value.status_code == 401
    assert why.value.detail


async def test_health_is_open_and_nothing_else() -> None:
    nobody = await authenticated({}, "/ops/health")

    assert nobody["permissions"] == []
    for path in ("/ops/metrics", "/ops/orders/W-1001", "/ops/health/", "/", "/threads"):
        with pytest.raises(HTTPException):
            await authenticated({}, path)


@pytest.mark.parametrize(
    ("damage", "what_to_do"),
    [
        (lambda path: path.chmod(0o644), "chmod 600"),
        (lambda path: path.write_text("{"), "is not a token file"),
        (lambda path: path.unlink(), "run `make setup`"),
    ],
    ids=["readable by others", "broken", "missing"],
)
async def test_a_token_file_that_cannot_be_used_lets_nobody_in_and_says_what_to_do(
    tokens: Path, damage: Callable[[Path], Any], what_to_do: str
) -> None:
    token = token_of(tokens, "admin")
    damage(tokens)

    with pytest.raises(HTTPException) as why:
        await authenticated({b"x-api-key": token})

    assert why.value.status_code == 401
    assert what_to_do in why.value.detail


def renew(tokens: Path) -> None:
    tokens.unlink()
    create_tokens(tokens)


async def test_a_token_that_is_taken_away_stops_working_at_once(tokens: Path) -> None:
    token = token_of(tokens, "admin")
    await authenticated({b"x-api-key": token})
    renew(tokens)

    with pytest.raises(HTTPException):
        await authenticated({b"x-api-key": token})
