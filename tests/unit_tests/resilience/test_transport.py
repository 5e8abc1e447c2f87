"""The transport as a whole: what callers get, what the breaker hears, and the order of the stages."""

import asyncio
import gzip
from typing import Any

import httpx
import pytest

from agent.resilience import CircuitBreaker, CircuitOpenError
from agent.resilience.capacity import LocalRejectionError
from agent.resilience.credentials import TokenAuth
from agent.resilience.response_cache import CacheRules
from agent.resilience.transport import AnswerTooLongError, ClientWire, TransportConfig

from .flights import state
from .wires import URL, Gate, Wire, breaker, client, until


def kinds(guard: CircuitBreaker) -> set[str]:
    """The kinds of failure that the breaker has heard of."""
    return set(guard.snapshot().last_errors)


async def test_a_good_answer_comes_as_it_was_sent() -> None:
    answer = httpx.Response(201, headers={"x-id": "7"}, json={"done": True}, extensions={"http_version": b"HTTP/2"})
    async with client(Wire(lambda _: answer)) as http:
        got = await http.post(URL, json={"do": "it"})
    assert (got.status_code, got.headers["x-id"], got.json(), got.http_version) == (201, "7", {"done": True}, "HTTP/2")


async def test_a_packed_body_is_unpacked_once() -> None:
    packed = httpx.Response(200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(gzip.compress(b"plain")))
    async with client(Wire(lambda _: packed)) as http:
        assert (await http.get(URL)).content == b"plain"


async def test_two_services_at_one_address_share_a_client_and_no_breaker() -> None:
    wire, seen = Wire(lambda _: httpx.Response(200, json={"well": True})), []

    async def see(request: httpx.Request) -> None:
        seen.append(request.url.path)

    guard = breaker()
    async with httpx.AsyncClient(transport=wire, event_hooks={"request": [see]}) as shared:
        cards, parcels = client(ClientWire(shared), guard), client(ClientWire(shared))
        await cards.get("http://backend/cards")
        guard.force_open()
        with pytest.raises(CircuitOpenError):
            await cards.get("http://backend/cards")
        assert (await parcels.get("http://backend/parcels")).json() == {"well": True}
    assert seen == ["/cards", "/parcels"]


async def test_closing_the_client_closes_the_wire() -> None:
    wire = Wire()
    async with client(ClientWire(httpx.AsyncClient(transport=wire))):
        pass
    assert wire.closed


@pytest.mark.parametrize(
    ("status", "kind"),
    [(500, "server_error"), (503, "overload"), (429, "rate_limit"), (401, "auth"), (403, "auth")],
)
async def test_a_failing_answer_reaches_the_caller_and_counts_by_its_kind(status: int, kind: str) -> None:
    guard = breaker(minimum_number_of_calls=1)
    sent = httpx.Response(status, headers={"x-why": "busy"}, content=b"not now")
    async with client(Wire(lambda _: sent), guard) as http:
        got = await http.get(URL)
        assert (got.status_code, got.headers["x-why"], got.content) == (status, "busy", b"not now")
        assert kinds(guard) == {kind}


async def test_a_retry_after_opens_the_breaker_for_that_long() -> None:
    guard = breaker()
    busy = httpx.Response(429, headers={"retry-after": "17"})
    async with client(Wire(lambda _: busy), guard) as http:
        assert (await http.get(URL)).headers["retry-after"] == "17"
        with pytest.raises(CircuitOpenError) as refused:
            await http.get(URL)
    assert refused.value.retry_after == pytest.approx(17, abs=1)


@pytest.mark.parametrize("status", [400, 404, 409, 422])
async def test_an_answer_to_a_wrong_request_is_no_failure(status: int) -> None:
    guard = breaker(minimum_number_of_calls=1)
    async with client(Wire(status), guard) as http:
        assert (await http.get(URL)).status_code == status
    assert (state(guard), kinds(guard)) == ("closed", set())


async def test_what_the_wire_raises_comes_out_as_it_is_and_counts() -> None:
    guard, down = breaker(minimum_number_of_calls=1), httpx.ConnectError("refused")

    def raises(_: httpx.Request) -> httpx.Response:
        raise down

    async with client(Wire(raises), guard) as http:
        with pytest.raises(httpx.ConnectError) as raised:
            await http.get(URL)
        assert raised.value is down
        with pytest.raises(CircuitOpenError):
            await http.get(URL)


