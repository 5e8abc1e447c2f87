"""Which webhooks our side believes to come from the sandbox."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from standardwebhooks import Webhook

from agent.providers.payment import Attempt
from agent.providers.sandbox import SandboxProvider
from agent.providers.sandbox_carrier import SandboxCarrier
from agent.providers.webhooks import WebhookRefusedError
from sandbox.announcer import Announcer
from tests.support.serving import PATIENCE, Mailbox, serving

SECRET = "whsec_b3JkZXJzIHN1cnZpdmUgZXZlcnl0aGluZw=="
ATTEMPT = Attempt("k1", 1000, "USD", "tok_approve")
HOME = {"postcode": "97301"}
PARCEL = "W-1/east"
CHARGED = '{"type":"charge.captured","key":"k1"}'
SENT = '{"type":"shipment.handed_over","key":"W-1/east"}'

Announced = list[tuple[str, str]]
Reader = Callable[[Mapping[str, str], bytes], str | None]


def provider(secret: str = SECRET) -> SandboxProvider:
    return SandboxProvider(httpx.AsyncClient(), PATIENCE, webhook_secret=secret)


def carrier(secret: str = SECRET) -> SandboxCarrier:
    return SandboxCarrier(httpx.AsyncClient(), PATIENCE, webhook_secret=secret)


def signed(body: str, *, at: datetime | None = None, secret: str = SECRET) -> dict[str, str]:
    """The headers under which the sandbox would send this."""
    now = at or datetime.now(UTC)
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", now, body),
    }


@pytest.mark.parametrize("secret", [SECRET, SECRET.removeprefix("whsec_")])
async def test_our_side_believes_what_the_sandbox_posts(secret: str) -> None:
    mailbox = Mailbox()
    async with serving(mailbox.app) as url:
        announce = Announcer(f"{url}/hook", secret)
        announce("charge.captured", "k1")
        headers, body = await mailbox.next()
        assert (provider().read_webhook(headers, body), carrier().read_webhook(headers, body)) == ("k1", None)
        announce("shipment.delivered", PARCEL)
        headers, body = await mailbox.next()
        assert (provider().read_webhook(headers, body), carrier().read_webhook(headers, body)) == (None, PARCEL)


both_sides = pytest.mark.parametrize(
    ("read", "body"), [(provider().read_webhook, CHARGED), (carrier().read_webhook, SENT)]
)


@both_sides
@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "msg_2"},
        {"webhook-timestamp": "yesterday"},
        {"webhook-signature": ""},
        {"webhook-signature": "v1"},
        {"webhook-signature": "v1,not base64"},
        {"webhook-signature": "v1,bm90IG91cnM="},
        {"webhook-signature": "v2,bm90IG91cnM="},
    ],
)
def test_a_webhook_with_other_headers_is_refused(read: Reader, body: str, change: dict[str, str]) -> None:
    with pytest.raises(WebhookRefusedError):
        read(signed(body) | change, body.encode())


@both_sides
@pytest.mark.parametrize("minutes", [-6, 6])
def test_an_old_webhook_and_one_from_the_future_are_refused(read: Reader, body: str, minutes: int) -> None:
    with pytest.raises(WebhookRefusedError):
        read(signed(body, at=datetime.now(UTC) + timedelta(minutes=minutes)), body.encode())


@both_sides
def test_a_webhook_of_another_body_or_secret_is_refused(read: Reader, body: str) -> None:
    assert read(signed(body), body.encode())
    with pytest.raises(WebhookRefusedError):
        read(signed(body), body.replace("key", "kex").encode())
    with pytest.raises(WebhookRefusedError):
        read(signed(body, secret="whsec_YW5vdGhlcg=="), body.encode())
    with pytest.raises(WebhookRefusedError):
        read({}, body.encode())


@both_sides
@pytest.mark.parametrize("body_", ["", "[]", "{}", "no JSON", '{"type":"charge.captured","key":1}'])
def test_a_signed_webhook_that_makes_no_sense_is_refused(read: Reader, body: str, body_: str) -> None:
    with pytest.raises(WebhookRefusedError):
        read(signed(body_), body_.encode())


@both_sides
def test_a_body_that_is_no_text_is_refused(read: Reader, body: str) -> None:
    with pytest.raises(WebhookRefusedError):
        read(signed(body), b"\xff")


@pytest.mark.parametrize("reader", [provider(secret=""), carrier(secret="")])
def test_without_a_secret_every_webhook_is_refused(reader: SandboxProvider | SandboxCarrier) -> None:
    with pytest.raises(WebhookRefusedError, match="no secret"):
        reader.read_webhook(signed(CHARGED), CHARGED.encode())
