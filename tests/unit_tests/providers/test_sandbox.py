"""What each answer of the wire, and each way of having none, means in the port's words."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.providers.factory import sandbox_client
from agent.providers.payment import (
    Attempt,
    Charge,
    NoCharge,
    PaymentError,
    PaymentNotSentError,
    PaymentProvider,
    PaymentRejectedError,
    PaymentUnknownError,
)
from agent.providers.sandbox import RejectedRequestError, SandboxProvider
from tests.support.serving import PATIENCE, until

ATTEMPT = Attempt("k1", 1000, "USD", "tok_approve")

Call = Callable[[PaymentProvider], Awaitable[object]]


def capture(provider: PaymentProvider) -> Awaitable[Charge]:
    return provider.capture(ATTEMPT)


def refund(provider: PaymentProvider) -> Awaitable[object]:
    return provider.refund("r1", "ch_1", 1000)


def find(provider: PaymentProvider) -> Awaitable[Charge | NoCharge]:
    return provider.find(ATTEMPT)


async def charged(provider: PaymentProvider) -> bool:
    return isinstance(await provider.find(ATTEMPT), Charge)


def void(provider: PaymentProvider) -> Awaitable[Charge | None]:
    return provider.void(ATTEMPT)


def credit(provider: PaymentProvider) -> Awaitable[object]:
    return provider.credit("c1", 1000, "USD", "tok_approve")


every_call = pytest.mark.parametrize("call", [capture, find, void, refund, credit])
every_look = pytest.mark.parametrize("look", [find, void])


def answering(answer: httpx.Response | Exception) -> SandboxProvider:
    """A provider whose wire always gives this."""

    def respond(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    client = httpx.AsyncClient(transport=httpx.MockTransport(respond), base_url="http://wire")
    return SandboxProvider(client, PATIENCE)


async def test_a_capture_says_what_the_network_said(provider: SandboxProvider) -> None:
    charge = await provider.capture(ATTEMPT)
    assert charge == Charge("k1", "captured", charge.provider_id, 1000)
    assert charge.provider_id
    assert await provider.capture(ATTEMPT) == charge


async def test_a_decline_is_an_answer_with_a_reason_and_no_error(provider: SandboxProvider) -> None:
    charge = await provider.capture(replace(ATTEMPT, token="tok_decline"))
    assert charge.outcome == "declined"
    assert charge.reason


@pytest.mark.parametrize("key", ["order:W-1001:charge:0", "#W1/a b?c=%2F", "k1"])
async def test_a_charge_is_found_by_its_key_whatever_characters_it_has(provider: SandboxProvider, key: str) -> None:
    attempt = replace(ATTEMPT, key=key)
    assert await provider.find(attempt) is NoCharge.NEVER_CAME
    charge = await provider.capture(attempt)
    assert await provider.find(attempt) == charge


async def test_a_card_that_is_down_was_surely_not_charged(provider: SandboxProvider) -> None:
    with pytest.raises(PaymentNotSentError):
        await provider.capture(replace(ATTEMPT, token="tok_down"))
    assert await provider.find(ATTEMPT) is NoCharge.NEVER_CAME


async def test_a_lost_answer_is_unknown_and_the_lookup_tells_it(client: httpx.AsyncClient) -> None:
    patient, hasty = SandboxProvider(client, PATIENCE), SandboxProvider(client, 0.5)
    attempt = replace(ATTEMPT, token="tok_timeout_after_charge")
    with pytest.raises(PaymentUnknownError):
        await hasty.capture(attempt)
    found = await patient.find(attempt)
    assert isinstance(found, Charge)
    assert found.outcome == "captured"
    assert await patient.capture(attempt) == found


async def test_a_voided_attempt_that_arrives_later_is_declined_and_takes_nothing(
    client: httpx.AsyncClient, provider: SandboxProvider
) -> None:
    assert await provider.void(ATTEMPT) is None
    assert await provider.find(ATTEMPT) is NoCharge.NEVER_CAME
    late = await provider.capture(ATTEMPT)
    assert late.outcome == "declined"
    assert late.reason
    assert await provider.find(ATTEMPT) == late
    assert [each["status"] for each in (await client.get("/charges")).json()["charges"]] == ["declined"]


@pytest.mark.parametrize("token", ["tok_approve", "tok_decline"])
async def test_a_void_that_comes_too_late_tells_what_the_attempt_did(provider: SandboxProvider, token: str) -> None:
    attempt = replace(ATTEMPT, token=token)
    charge = await provider.capture(attempt)
    assert await provider.void(attempt) == charge
    assert await provider.find(attempt) == charge


async def test_a_void_twice_is_one_void(provider: SandboxProvider) -> None:
    assert await provider.void(ATTEMPT) is None
    assert await provider.void(ATTEMPT) is None
    assert (await provider.capture(ATTEMPT)).outcome == "declined"


@settings(max_examples=15, deadline=None)
@given(st.permutations(["capture", "capture", "void", "void"]))
async def test_of_a_charge_and_its_void_whichever_comes_first_wins(steps: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with sandbox_client("", Path(folder) / "network.db", PATIENCE, slow_seconds=0) as client:
            provider = SandboxProvider(client, PATIENCE)
            for step in steps:
                await (provider.capture(ATTEMPT) if step == "capture" else provider.void(ATTEMPT))
            kept = await provider.find(ATTEMPT)
    assert isinstance(kept, Charge)
    assert kept.outcome == ("captured" if steps[0] == "capture" else "declined")


async def test_a_charge_and_a_void_that_race_agree_on_the_outcome(provider: SandboxProvider) -> None:
    charge, voided = await asyncio.gather(provider.capture(ATTEMPT), provider.void(ATTEMPT))
    assert voided == (charge if charge.outcome == "captured" else None)


async def test_the_same_refund_twice_gives_the_money_back_once(
    client: httpx.AsyncClient, provider: SandboxProvider
) -> None:
    charge = await provider.capture(ATTEMPT)
    for _ in range(2):
        await provider.refund("r1", charge.provider_id, 600)
    refunds = (await client.get("/charges")).json()["refunds"]
    assert [(each["charge_id"], each["amount"]) for each in refunds] == [(charge.provider_id, 600)]


async def test_more_than_was_captured_is_rejected(provider: SandboxProvider) -> None:
    charge = await provider.capture(ATTEMPT)
    with pytest.raises(RejectedRequestError) as rejected:
        await provider.refund("r1", charge.provider_id, 1001)
    assert rejected.value.status == 422


async def test_a_key_with_other_parameters_is_rejected(provider: SandboxProvider) -> None:
    await provider.capture(ATTEMPT)
    with pytest.raises(RejectedRequestError) as rejected:
        await provider.capture(replace(ATTEMPT, amount=2000))
    assert rejected.value.status == 409


@every_call
@pytest.mark.parametrize("status", [400, 401, 403, 409, 422])
async def test_a_4xx_is_rejected_which_is_neither_deferred_nor_unknown(call: Call, status: int) -> None:
    with pytest.raises(RejectedRequestError) as rejected:
        await call(answering(httpx.Response(status, json={"token": "tok_approve"})))
    assert isinstance(rejected.value, PaymentRejectedError)
    assert not isinstance(rejected.value, PaymentNotSentError | PaymentUnknownError)
    assert rejected.value.status == status


@every_call
@pytest.mark.parametrize("status", [429, 503])
async def test_who_is_turned_away_was_not_heard(call: Call, status: int) -> None:
    with pytest.raises(PaymentNotSentError):
        await call(answering(httpx.Response(status)))


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


@every_look
@pytest.mark.parametrize("body", [{"detail": "Not Found"}, {"no_such_charge": "k2"}, {}])
async def test_a_404_that_is_not_the_networks_own_does_not_mean_never_charged(look: Call, body: dict[str, str]) -> None:
    with pytest.raises(PaymentUnknownError):
        await look(answering(httpx.Response(404, json=body)))


@every_look
async def test_an_answer_about_another_charge_is_not_taken_for_the_one_looked_up(look: Call) -> None:
    with pytest.raises(PaymentUnknownError):
        await look(answering(httpx.Response(200, json=GOOD | {"key": "k2"})))


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


async def test_a_call_that_is_cancelled_from_outside_stays_cancelled(provider: SandboxProvider) -> None:
    call = asyncio.create_task(provider.capture(replace(ATTEMPT, token="tok_timeout_after_charge")))
    await until(lambda: charged(provider))
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
