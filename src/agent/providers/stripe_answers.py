"""What Stripe tells, as far as it is read: intents, refunds, pages of lists, events. Read strictly, or not at all.

Forms only. What follows from them is in `stripe`.
"""

from typing import Final, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from agent.providers.payment import PaymentUnknownError, RefundState

_REFUND_STATES: Final[dict[str, RefundState]] = {
    "succeeded": "succeeded",
    "pending": "pending",
    "requires_action": "pending",  # the customer is asked, by Stripe, where to send it
    "failed": "failed",
    "canceled": "failed",
}


class Told(BaseModel):
    """A part of an answer: of the SDK's objects, or of JSON."""

    model_config = ConfigDict(frozen=True, strict=True, from_attributes=True)


class Metadata(Told):
    """Ours is the key; others may be there."""

    key: str = ""


class Keyed(Told):
    """Anything that can carry our key; what others made does not."""

    metadata: Metadata | None = None

    @property
    def key(self) -> str:
        """Our key, or an empty text."""
        return self.metadata.key if self.metadata else ""


class Failure(Told):
    """Why a confirm was declined."""

    code: str | None = None
    decline_code: str | None = None


class Intent(Keyed):
    """A PaymentIntent. `amount` in minor units; `last_payment_error` is set once a confirm was declined."""

    id: str
    status: str
    amount: int
    currency: str
    amount_received: int | None = None  # less than `amount` when only a part was captured; localstripe does not say
    last_payment_error: Failure | None = None

    @property
    def taken(self) -> int:
        """What one that succeeded took, in minor units."""
        return self.amount if self.amount_received is None else self.amount_received

    @property
    def unconfirmed(self) -> bool:
        """Whether it was neither confirmed nor cancelled."""
        return self.status in ("requires_payment_method", "requires_confirmation") and self.last_payment_error is None


class Refund(Keyed):
    """A refund. `amount` in minor units."""

    status: str
    amount: int
    payment_intent: str | None = None  # one of an old charge has none

    @property
    def state(self) -> RefundState:
        """How it stands. Raises `PaymentUnknownError` for a status that is not known here."""
        try:
            return _REFUND_STATES[self.status]
        except KeyError:
            raise PaymentUnknownError(f"the refund is {self.status}") from None


KeyedT = TypeVar("KeyedT", bound=Keyed)


class Page(Told, Generic[KeyedT]):
    """A part of a list, newest first."""

    data: list[KeyedT]
    has_more: bool


class Subject(Keyed):
    """An intent, a refund, or a dispute, which carries no key of ours but names its intent."""

    payment_intent: str | None = None


class EventData(Told):
    """What an event is about, as it was at the time."""

    object: Subject


class Event(Told):
    """The body of a webhook."""

    type: str
    data: EventData
