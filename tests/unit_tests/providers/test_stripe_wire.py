"""What each answer of Stripe's wire, and each way of having none, means in the port's words; nothing is asked twice."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import stripe

from agent.providers.payment import (
    Attempt,
    NoCharge,
    PaymentError,
    PaymentFaultError,
    PaymentNotSentError,
    PaymentProvider,
    PaymentRejectedError,
    PaymentUnknownError,
)
from agent.providers.stripe import StripeFaultError, StripeProvider, StripeRejectedError
from agent.resilience import CLASSIFIER, CircuitOpenError, Failure, FailureKind
from tests.support.serving import PATIENCE

pytestmark = pytest.mark.thorough

ATTEMPT = Attempt("k1", 1000, "USD", "cus_1/pm_1")

Answer = httpx.Response | Exception
Call = Callable[[PaymentProvider], Awaitable[object]]


class Wire(httpx.AsyncBaseTransport):
    """Answers by the end of the path; what has no answer of its own gets the one for ``""``."""

    def __init__(self, answers: dict[str, Answer]) -> None:
        self.answers = answers
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        call = f"{request.method} {request.url.path}"
        answer = next((self.answers[end] for end in self.answers if call.endswith(end)), None)
        assert answer is not None, call
        if isinstance(answer, Exception):
            raise answer
        return answer

    def provider(self, timeout: float = PATIENCE) -> StripeProvider:
        return StripeProvider(httpx.AsyncClient(transport=self), "sk_test_wire", "whsec_wire", timeout)


def intent(**other: Any) -> dict[str, Any]:
    told = {"id": "pi_1", "object": "payment_intent", "status": "requires_payment_method", "amount": 1000}
    return {**told, "currency": "usd", "metadata": {"key": "k1"}, "last_payment_error": None, **other}


def listed(*each: dict[str, Any]) -> httpx.Response:
    return httpx.Response(200, json={"object": "list", "url": "/v1/x", "has_more": False, "data": each})


def refused(status: int, **error: Any) -> httpx.Response:
    told = {"type": "invalid_request_error", "message": "about pm_1", **error}
    return httpx.Response(status, json={"error": told}, headers={"stripe-should-retry": "true"})


def confirming(answer: Answer) -> Wire:
    """All is well until the confirm."""
    return Wire({"GET /v1/payment_intents": listed(intent()), "/confirm": answer})


def capture(provider: PaymentProvider) -> Awaitable[object]:
    return provider.capture(ATTEMPT)


def find(provider: PaymentProvider) -> Awaitable[object]:
    return provider.find(ATTEMPT)


def void(provider: PaymentProvider) -> Awaitable[object]:
    return provider.void(ATTEMPT)


def refund(provider: PaymentProvider) -> Awaitable[object]:
    return provider.refund("r1", "pi_1", 1000)


every_call = pytest.mark.parametrize("call", [capture, find, void, refund])


@every_call
@pytest.mark.parametrize(
    ("answer", "means"),
    [
        (httpx.ConnectError("x"), PaymentNotSentError),
        (httpx.ConnectTimeout("x"), PaymentNotSentError),
        (httpx.PoolTimeout("x"), PaymentNotSentError),
        (httpx.Response(429), PaymentNotSentError),
        (httpx.ReadTimeout("x"), PaymentUnknownError),
        (httpx.WriteTimeout("x"), PaymentUnknownError),
        (httpx.ReadError("x"), PaymentUnknownError),
        (httpx.WriteError("x"), PaymentUnknownError),
        (httpx.RemoteProtocolError("x"), PaymentUnknownError),
        (TimeoutError("x"), PaymentUnknownError),
        (httpx.Response(500), PaymentUnknownError),
        (httpx.Response(502, text="<html>"), PaymentUnknownError),
        (httpx.Response(503), PaymentUnknownError),
        (refused(409, code="idempotency_key_in_use"), PaymentUnknownError),
        (httpx.Response(200, text="<html>"), PaymentUnknownError),
        (httpx.Response(200, content=b"\xff"), PaymentUnknownError),
        (httpx.Response(200, json=[]), PaymentUnknownError),
        (httpx.Response(200, json={}), PaymentUnknownError),
        (httpx.Response(200, json={"object": "list", "data": [3], "has_more": False}), PaymentUnknownError),
        (httpx.Response(302, headers={"location": "/elsewhere"}), PaymentUnknownError),
        (httpx.Response(404, text="<html>"), PaymentUnknownError),
        (refused(400), PaymentRejectedError),
        (refused(400, type="idempotency_error"), PaymentFaultError),
        (refused(401), PaymentFaultError),
        (refused(403), PaymentFaultError),
        (refused(404), PaymentRejectedError),
    ],
)
async def test_what_an_answer_means_and_that_nobody_asks_twice(
    call: Call, answer: Answer, means: type[PaymentError]
) -> None:
    wire = Wire({"": answer})
    with pytest.raises(means) as raised:
        await call(wire.provider())
    assert type(raised.value) in (means, StripeRejectedError, StripeFaultError)
    assert len(wire.requests) == 1
    assert "pm_1" not in str(raised.value)


@pytest.mark.parametrize(
    ("answer", "means"),
    [
        (httpx.ConnectError("x"), PaymentNotSentError),
        (httpx.Response(429), PaymentNotSentError),
        (httpx.ReadTimeout("x"), PaymentUnknownError),
        (httpx.Response(500), PaymentUnknownError),
        (refused(409, code="idempotency_key_in_use"), PaymentUnknownError),
        (httpx.Response(200, json={}), PaymentUnknownError),
        (httpx.Response(200, json=intent(id=None)), PaymentUnknownError),
        (httpx.Response(200, json=intent(status="succeeded", amount="1000")), PaymentUnknownError),
        (httpx.Response(200, json=intent(status="succeeded", amount=999)), PaymentUnknownError),
        (httpx.Response(200, json=intent(status="succeeded", currency="eur")), PaymentUnknownError),
        (httpx.Response(200, json=intent(status="succeeded", metadata={"key": "k2"})), PaymentUnknownError),
        (httpx.Response(200, json=intent(status="succeeded", metadata={})), PaymentUnknownError),
        (httpx.Response(200, json=intent()), PaymentUnknownError),
        (httpx.Response(200, json=intent(status="processing")), PaymentUnknownError),
        (httpx.Response(200, json=intent(status="requires_capture")), PaymentUnknownError),
        (httpx.Response(200, json=intent(status="a new one")), PaymentUnknownError),
        (refused(402, payment_intent=intent()), StripeRejectedError),
        (refused(402, payment_intent=intent(status="succeeded", amount=999)), PaymentUnknownError),
        (refused(400, code="resource_missing"), StripeRejectedError),
        (refused(400, type="idempotency_error", payment_intent=intent(status="succeeded")), StripeFaultError),
    ],
)
async def test_what_an_answer_to_the_confirm_means(answer: Answer, means: type[PaymentError]) -> None:
    wire = confirming(answer)
    with pytest.raises(means) as raised:
        await capture(wire.provider())
    assert type(raised.value) is means
    assert [request.method for request in wire.requests] == ["GET", "POST"]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ({"code": "card_declined", "decline_code": "insufficient_funds"}, "insufficient_funds"),
        ({"code": "expired_card"}, "expired_card"),
        ({"code": "authentication_required", "decline_code": None}, "authentication_required"),
        ({}, "declined"),
    ],
)
async def test_a_declined_confirm_is_a_charge_with_stripes_reason(error: dict[str, str], reason: str) -> None:
    told = intent(last_payment_error=error)
    charge = await confirming(refused(402, type="card_error", payment_intent=told)).provider().capture(ATTEMPT)
    assert (charge.outcome, charge.reason, charge.provider_id) == ("declined", reason, "pi_1")


async def test_an_intent_that_waits_for_its_customer_is_declined() -> None:
    charge = await confirming(httpx.Response(200, json=intent(status="requires_action"))).provider().capture(ATTEMPT)
    assert (charge.outcome, charge.reason) == ("declined", "authentication_required")


@pytest.mark.parametrize(("status", "outcome"), [("succeeded", "captured"), ("canceled", "declined")])
async def test_a_confirm_that_came_too_late_tells_what_came_first(status: str, outcome: str) -> None:
    answer = refused(400, code="payment_intent_unexpected_state", payment_intent=intent(status=status))
    assert (await confirming(answer).provider().capture(ATTEMPT)).outcome == outcome


async def test_an_intent_of_someone_elses_making_is_passed_over() -> None:
    theirs = intent(id="pi_0", status="succeeded", metadata={"order": "7"})
    wire = Wire({"": listed(theirs)})
    assert await wire.provider().find(ATTEMPT) is NoCharge.NEVER_CAME


@pytest.mark.parametrize("other", [{"metadata": {"key": "r2"}}, {"payment_intent": "pi_2"}, {"amount": None}])
async def test_an_answer_about_another_refund_is_unknown(other: dict[str, object]) -> None:
    made = {"id": "re_1", "status": "succeeded", "amount": 1000, "payment_intent": "pi_1", "metadata": {"key": "r1"}}
    await refund(Wire({"GET /v1/refunds": listed(), "": httpx.Response(200, json=made)}).provider())
    with pytest.raises(PaymentUnknownError):
        await refund(Wire({"GET /v1/refunds": listed(), "": httpx.Response(200, json=made | other)}).provider())


@pytest.mark.parametrize(
    ("answer", "kind", "retry_after"),
    [
        (httpx.Response(429, headers={"retry-after": "7"}), "rate_limit", 7.0),
        (httpx.Response(503, headers={"retry-after": "3"}), "overload", 3.0),
        (httpx.Response(500), "server_error", None),
        (httpx.ConnectError("x"), "connection", None),
        (httpx.ReadTimeout("x"), "timeout", None),
    ],
)
async def test_the_cause_tells_a_breaker_the_kind_and_when_to_come_back(
    answer: Answer, kind: FailureKind, retry_after: float | None
) -> None:
    with pytest.raises(PaymentError) as raised:
        await capture(Wire({"": answer}).provider())
    assert raised.value.__cause__
    assert CLASSIFIER.classify(raised.value.__cause__) == Failure(kind, retry_after)


async def test_what_the_transport_refuses_comes_out_as_it_was_raised() -> None:
    refusal = CircuitOpenError("stripe", "timeout", 5.0)
    with pytest.raises(CircuitOpenError) as raised:
        await capture(Wire({"": refusal}).provider())
    assert raised.value is refusal


class Silent(Wire):
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            await asyncio.Event().wait()
        return await super().handle_async_request(request)


async def test_silence_is_unknown_by_the_whole_calls_time() -> None:
    with pytest.raises(PaymentUnknownError, match="TimeoutError"):
        await capture(Silent({"": listed()}).provider(timeout=0.05))


async def test_a_call_that_is_cancelled_from_outside_stays_cancelled() -> None:
    wire = Silent({"": listed()})
    call = asyncio.ensure_future(capture(wire.provider()))
    while not wire.requests:  # noqa: ASYNC110  (the request is what is waited for)
        await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call


async def test_an_unreadable_answer_is_not_quoted(caplog: pytest.LogCaptureFixture) -> None:
    body = '{"billing_details": {"name": "Ada Lovelace"}'
    with caplog.at_level(logging.INFO), pytest.raises(PaymentUnknownError) as raised:
        await capture(Wire({"": httpx.Response(200, text=body)}).provider())
    logging.getLogger("here").error("failed", exc_info=raised.value)
    assert "failed" in caplog.text
    assert "Lovelace" not in caplog.text


async def test_nothing_about_this_machine_is_sent_or_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr("stripe._telemetry_id._loaded", False)
    wire = Wire({"": listed()})
    await find(wire.provider())
    told = json.loads(wire.requests[0].headers["x-stripe-client-user-agent"])
    assert not {"telemetry_id", "platform"} & told.keys()
    assert not (tmp_path / "stripe").exists()


async def test_the_api_key_is_the_clients_own_and_not_the_processs() -> None:
    wire = Wire({"": listed()})
    await find(wire.provider())
    assert wire.requests[0].headers["authorization"] == "Bearer sk_test_wire"
    assert wire.requests[0].url.host == "api.stripe.com"
    assert stripe.api_key is None
