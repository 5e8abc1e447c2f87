"""The outer wall: who may do what on the platform's API."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from langgraph_sdk import Auth
from langgraph_sdk.auth.types import StudioUser

from agent import identity
from agent.approvals.index import entry
from agent.identity import APPROVER_ROLES, ROLES, STUDIO_IDENTITY, Caller, Role, owner_by
from agent.platform import order_thread
from agent.server import auth as wall
from agent.server import limits
from agent.server.permissions import PERMISSIONS, STUDIO, Who
from agent.services import Services
from agent.settings import Settings
from agent.tokens import create_tokens, read_tokens
from tests.support.approvals import ask as open_request
from tests.support.approvals import order
from tests.support.threads import events, user

from .test_rules import run

HTTPException = Auth.exceptions.HTTPException


@pytest.fixture(autouse=True)
def tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The server's settings name this token file; Studio is off."""
    path = tmp_path / "tokens.json"
    create_tokens(path)
    use(monkeypatch, Settings(tokens_file=path))
    limits._limiter.cache_clear()
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


def in_mode(who: Who, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Somebody of this role; for Studio, on a server of that mode."""
    if who not in STUDIO:
        return by(cast(Role, who))
    use(monkeypatch, Settings.model_validate({"studio_mode": who.removeprefix("studio:")}))
    return SimpleNamespace(identity=STUDIO_IDENTITY, permissions=[])


def value_of(resource: str, action: str, who: Who) -> dict[str, Any]:
    """What whoever may do it would send."""
    if (resource, action) == ("threads", "create_run"):
        graph = "reconciler" if who in ("operator", "service") else "customer_service"
        return run(graph)
    metadata = {"awaiting": "order_manager"} if action == "update" else {}
    return {"metadata": metadata, "thread_id": uuid4()}


def owner(who: Who, caller: Any) -> str:
    return f"{'channel' if who in STUDIO else who}:{caller.identity}"


PAIRS = [*everything(), ("threads", "explode"), ("secrets", "read")]
WHO: list[Who] = [*ROLES, *STUDIO]


def test_the_table_names_nothing_that_the_sdk_does_not_know() -> None:
    assert PERMISSIONS.keys() < set(everything())


@pytest.mark.parametrize("who", WHO)
async def test_each_may_do_what_the_table_says_and_nothing_else(who: Who, monkeypatch: pytest.MonkeyPatch) -> None:
    user_ = in_mode(who, monkeypatch)
    allowed: dict[tuple[str, str], Any] = {}
    for resource, action in PAIRS:
        try:
            allowed[resource, action] = await ask(user_, resource, action, value_of(resource, action, who))
        except HTTPException as why:
            assert why.status_code == 403, (resource, action)  # noqa: PT017  (which of many it was is told)

    said = {pair: whose[who] for pair, whose in PERMISSIONS.items() if who in whose}
    if who in APPROVER_ROLES:  # approvers answer, and start nothing
        del said["threads", "create_run"]
    assert allowed == {pair: True if whose == "all" else {"owner": owner(who, user_)} for pair, whose in said.items()}


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
    value = {"thread_id": UUID(order_thread("W-2001", "customer:ada_park")), "metadata": {}}
    assert await refused(by(role), "threads", "create", value) == 403


async def test_a_thread_belongs_to_who_made_it_whatever_the_client_says() -> None:
    value = {"thread_id": uuid4(), "metadata": {"owner": "ben_ortiz", "customer_id": "ben_ortiz", "graph_id": "x"}}

    assert await ask(by("customer"), "threads", "create", value) == {"owner": "customer:ada_park"}
    assert value["metadata"] == {"owner": "customer:ada_park", "customer_id": "ada_park", "graph_id": "x"}


@pytest.mark.parametrize("metadata", [{"page": "help"}, {"awaiting": "order_manager"}, {"graph_id": "x" * 101}])
@pytest.mark.parametrize("role", ["customer", "channel"])
async def test_what_outsiders_may_say_of_a_thread_is_listed(role: Role, metadata: dict[str, Any]) -> None:
    value = {"thread_id": uuid4(), "metadata": metadata}

    assert await refused(by(role), "threads", "create", value) == 422


OUTSIDE: tuple[Role, ...] = ("customer", "channel")


@pytest.mark.parametrize("way", ["create", "run", "reconciler"])
@pytest.mark.parametrize(("mine", "other"), [(mine, other) for mine in OUTSIDE for other in ROLES if other != mine])
async def test_a_thread_is_one_roles_however_it_was_made_and_whoever_else_has_that_name(
    mine: Role, other: Role, way: str
) -> None:
    me = user(Caller("same", mine))
    made: dict[str, Any] = {"metadata": {}, "thread_id": uuid4()} | ({} if way == "create" else run())
    if way == "reconciler":  # which knows from the ledger who acted, and for whom
        made["metadata"] = {"owner": owner_by("same", "same" if mine == "customer" else "ada_park")}
    else:
        await ask(me, "threads", "create" if way == "create" else "create_run", made)

    for action in ("read", "search"):
        assert await ask(me, "threads", action) == {"owner": made["metadata"]["owner"]}
        whose = PERMISSIONS["threads", action][other]
        theirs = await ask(user(Caller("same", other)), "threads", action)
        assert theirs is True if whose == "all" else theirs != {"owner": made["metadata"]["owner"]}


async def test_a_thread_is_not_copied() -> None:
    assert await refused(by("customer"), "threads", "create", {"thread_id": uuid4()}) == 403


async def test_a_run_starts_on_an_own_thread_only() -> None:
    value = run() | {"metadata": {"owner": "ben_ortiz"}}

    assert await ask(by("customer"), "threads", "create_run", value) == {"owner": "customer:ada_park"}
    assert value["metadata"] == {"owner": "customer:ada_park"}


async def test_an_operator_deletes_only_the_thread_that_a_run_of_the_reconciler_was_given() -> None:
    value = run("reconciler") | {"metadata": {"owner": "ben_ortiz"}}

    assert await ask(by("operator"), "threads", "create_run", value) is True
    assert value["metadata"] == await ask(by("operator"), "threads", "delete", {"thread_id": uuid4()})


async def test_the_service_account_deletes_the_threads_of_whoever_is_to_be_forgotten() -> None:
    assert await ask(by("service"), "threads", "delete", {"thread_id": uuid4()}) is True


@pytest.mark.parametrize(("value", "status"), [(run(webhook="http://127.0.0.1:9/"), 403), (run(input={}), 422)])
async def test_a_run_that_the_rules_refuse_is_refused_with_their_status(value: Any, status: int) -> None:
    assert await refused(by("customer"), "threads", "create_run", value) == status


async def test_the_service_account_may_write_what_the_index_says_of_a_request(shop: Services) -> None:
    said = entry(await open_request(shop.approvals, order(), "large_order"))

    assert await ask(by("service"), "threads", "update", {"thread_id": uuid4(), "metadata": said}) is True


@pytest.mark.parametrize("action", ["update", "create_run"])
async def test_a_denial_is_an_event(action: str) -> None:
    denied = events("request.denied")
    assert await refused(by("order_manager"), "threads", action, run()) == 403
    assert events("request.denied") == denied + 1


@pytest.mark.parametrize(
    "value",
    [
        {"thread_id": uuid4()},  # the state
        {"thread_id": uuid4(), "metadata": {}},
        {"thread_id": uuid4(), "action": "interrupt", "metadata": {"run_ids": [uuid4()], "status": None}},
        {"thread_id": uuid4(), "metadata": {"owner": "ben_ortiz"}},
        {"thread_id": uuid4(), "metadata": {"awaiting": "order_manager", "owner": "ben_ortiz"}},
    ],
    ids=["state", "nothing", "a run's end", "owner", "owner beside the index"],
)
async def test_the_service_account_writes_the_index_and_nothing_else(value: Any) -> None:
    assert await refused(by("service"), "threads", "update", value) == 403


async def test_a_customer_who_starts_too_much_is_told_when_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, Settings(customer_rate="1/minute"))
    await ask(by("customer"), "threads", "create_run", run())

    with pytest.raises(HTTPException) as why:
        await ask(by("customer"), "threads", "create_run", run())

    assert why.value.status_code == 429
    assert int((why.value.headers or {})["Retry-After"]) >= 1


async def test_threads_count_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, Settings(customer_rate="2/minute"))
    for _ in range(2):
        await ask(by("customer"), "threads", "create", {"thread_id": uuid4(), "metadata": {}})

    assert await refused(by("customer"), "threads", "create", {"thread_id": uuid4(), "metadata": {}}) == 429
    assert await refused(by("customer"), "threads", "create_run", run()) == 429


@pytest.mark.parametrize("mode", ["off", "read", "act"])
async def test_a_studio_user_that_the_platform_let_in_by_itself_is_nobody(
    mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, Settings.model_validate({"studio_mode": mode}))
    for resource, action in everything():
        assert await refused(StudioUser("langgraph-studio-user"), resource, action, run()) == 403, (resource, action)


async def test_studio_that_is_off_is_refused_everything() -> None:
    studio = user(Caller(STUDIO_IDENTITY, "order_manager"))
    for resource, action in everything():
        assert await refused(studio, resource, action, run()) == 403, (resource, action)


async def test_the_service_account_is_known_by_its_bare_identity() -> None:
    cron = SimpleNamespace(identity="service-1")

    assert await ask(cron, "crons", "search") is True
    value = run("reconciler", config={"configurable": {"cron_id": str(uuid4())}})
    assert await ask(cron, "threads", "create_run", value) is True


def token_of(path: Path, role: Role) -> bytes:
    return next(token for token, caller in read_tokens(path).items() if caller.role == role).encode()


HERE = {"client": ("127.0.0.1", 50000)}


async def authenticated(headers: dict[bytes, bytes], path: str = "/threads", scope: Any = HERE) -> Any:
    return await wall.authenticate(headers, path, scope)


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
        {b"x-auth-scheme": b"other"},
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
    for path in ("/ops/metrics", "/ops/orders/W-1001", "/ops/health/", "/", "/threads", "/desks", "/deskx/shell.js"):
        with pytest.raises(HTTPException):
            await authenticated({}, path)


@pytest.mark.parametrize("path", ["/desk", "/desk/", "/desk/shell.js"])
async def test_the_page_of_the_desk_is_open_to_anyone_who_has_no_rights_by_that(path: str) -> None:
    assert (await authenticated({}, path))["permissions"] == []


@pytest.mark.parametrize(
    ("damage", "what_to_do"),
    [
        (lambda path: path.chmod(0o622), "chmod go-w"),
        (lambda path: path.write_text("{"), "is not a file of digests"),
        (lambda path: path.unlink(), "run `make setup`"),
    ],
    ids=["others could change it", "broken", "missing"],
)
async def test_a_file_of_digests_that_cannot_be_used_lets_nobody_in_and_says_what_to_do(
    tokens: Path, damage: Callable[[Path], Any], what_to_do: str
) -> None:
    token = token_of(tokens, "admin")
    damage(tokens.with_suffix(".sha256.json"))

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


STUDIO_HEADERS = {b"x-auth-scheme": b"langsmith", b"host": b"127.0.0.1:2024"}


async def knocks(headers: dict[bytes, bytes], scope: Any = HERE) -> tuple[int, str]:
    with pytest.raises(HTTPException) as why:
        await authenticated(headers, scope=scope)
    return why.value.status_code, why.value.detail


async def test_studio_is_not_let_in_while_it_is_off() -> None:
    assert await knocks(STUDIO_HEADERS) == (403, "Studio is switched off: see STUDIO_MODE")


@pytest.mark.parametrize("mode", ["read", "act"])
@pytest.mark.parametrize(
    ("client", "host"),
    [
        (("127.0.0.1", 50000), b"127.0.0.1:2024"),
        (("127.0.0.1", 50000), b"localhost:2024"),
        (("::1", 50000, 0, 0), b"[::1]:2024"),
        (("127.0.0.1", 50000), b"localhost"),
    ],
)
async def test_studio_on_this_machine_is_nobody_with_a_role(
    mode: str, client: Any, host: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, Settings.model_validate({"studio_mode": mode}))

    came = await authenticated(STUDIO_HEADERS | {b"host": host}, scope={"client": client})

    assert (came["identity"], came["permissions"]) == (STUDIO_IDENTITY, [])


@pytest.mark.parametrize("mode", ["read", "act"])
@pytest.mark.parametrize(
    ("client", "host"),
    [
        (("10.1.2.3", 50000), b"127.0.0.1:2024"),
        (("127.0.0.1", 50000), b"rebound.example:2024"),
        (("127.0.0.1", 50000), b"127.0.0.1.rebound.example"),
        (("127.0.0.1", 50000), b""),
        (None, b"127.0.0.1:2024"),
    ],
)
async def test_studio_from_elsewhere_or_under_another_name_is_not_let_in(
    mode: str, client: Any, host: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, Settings.model_validate({"studio_mode": mode}))

    status, why = await knocks(STUDIO_HEADERS | {b"host": host}, {"client": client})

    assert (status, why) == (403, "Studio is let in from the server's own machine only")


@pytest.mark.parametrize("origin", [
    b"http://localhost:3000", b"https://dev.agentinbox.ai", b"http://127.0.0.1:2024", b"null", b"",
    b"https://smith.langchain.com.page.example", b"http://smith.langchain.com", b"https://smith.langchain.com:444",
])  # fmt: skip
async def test_another_page_is_not_studio(origin: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, Settings(studio_mode="act"))

    status, why = await knocks(STUDIO_HEADERS | {b"origin": origin})

    assert (status, why) == (403, "Studio is https://smith.langchain.com: another page needs a token")


async def test_studios_own_page_is_let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, Settings(studio_mode="act"))

    came = await authenticated(STUDIO_HEADERS | {b"origin": b"https://smith.langchain.com"})

    assert came["identity"] == STUDIO_IDENTITY


async def test_a_token_beside_studios_header_does_not_make_it_more(
    tokens: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, Settings(tokens_file=tokens, studio_mode="act"))

    came = await authenticated(STUDIO_HEADERS | {b"x-api-key": token_of(tokens, "admin")})

    assert (came["identity"], came["permissions"]) == (STUDIO_IDENTITY, [])
