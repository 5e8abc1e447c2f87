"""What each answer of the wire, and each way of having none, means in the port's words."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from agent.providers.payment import (
    Charge,
    PaymentError,
    PaymentNotSentError,
    PaymentProvider,
    PaymentUnknownError,
)
from agent.providers.sandbox import RejectedRequestError, SandboxProvider, sandbox_client
from tests.unit_tests.providers.conftest import PATIENCE, until

Call = Callable[[PaymentProvider], Awaitable[object]]


def capture(provider: PaymentProvider) -> Awaitable[Charge]:
    return provider.capture("k1", 1000, "USD", "tok_approve")


def refund(provider: PaymentProvider) -> Awaitable[None]:
    return provider.refund("r1", "ch_1", 1000)


def find(provider: PaymentProvider) -> Awaitable[Charge | None]:
    return provider.find("k1")


every_call = pytest.mark.parametrize("call", [capture, refund, find])


def answering(answer: httpx.Response | Exception) -> SandboxProvider:
    """A provider whose wire always gives this."""

    def respond(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    client = httpx.AsyncClient(transport=httpx.MockTransport(respond), base_url="http://wire")
    return SandboxProvider(client, PATIENCE)


async def test_a_capture_says_what_the_network_said(provider: SandboxProvider) -> None:
    charge = await provider.capture("k1", 1000, "USD", "tok_approve")
    assert charge == Charge("k1", "captured", charge.provider_id, 1000)
    assert charge.provider_id
    assert await provider.capture("k1", 1000, "USD", "tok_approve") == charge


async def test_a_decline_is_an_answer_with_a_reason_and_no_error(provider: SandboxProvider) -> None:
    charge = await provider.capture("k1", 1000, "USD", "tok_decline")
    assert charge.outcome == "declined"
    assert charge.reason


@pytest.mark.parametrize("key", ["order:W-1001:charge:0", "#W1/a b?c=%2F", "k1"])
async def test_a_charge_is_found_by_its_key_whatever_characters_it_has(provider: SandboxProvider, key: str) -> None:
    assert await provider.find(key) is None
    charge = await provider.capture(key, 1000, "USD", "tok_approve")
    assert await provider.find(key) == charge


async def test_a_card_that_is_down_was_surely_not_charged(provider: SandboxProvider) -> None:
    with pytest.raises(PaymentNotSentError):
        await provider.capture("k1", 1000, "USD", "tok_down")
    assert await provider.find("k1") is None


async def test_a_lost_answer_is_unknown_and_the_lookup_tells_it(client: httpx.AsyncClient) -> None:
    patient, hasty = SandboxProvider(client, PATIENCE), SandboxProvider(client, 0.5)
    with pytest.raises(PaymentUnknownError):
        await hasty.capture("k1", 1000, "USD", "tok_timeout_after_charge")
    found = await patient.find("k1")
    assert found
    assert found.outcome == "captured"
    assert await patient.capture("k1", 1000, "USD", "tok_timeout_after_charge") == found


async def test_the_same_refund_twice_gives_the_money_back_once(
    client: httpx.AsyncClient, provider: SandboxProvider
) -> None:
    charge = await provider.capture("k1", 1000, "USD", "tok_approve")
    for _ in range(2):
        await provider.refund("r1", charge.provider_id, 600)
    refunds = (await client.get("/charges")).json()["refunds"]
    assert [(each["charge_id"], each["amount"]) for each in refunds] == [(charge.provider_id, 600)]


async def test_more_than_was_captured_is_rejected(provider: SandboxProvider) -> None:
    charge = await provider.capture("k1", 1000, "USD", "tok_approve")
    with pytest.raises(RejectedRequestError) as rejected:
        await provider.refund("r1", charge.provider_id, 1001)
    assert rejected.value.status == 422


async def test_a_key_with_other_parameters_is_rejected(provider: SandboxProvider) -> None:
    await provider.capture("k1", 1000, "USD", "tok_approve")
    with pytest.raises(RejectedRequestError) as rejected:
        await provider.capture("k1", 2000, "USD", "tok_approve")
    assert rejected.value.status == 409


@every_call
@pytest.mark.parametrize("status", [400, 401, 403, 409, 422, 429])
async def test_a_4xx_is_rejected_which_is_neither_deferred_nor_unknown(call: Call, status: int) -> None:
    with pytest.raises(RejectedRequestError) as rejected:
        await call(answering(httpx.Response(status, json={"token": "tok_approve"})))
    assert not isinstance(rejected.value, PaymentNotSentError | PaymentUnknownError)
    assert rejected.value.status == status


@every_call
async def test_a_503_was_refused_unread(call: Call) -> None:
    with pytest.raises(PaymentNotSentError):
        await call(answering(httpx.Response(503)))


@every_call
@pytest.mark.parametrize("status", [201, 204, 302, 500, 502, 504])
async def test_any_other_status_is_unknown(call: Call, status: int) -> None:
    with pytest.raises(PaymentUnknownError):
        await call(answering(httpx.Response(status)))


@every_call
@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("x"),
        httpx.ConnectTimeout("x"),
        httpx.PoolTimeout("x"),
        httpx.UnsupportedProtocol("x"),
    ],
)
async def test_without_a_connection_nothing_was_sent(call: Call, error: Exception) -> None:
    with pytest.raises(PaymentNotSentError) as raised:
        await call(answering(error))
    assert raised.value.__cause__ is error


@every_call
@pytest.mark.parametrize(
    "error",
    [
        httpx.ReadTimeout("x"),
        httpx.WriteTimeout("x"),
        httpx.ReadError("x"),
        httpx.WriteError("x"),
        httpx.CloseError("x"),
        httpx.RemoteProtocolError("x"),
    ],
)
async def test_what_breaks_after_the_connection_is_unknown(call: Call, error: Exception) -> None:
    with pytest.raises(PaymentUnknownError) as raised:
        await call(answering(error))
    assert raised.value.__cause__ is error


GOOD = {"id": "ch_1", "key": "k1", "status": "captured", "amount": 1000, "reason": ""}


@pytest.mark.parametrize(
    "body",
    [
        "<html>", "[]", "{}", GOOD | {"amount": "1000"}, GOOD | {"status": "pending"}, GOOD | {"id": None},
        GOOD | {"amount": 999}, GOOD | {"key": "k2"},
    ],
)  # fmt: skip
async def test_an_answer_that_makes_no_sense_is_unknown(body: str | dict[str, object]) -> None:
    response = httpx.Response(200, text=body) if isinstance(body, str) else httpx.Response(200, json=body)
    with pytest.raises(PaymentUnknownError):
        await capture(answering(response))


@pytest.mark.parametrize("change", [{"key": "r2"}, {"charge_id": "ch_2"}, {"amount": 999}, {"amount": None}])
async def test_an_answer_about_another_refund_is_unknown(change: dict[str, object]) -> None:
    body = {"id": "re_1", "key": "r1", "charge_id": "ch_1", "amount": 1000}
    await refund(answering(httpx.Response(200, json=body)))
    with pytest.raises(PaymentUnknownError):
        await refund(answering(httpx.Response(200, json=body | change)))


@pytest.mark.parametrize("body", [{"detail": "Not Found"}, {"no_such_charge": "k2"}, {}])
async def test_a_404_that_is_not_the_networks_own_does_not_mean_never_charged(body: dict[str, str]) -> None:
    with pytest.raises(PaymentUnknownError):
        await find(answering(httpx.Response(404, json=body)))


async def test_an_answer_about_another_charge_is_not_taken_for_the_one_looked_up() -> None:
    with pytest.raises(PaymentUnknownError):
        await find(answering(httpx.Response(200, json=GOOD | {"key": "k2"})))


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(422, text="tok_approve"),
        httpx.Response(500, text="tok_approve"),
        httpx.Response(200, text="tok_approve"),
        httpx.ReadTimeout("tok_approve"),
        httpx.ConnectError("tok_approve"),
    ],
)
async def test_an_error_does_not_tell_the_card(answer: httpx.Response | Exception) -> None:
    with pytest.raises(PaymentError) as raised:
        await capture(answering(answer))
    assert "tok_approve" not in str(raised.value)


@asynccontextmanager
async def listening(hang_up: bool) -> AsyncIterator[str]:
    """A server that takes a request and then hangs up, or says nothing until its client leaves."""

    taken: list[asyncio.Task[None]] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"}")
        if not hang_up:
            await reader.read()
        writer.close()
        await writer.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.append(asyncio.create_task(take(reader, writer)))

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    await asyncio.wait_for(asyncio.gather(*taken), PATIENCE)


async def test_a_connection_that_drops_after_the_request_is_unknown(tmp_path: Path) -> None:
    async with listening(hang_up=True) as url, sandbox_client(url, tmp_path, PATIENCE, 0) as client:
        with pytest.raises(PaymentUnknownError, match=r"RemoteProtocolError|ReadError"):
            await capture(SandboxProvider(client, PATIENCE))


async def test_silence_is_unknown_by_the_clients_read_timeout(tmp_path: Path) -> None:
    async with listening(hang_up=False) as url, sandbox_client(url, tmp_path, 0.2, 0) as client:
        with pytest.raises(PaymentUnknownError, match="ReadTimeout"):
            await capture(SandboxProvider(client, PATIENCE))


async def test_silence_is_unknown_by_the_whole_calls_time(tmp_path: Path) -> None:
    async with listening(hang_up=False) as url, sandbox_client(url, tmp_path, PATIENCE, 0) as client:
        with pytest.raises(PaymentUnknownError, match="TimeoutError"):
            await capture(SandboxProvider(client, 0.2))


async def test_a_refused_connection_was_not_sent(tmp_path: Path) -> None:
    async with listening(hang_up=True) as url:
        pass  # the port is known, and closed
    async with sandbox_client(url, tmp_path, PATIENCE, 0) as client:
        with pytest.raises(PaymentNotSentError, match="ConnectError"):
            await capture(SandboxProvider(client, PATIENCE))


async def test_a_call_that_is_cancelled_from_outside_stays_cancelled(provider: SandboxProvider) -> None:
    call = asyncio.create_task(provider.capture("k1", 1000, "USD", "tok_timeout_after_charge"))
    await until(lambda: provider.find("k1"))
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call


async def test_proxies_of_the_environment_are_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with listening(hang_up=True) as url, sandbox_client(url, tmp_path, PATIENCE, 0) as client:
        with pytest.raises(PaymentUnknownError):  # it came through to the server
            await capture(SandboxProvider(client, PATIENCE))