async def test_an_open_breaker_sends_nothing() -> None:
    guard, wire = breaker(), Wire()
    guard.force_open()
    async with client(wire, guard) as http:
        with pytest.raises(CircuitOpenError):
            await http.get(URL)
    assert wire.requests == []


@pytest.mark.parametrize(
    ("answer", "counts"),
    [
        (httpx.Response(200, html="<html>Please log in</html>"), True),
        (httpx.Response(302, headers={"location": "/login"}), True),
        (httpx.Response(404, html="<html>"), False),
        (httpx.Response(200, json={}), False),
        (httpx.Response(200, headers={"content-type": "Application/JSON; charset=utf-8"}), False),
        (httpx.Response(204), False),
    ],
)
async def test_a_page_where_data_is_due_is_a_bad_response(answer: httpx.Response, counts: bool) -> None:
    guard = breaker(minimum_number_of_calls=1)
    async with client(Wire(lambda _: answer), guard, media_type="application/json") as http:
        assert (await http.get(URL)).status_code == answer.status_code
    assert kinds(guard) == ({"bad_response"} if counts else set())


async def test_a_redirect_is_followed_by_a_client_that_follows_them() -> None:
    guard = breaker(minimum_number_of_calls=1)
    wire = Wire(
        lambda request: httpx.Response(302 if request.url.path == "/things" else 200, headers={"location": "/"})
    )
    async with client(wire, guard) as http:
        assert (await http.get(URL, follow_redirects=True)).status_code == 200
    assert kinds(guard) == set()


async def test_an_answer_without_end_is_cut_off_and_counts() -> None:
    guard = breaker(minimum_number_of_calls=1)
    async with client(Wire(lambda _: httpx.Response(200, content=b"x" * 101)), guard, max_body=100) as http:
        with pytest.raises(AnswerTooLongError, match="backend: an answer of more than 100 bytes"):
            await http.get(URL)
    assert kinds(guard) == {"bad_response"}


async def test_a_cached_answer_passes_no_breaker_and_costs_no_call_of_the_rate() -> None:
    guard, wire = breaker(), Wire()
    rules = CacheRules(seconds={"GET /things": 60})
    async with client(wire, guard, rate="1/hour", rate_wait=0, cache=rules) as http:
        await http.get(URL)
        guard.force_open()
        assert (await http.get(URL)).extensions["from_cache"]
    assert len(wire.requests) == 1


async def test_a_call_that_finds_no_room_in_the_rate_asks_for_no_token_and_no_breaker() -> None:
    guard, fetched = breaker(), []

    async def fetch() -> str:
        fetched.append("token")
        return "token"

    async with client(Wire(), guard, TokenAuth(fetch), rate="1/hour", rate_wait=0) as http:
        await http.get(URL)
        guard.force_open()
        with pytest.raises(LocalRejectionError):
            await http.get(URL)
    assert fetched == ["token"]


async def test_a_call_that_the_breaker_refuses_has_cost_one_of_the_rate() -> None:
    guard = breaker()
    guard.force_open()
    async with client(Wire(), guard, rate="1/hour", rate_wait=0) as http:
        with pytest.raises(CircuitOpenError):
            await http.get(URL)
        with pytest.raises(LocalRejectionError):
            await http.get(URL)


async def test_a_call_that_the_breaker_refuses_waits_for_no_place() -> None:
    guard, gate = breaker(), Gate()
    wire = Wire(gate)
    async with client(wire, guard, max_concurrent=1, concurrency_wait=3600) as http:
        first = asyncio.ensure_future(http.get(URL))
        await until(lambda: wire.here)
        guard.force_open()
        with pytest.raises(CircuitOpenError):
            await http.get(URL)
        gate.open()
        await first


@pytest.mark.parametrize(
    "wrong",
    [{"max_concurrent": 0}, {"timeout": 0}, {"max_body": 0}, {"rate_wait": -1}, {"concurrency_wait": -0.1}],
    ids=str,
)
def test_a_bound_that_is_none_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        TransportConfig(name="backend", **wrong)


def test_a_rate_that_cannot_be_read_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="rate"):
        client(Wire(), rate="often")
