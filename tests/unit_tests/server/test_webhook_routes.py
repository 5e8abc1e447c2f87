"""Webhooks are hints: whoever can sign makes us ask, and only the answer counts."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import httpx
import pytest
from standardwebhooks import Webhook

from agent.observability import tracing
from agent.platform import order_thread
from agent.providers.payment import PaymentUnknownError
from agent.server.edge import LARGEST_BODY
from agent.services import Services
from agent.settings import Settings
from tests.support import steps
from tests.support.platform_stub import Platform
from tests.support.scenes import approved, cancel, entries, lost, new_order, paid, recard, wire
from tests.support.threads import events
from tests.support.trace_sinks import named, traced

Ask = Callable[..., Awaitable[httpx.Response]]

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


@pytest.fixture
def config(config: Settings) -> Settings:
    return config.model_copy(update={"sandbox_webhook_secret": config.sandbox_webhook_secret.__class__(SECRET)})


def signed(kind: str, key: str, secret: str = SECRET) -> dict[str, object]:
    """A webhook of the sandbox, as it goes over the wire."""
    body, now = json.dumps({"type": kind, "key": key}), datetime.now(UTC)
    signature = Webhook(secret).sign("msg_1", now, body)
    stamp = str(int(now.timestamp()))
    headers = {"webhook-id": "msg_1", "webhook-timestamp": stamp, "webhook-signature": signature}
    return {"content": body, "headers": headers}


async def unknown_payment(shop: Services) -> None:
    """A charge was made, and its answer lost."""
    await approved(shop, new_order())
    with wire(shop.providers.clients[0], response=lost), pytest.raises(PaymentUnknownError):
        await shop.payments.capture("A-1")
    assert await steps.payment_outcome(shop, "A-1") == "unknown"


async def test_a_webhook_makes_an_unknown_payment_known_and_its_order_go_on(
    shop: Services, ask: Ask, platform: Platform
) -> None:
    await unknown_payment(shop)

    answer = await ask("POST", "/webhooks/sandbox", **signed("charge.captured", "A-1:pay:1"))

    assert answer.status_code == 204
    assert (await steps.payment_outcome(shop, "A-1"), (await shop.queries.get("A-1"))["stage"]) == ("captured", "paid")
    assert [thread for thread, _ in platform.runs] == [order_thread("A-1", "channel:storefront")]


async def test_what_a_webhook_sets_off_is_in_the_trace_of_its_order(shop: Services, ask: Ask) -> None:
    with traced() as spans:
        with tracing.span("placed"):
            await unknown_payment(shop)
        await ask("POST", "/webhooks/sandbox", **signed("charge.captured", "A-1:pay:1"))

    assert await steps.payment_outcome(shop, "A-1") == "captured"
    [placed], [webhook] = named(spans, "placed"), named(spans, "webhook sandbox")
    asked_back = named(spans, "call payment")[-1]
    assert asked_back.attributes["desk.outcome"] == "ok"
    assert {webhook.trace, asked_back.trace} == {placed.trace}


async def test_the_same_webhook_twice_books_the_money_once(shop: Services, ask: Ask) -> None:
    await unknown_payment(shop)
    for _ in range(2):
        assert (await ask("POST", "/webhooks/sandbox", **signed("charge.captured", "A-1:pay:1"))).status_code == 204
    assert len((await shop.queries.get("A-1"))["payments"]) == 1


async def test_what_a_webhook_claims_is_not_believed(shop: Services, ask: Ask) -> None:
    await unknown_payment(shop)

    await ask("POST", "/webhooks/sandbox", **signed("charge.declined", "A-1:pay:1"))

    assert await steps.payment_outcome(shop, "A-1") == "captured"


@pytest.mark.parametrize(
    "sent",
    [
        signed("charge.captured", "A-1:pay:1", OTHER),
        signed("charge.captured", "A-1:pay:1") | {"headers": {}},
        signed("charge.captured", "A-1:pay:1") | {"content": b'{"type": "charge.captured", "key": "A-2:pay:1"}'},
    ],
    ids=["signed by another", "not signed", "changed on the way"],
)
async def test_a_forged_webhook_is_refused_and_changes_nothing(
    shop: Services, ask: Ask, platform: Platform, sent: dict[str, object]
) -> None:
    await unknown_payment(shop)
    refused = events("webhook.refused")

    answer = await ask("POST", "/webhooks/sandbox", **sent)

    assert (answer.status_code, events("webhook.refused")) == (400, refused + 1)
    assert (await steps.payment_outcome(shop, "A-1"), platform.runs) == ("unknown", [])


@pytest.mark.parametrize(("kind", "key"), [("charge.captured", "Z-1:pay:1"), ("shipment.delivered", "Z-1/east")])
async def test_a_webhook_about_nothing_of_ours_is_taken_and_ignored(
    ask: Ask, platform: Platform, kind: str, key: str
) -> None:
    assert (await ask("POST", "/webhooks/sandbox", **signed(kind, key))).status_code == 204
    assert platform.runs == []


async def test_a_provider_that_can_not_be_asked_back_sends_again(shop: Services, ask: Ask) -> None:
    await unknown_payment(shop)
    shop.breakers["payment"].force_open()

    assert (await ask("POST", "/webhooks/sandbox", **signed("charge.captured", "A-1:pay:1"))).status_code == 503
    assert await steps.payment_outcome(shop, "A-1") == "unknown"


async def test_an_unknown_source_is_not_there(ask: Ask) -> None:
    assert (await ask("POST", "/webhooks/elsewhere", content=b"{}")).status_code == 404


async def test_a_huge_webhook_is_not_read(ask: Ask) -> None:
    assert (await ask("POST", "/webhooks/sandbox", content=b"x" * (LARGEST_BODY + 1))).status_code == 413


@pytest.mark.parametrize(("state", "booked"), [("succeeded", [-233_00]), ("failed", [])])
async def test_a_webhook_makes_a_pending_refund_known(shop: Services, ask: Ask, state: str, booked: list[int]) -> None:
    await recard(shop, "ada_card", "tok_refund_pends")
    await paid(shop, new_order())
    await cancel(shop)
    key = "A-1:pay:1:rest"
    assert await shop.debts.settle("A-1") == {key: "pending"}
    await shop.providers.clients[0].post(f"/refunds/{key}", json={"state": state})

    for _ in range(2):
        assert (await ask("POST", "/webhooks/sandbox", **signed(f"refund.{state}", key))).status_code == 204

    assert [amount for kind, amount in await entries(shop) if kind == "refund"] == booked
