"""Which answers are kept, for how long, and that two who ask never share one."""

from collections.abc import AsyncIterator, Mapping

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent.resilience.response_cache import CacheRules, ResponseCache

from .flights import Clock
from .wires import URL, Wire, client

NAMES = st.sampled_from(["authorization", "cookie", "x-tenant", "x-api-key", "accept-language"])
HEADERS = st.dictionaries(NAMES, st.text("ab", min_size=1, max_size=2), max_size=3)


def rules(identity: frozenset[str] | None = None, **more: int) -> CacheRules:
    return CacheRules(seconds={"GET /things*": 60, "POST /search": 5}, identity=identity, **more)


def asks(url: str = URL, method: str = "GET", headers: Mapping[str, str] = {}, body: bytes = b"") -> httpx.Request:
    return httpx.Request(method, url, headers=headers, content=body)


def says(text: str = "", **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(200, headers=named, content=text.encode())


async def test_an_operation_that_is_named_is_asked_once() -> None:
    wire = Wire(lambda _: says("kept", x_id="7"))
    async with client(wire, cache=rules()) as http:
        first, second = await http.get(URL), await http.get(URL)
    assert len(wire.requests) == 1
    assert (second.text, second.headers["x-id"]) == (first.text, first.headers["x-id"]) == ("kept", "7")
    assert ("from_cache" in first.extensions, "from_cache" in second.extensions) == (False, True)


@pytest.mark.parametrize(("method", "path"), [("GET", "/other"), ("POST", "/things"), ("DELETE", "/things")])
async def test_an_operation_that_is_not_named_is_asked_each_time(method: str, path: str) -> None:
    wire = Wire()
    async with client(wire, cache=rules()) as http:
        await http.request(method, f"http://backend{path}")
        await http.request(method, f"http://backend{path}")
    assert len(wire.requests) == 2


async def test_what_streams_is_asked_each_time() -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"query"

    wire = Wire()
    async with client(wire, cache=rules()) as http:
        await http.post("http://backend/search", content=body())
        await http.post("http://backend/search", content=body())
    assert len(wire.requests) == 2


@pytest.mark.parametrize("status", [201, 206, 301, 404, 500, 503])
async def test_only_a_plain_good_answer_is_kept(status: int) -> None:
    wire = Wire(status)
    async with client(wire, cache=rules()) as http:
        await http.get(URL)
        await http.get(URL)
    assert len(wire.requests) == 2


async def test_a_page_where_data_is_due_is_not_kept() -> None:
    wire = Wire(lambda _: httpx.Response(200, html="<html>"))
    async with client(wire, cache=rules(), media_type="application/json") as http:
        await http.get(URL)
        await http.get(URL)
    assert len(wire.requests) == 2


def test_an_answer_is_gone_when_its_time_is_over() -> None:
    clock = Clock()
    cache = ResponseCache(rules(), clock)
    cache.keep(asks(), says())
    clock.advance(59.9)
    assert cache.find(asks())
    clock.advance(0.1)
    assert cache.find(asks()) is None


def test_the_one_used_longest_ago_makes_room() -> None:
    cache = ResponseCache(rules(most=2))
    one, two, three = (asks(f"{URL}/{number}") for number in range(3))
    cache.keep(one, says())
    cache.keep(two, says())
    assert cache.find(one)
    cache.keep(three, says())
    assert [bool(cache.find(each)) for each in (one, two, three)] == [True, False, True]


@pytest.mark.parametrize(
    "other",
    [
        asks(f"{URL}?page=2"),
        asks("http://elsewhere/things"),
        asks("https://backend/things"),
        asks(headers={"authorization": "Bearer b"}),
        asks(headers={"cookie": "session=b"}),
        asks(headers={"x-tenant": "b"}),
    ],
    ids=repr,
)
def test_another_question_or_asker_gets_nothing(other: httpx.Request) -> None:
    cache = ResponseCache(rules())
    cache.keep(asks(), says())
    assert cache.find(other) is None


def test_another_body_is_another_question() -> None:
    cache = ResponseCache(rules())
    search = "http://backend/search"
    cache.keep(asks(search, "POST", body=b"lamps"), says())
    assert cache.find(asks(search, "POST", body=b"clocks")) is None
    assert cache.find(asks(search, "POST", body=b"lamps"))


@given(one=HEADERS, other=HEADERS, identity=st.none() | st.frozensets(NAMES))
@example(one={"cookie": "a", "x-tenant": "a"}, other={"x-tenant": "a", "cookie": "a"}, identity=None)
def test_two_identities_never_share(
    one: dict[str, str], other: dict[str, str], identity: frozenset[str] | None
) -> None:
    def who(headers: dict[str, str]) -> dict[str, str]:
        return {name: value for name, value in headers.items() if identity is None or name in identity}

    cache = ResponseCache(rules(identity))
    cache.keep(asks(headers=one), says("for one"))
    assert bool(cache.find(asks(headers=other))) == (who(one) == who(other))


def test_a_header_that_is_not_of_the_identity_does_not_part_askers() -> None:
    cache = ResponseCache(rules(frozenset({"Authorization"})))
    cache.keep(asks(headers={"authorization": "Bearer a", "x-request-id": "1"}), says())
    assert cache.find(asks(headers={"authorization": "Bearer a", "x-request-id": "2"}))


@pytest.mark.parametrize(
    ("identity", "headers", "kept"),
    [
        (None, {"vary": "accept, x-tenant"}, True),
        (None, {"vary": "*"}, False),
        (frozenset({"Authorization"}), {"vary": "authorization"}, True),
        (frozenset({"Authorization"}), {"vary": "Authorization, X-Tenant"}, False),
        (frozenset({"Authorization"}), {"vary": "*"}, False),
        (None, {"set_cookie": "session=a"}, False),
        (None, {"cache_control": "private, No-Store"}, False),
        (None, {"cache_control": "max-age=1"}, True),
    ],
)
def test_what_an_answer_says_of_itself_is_heard(
    identity: frozenset[str] | None, headers: dict[str, str], kept: bool
) -> None:
    cache = ResponseCache(rules(identity))
    cache.keep(asks(), says(**headers))
    assert bool(cache.find(asks())) is kept


async def test_no_caller_can_change_what_the_next_one_gets() -> None:
    async with client(Wire(lambda _: says("kept", x_id="7")), cache=rules()) as http:
        for _ in range(3):
            got = await http.get(URL)
            assert (got.text, got.headers["x-id"]) == ("kept", "7")
            got.headers["x-id"] = "8"
