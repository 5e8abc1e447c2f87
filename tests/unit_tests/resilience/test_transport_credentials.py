"""Who we are to a backend: the header that is sent, tokens that are renewed once, and that nobody sees them."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest

from agent.resilience import CircuitOpenError
from agent.resilience.credentials import HeaderAuth, TokenAuth
from agent.resilience.transport import CredentialUnavailableError

from .flights import state
from .wires import URL, Wire, breaker, client, until


class Tokens:
    """A source that gives `token-1`, `token-2` and so on."""

    def __init__(self) -> None:
        self.given = 0

    async def fetch(self) -> str:
        self.given += 1
        await asyncio.sleep(0)
        return f"token-{self.given}"


def taking(*good: str) -> Callable[[httpx.Request], httpx.Response]:
    """A backend that takes these values of the header and refuses others."""
    return lambda request: httpx.Response(200 if request.headers["authorization"] in good else 401)


async def test_a_fixed_header_is_sent_and_replaces_the_callers() -> None:
    wire = Wire()
    async with client(wire, auth=HeaderAuth("X-Api-Key", "k1")) as http:
        await http.get(URL, headers={"x-api-key": "other"})
    assert wire.requests[0].headers["x-api-key"] == "k1"


async def test_a_fixed_header_that_is_refused_is_not_sent_again() -> None:
    wire, guard = Wire(401), breaker(minimum_number_of_calls=1)
    async with client(wire, guard, HeaderAuth("Authorization", "Bearer k1")) as http:
        assert (await http.get(URL)).status_code == 401
    assert len(wire.requests) == 1
    assert set(guard.snapshot().last_errors) == {"auth"}


async def test_a_token_is_fetched_once_for_all_calls() -> None:
    tokens, wire = Tokens(), Wire()
    async with client(wire, auth=TokenAuth(tokens.fetch)) as http:
        await asyncio.gather(*(http.get(URL) for _ in range(5)))
    assert {request.headers["authorization"] for request in wire.requests} == {"Bearer token-1"}
    assert tokens.given == 1


async def test_a_refused_token_is_renewed_and_the_request_sent_again_with_its_body() -> None:
    tokens, bodies = Tokens(), []

    async def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(await request.aread())
        return taking("Bearer token-2")(request)

    async with client(Wire(answer), auth=TokenAuth(tokens.fetch)) as http:
        assert (await http.post(URL, content=b"the body")).status_code == 200
    assert bodies == [b"the body"] * 2


async def test_a_token_is_renewed_once_and_then_the_refusal_is_the_answer() -> None:
    tokens, wire, guard = Tokens(), Wire(401), breaker(minimum_number_of_calls=1)
    async with client(wire, guard, TokenAuth(tokens.fetch)) as http:
        assert (await http.get(URL)).status_code == 401
    assert (len(wire.requests), tokens.given) == (2, 2)
    assert state(guard) == "open"


async def test_many_calls_with_one_old_token_renew_it_once_and_open_no_breaker() -> None:
    tokens, guard = Tokens(), breaker(minimum_number_of_calls=1)
    wire = Wire()
    refusing = asyncio.Event()

    async def answer(request: httpx.Request) -> httpx.Response:
        await refusing.wait()
        return taking("Bearer token-2")(request)

    wire.answer = answer
    async with client(wire, guard, TokenAuth(tokens.fetch)) as http:
        calls = [asyncio.ensure_future(http.get(URL)) for _ in range(20)]
        await until(lambda: wire.here == 20)
        refusing.set()
        assert {answer.status_code for answer in await asyncio.gather(*calls)} == {200}
    assert (tokens.given, state(guard)) == (2, "closed")


async def test_a_body_that_streams_is_not_sent_twice() -> None:
    tokens, wire = Tokens(), Wire(taking())

    async def body() -> AsyncIterator[bytes]:
        yield b"once"

    async with client(wire, auth=TokenAuth(tokens.fetch)) as http:
        assert (await http.post(URL, content=body())).status_code == 401
    assert len(wire.requests) == 1


async def test_a_breaker_that_opened_meanwhile_is_asked_before_the_second_request_too() -> None:
    tokens, guard = Tokens(), breaker()

    def answer(_: httpx.Request) -> httpx.Response:
        guard.force_open()
        return httpx.Response(401)

    wire = Wire(answer)
    async with client(wire, guard, TokenAuth(tokens.fetch)) as http:
        with pytest.raises(CircuitOpenError):
            await http.get(URL)
    assert len(wire.requests) == 1


async def unreachable() -> str:
    raise httpx.ConnectError("http://tokens/?secret=s3cret")


async def forbidden() -> str:
    request = httpx.Request("POST", "http://tokens/?secret=s3cret")
    return httpx.Response(403, request=request).raise_for_status().text


async def silent() -> str:
    await asyncio.Event().wait()
    return "never"


@pytest.mark.parametrize("fetch", [unreachable, forbidden, silent])
async def test_without_a_credential_nothing_is_sent_and_the_backend_not_blamed(
    fetch: Callable[[], Awaitable[str]],
) -> None:
    wire, guard = Wire(), breaker(minimum_number_of_calls=1)
    async with client(wire, guard, TokenAuth(fetch), timeout=0.05) as http:
        with pytest.raises(
            CredentialUnavailableError, match=r"backend: no credential \(\w+\); look at where"
        ) as raised:
            await http.get(URL)
    assert (wire.requests, state(guard)) == ([], "closed")
    assert raised.value.__suppress_context__


async def test_no_text_shows_a_credential(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    tokens = Tokens()
    fixed, renewed = HeaderAuth("X-Api-Key", "token-0"), TokenAuth(tokens.fetch)
    texts = [repr(fixed)]
    for auth in (fixed, renewed):
        async with client(Wire(500), auth=auth) as http:
            response = await http.get(URL)
            logging.getLogger("here").warning("failed: %r %s", response.request.headers, response.headers)
            texts += [str(response.request.headers), repr(auth)]
    assert "failed" in caplog.text
    assert not [text for text in (*texts, caplog.text) if "token-" in text]
