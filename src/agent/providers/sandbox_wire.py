"""What the sandbox says over the wire, as our side reads it: its answers and its webhooks. It has forms of its own.

A webhook is a hint to look something up and never the truth: it may come late, twice, in any order, or not at all.
"""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict
from standardwebhooks import Webhook, WebhookVerificationError

from agent.providers.carrier import ShipmentState
from agent.providers.webhooks import WebhookRefusedError


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)


class ChargeAnswer(_Answer):
    """A charge. `reason` is set when it was declined."""

    id: str
    key: str
    status: Literal["captured", "declined"]
    amount: int
    reason: str


class RefundStanding(_Answer):
    """How money stands that was to be given back or paid out."""

    key: str
    state: Literal["succeeded", "pending", "failed"] = "succeeded"


class RefundAnswer(RefundStanding):
    """A refund of a charge."""

    charge_id: str
    amount: int


class CreditAnswer(RefundStanding):
    """Money paid out to a card that did not pay it in."""

    amount: int


class NoSuchCharge(_Answer):
    """The network never got a charge with this key. The body of its 404; any other 404 says nothing."""

    no_such_charge: str


class NoSuchRefund(_Answer):
    """The network never got a refund or a credit with this key. The body of its 404."""

    no_such_refund: str


class MovementAnswer(_Answer):
    """One charge that was captured, or one refund or credit; `provider_id` is the charge's, or empty."""

    kind: Literal["capture", "refund"]
    key: str
    provider_id: str
    amount: int
    failed: bool


class Movements(_Answer):
    """A page of what the network took and gave back."""

    movements: list[MovementAnswer]


class ShipmentAnswer(_Answer):
    """A parcel."""

    parcel_id: str
    state: ShipmentState
    tracking_id: str


class NeverTaken(_Answer):
    """The carrier read the booking and will never take this parcel. The body of its 422; any other says nothing."""

    never_taken: str
    reason: str


class Announcement(_Answer):
    """The body of a webhook."""

    type: str
    key: str


def read_webhook(webhook: Webhook | None, headers: Mapping[str, str], body: bytes, about: str) -> str | None:
    """The key that a webhook about `about` ("charge", "shipment") names; None when it is about something else.

    Raises `WebhookRefusedError`: not signed with our secret in the last five minutes, unreadable, or we have no secret.
    """
    if webhook is None:
        raise WebhookRefusedError("no secret to check webhooks with is set")
    try:
        announcement = Announcement.model_validate(webhook.verify(body, dict(headers)))
    except WebhookVerificationError as error:
        raise WebhookRefusedError(str(error)) from error
    except ValueError as error:  # a malformed signature, no UTF-8, no JSON, another form
        raise WebhookRefusedError(f"the webhook cannot be read ({type(error).__name__})") from error
    return announcement.key if announcement.type.startswith(f"{about}.") else None
