"""Which of Stripe's events wake whom, and which are not believed."""

import json
import time
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
import stripe

from agent.providers.payment import Attempt
from agent.providers.stripe import StripeProvider
from agent.providers.webhooks import WebhookRefusedError
from tests.support.serving import PATIENCE
from tests.support.stripe_stub import StripeStub

SECRET = "whsec_of_the_endpoint"


def provider(secret: str = SECRET) -> StripeProvider:
    return StripeProvider(httpx.AsyncClient(), "sk_test_webhooks", secret, PATIENCE)


def event(kind: str = "payment_intent.succeeded", **subject: Any) -> bytes:
    about = {"id": "pi_1", "object": "payment_intent", "metadata": {"key": "k1"}, **subject}
    return json.dumps({"id": "evt_1", "object": "event", "type": kind, "data": {"object": about}}).encode()


def signed(body: bytes, secret: str = SECRET, age: int = 0) -> Mapping[str, str]:
    stamp = int(time.time()) - age
    header = stripe.WebhookSignature.generate_signature_header(body.decode("latin-1"), secret, stamp)
    return httpx.Headers({"Stripe-Signature": header})


@pytest.mark.parametrize("kind", ["succeeded", "payment_failed", "canceled"])
def test_an_event_that_decides_a_payment_names_its_attempt(kind: str) -> None:
    body = event(f"payment_intent.{kind}")
    assert provider().read_webhook(signed(body), body) == "k1"


@pytest.mark.parametrize(
    "body",
    [
        event("payment_intent.created"),
        event("charge.refunded"),
        event(metadata={}),
        event(metadata={"order": "7"}),
        event(metadata=None),
    ],
)
def test_an_event_about_nothing_of_ours_wakes_nobody(body: bytes) -> None:
    assert provider().read_webhook(signed(body), body) is None


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"stripe-signature": ""},
        {"stripe-signature": "t=x,v1=y"},
        signed(event(), secret="whsec_of_someone_else"),
        signed(event("payment_intent.canceled")),
        signed(event(), age=301),
    ],
)
def test_an_event_that_stripe_did_not_sign_just_now_is_refused(headers: Mapping[str, str]) -> None:
    with pytest.raises(WebhookRefusedError):
        provider().read_webhook(headers, event())


def test_without_a_secret_every_event_is_refused() -> None:
    with pytest.raises(WebhookRefusedError):
        provider(secret="").read_webhook(signed(event(), secret=""), event())


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"<html>", b'{"type": "payment_intent.succeeded"}', b"\xff"])
def test_a_body_that_is_no_event_is_refused_whoever_signed_it(body: bytes) -> None:
    with pytest.raises(WebhookRefusedError):
        provider().read_webhook(signed(body), body)


def test_a_refusal_quotes_nothing() -> None:
    body = event(receipt_email="ada@example.org")
    with pytest.raises(WebhookRefusedError) as refused:
        provider().read_webhook({}, body)
    assert refused.value.__cause__ is None
    assert "ada" not in str(refused.value)


async def test_the_events_of_a_capture_and_of_a_decline_name_their_attempts() -> None:
    stub = StripeStub()
    async with stub.serving(), httpx.AsyncClient() as client:
        paying = StripeProvider(client, "sk_test_webhooks", SECRET, PATIENCE, url=stub.url)
        customer = stub.customer()
        await paying.capture(Attempt("k1", 1000, "USD", f"{customer}/pm_card_visa"))
        await paying.capture(Attempt("k2", 1000, "USD", f"{customer}/pm_card_chargeCustomerFail"))
    bodies = [json.dumps(each).encode() for each in stub.events]
    woken = [provider().read_webhook(signed(body), body) for body in bodies]
    assert [each for each in woken if each] == ["k1", "k2"]


@pytest.mark.parametrize("kind", ["refund.failed", "refund.updated", "charge.refund.updated"])
def test_an_event_that_decides_a_refund_names_its_key(kind: str) -> None:
    body = event(kind, id="re_1", object="refund", metadata={"key": "r1"})
    assert provider().read_refund_webhook(signed(body), body) == "r1"
    assert provider().read_webhook(signed(body), body) is None
    assert provider().read_dispute_webhook(signed(body), body) is None


def test_a_dispute_names_the_intent_that_is_disputed() -> None:
    body = event("charge.dispute.created", id="du_1", object="dispute", metadata={}, payment_intent="pi_7")
    assert provider().read_dispute_webhook(signed(body), body) == "pi_7"
    assert provider().read_refund_webhook(signed(body), body) is None


def test_a_refund_that_somebody_made_elsewhere_wakes_nobody() -> None:
    body = event("refund.updated", id="re_1", object="refund", metadata={})
    assert provider().read_refund_webhook(signed(body), body) is None


@pytest.mark.parametrize("read", ["read_refund_webhook", "read_dispute_webhook"])
def test_of_refunds_and_disputes_only_what_stripe_signed_is_believed(read: str) -> None:
    with pytest.raises(WebhookRefusedError):
        getattr(provider(), read)({}, event("refund.failed"))
