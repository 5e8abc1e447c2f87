"""The payment port: what the shop asks of any payment provider, and the ways in which the answer can be missing.

A provider takes our idempotency key with every effect, and can be asked later what became of it. What each must keep
is in `tests/contract`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Literal, Protocol

from agent.providers.webhooks import WebhookRefusedError
from agent.resilience import TransientError


@dataclass(frozen=True)
class Attempt:
    """Taking `amount` (minor units) from the card behind `token`, once: the same `key` again is the same attempt."""

    key: str
    amount: int
    currency: str
    token: str


@dataclass(frozen=True)
class Charge:
    """A provider's answer to a capture. `amount` in minor units; `reason` is set when declined."""

    key: str
    outcome: Literal["captured", "declined"]
    provider_id: str
    amount: int
    reason: str = ""


class NoCharge(Enum):
    """Why there is no charge of an attempt that was looked up."""

    NEVER_CAME = "never came"
    """Nothing is there under its key, and it may be asked for again by the same. Another provider may be asked only if
    no request can be on its way to this one any more."""

    UNDECIDED = "undecided"
    """It came, and may yet take the money: nobody is asked for it again until the provider has decided."""


RefundState = Literal["succeeded", "pending", "failed"]
"""What became of money given back. `pending`: the provider has taken it on, and it may yet fail; `failed`: it did, for
good, under this key."""


@dataclass(frozen=True)
class Movement:
    """Money that a provider took or gave back, as its books have it. `amount` in minor units; `provider_id` is of the
    capture; `failed`: it was given back, and did not arrive."""

    kind: Literal["capture", "refund"]
    key: str
    provider_id: str
    amount: int
    failed: bool = False


class PaymentError(Exception):
    """The provider gave no usable answer."""


class PaymentNotSentError(PaymentError, TransientError):
    """The request surely had no effect: no connection was made, or the provider refused it unread. Safe to defer."""


class PaymentUnknownError(PaymentError, TransientError):
    """The request may have had its effect: no answer, a dropped connection, or a 5xx after sending (law 3)."""


class PaymentRejectedError(PaymentError):
    """The provider read the request and will never accept it (PAYMENT-REJECTED): the card is gone, the amount is too
    small. No money moved."""


class PaymentFaultError(PaymentRejectedError):
    """It will not accept it by our own fault: a wrong setting, a key that was used for something else. No other card of
    the customer's would change that: a person has to."""


class PaymentProvider(Protocol):
    """What a provider can do. Every method that asks it may raise the port's errors.

    The readers of webhooks get headers (in lower case, or such as do not care) and body; what they return is looked up,
    and None means that it is about something else. A provider that sends none inherits them.
    """

    name: str

    async def capture(self, attempt: Attempt) -> Charge:
        """Take the money; the same key again gives the first answer."""
        ...

    async def find(self, attempt: Attempt) -> Charge | NoCharge:
        """What became of the attempt. Only reads."""
        ...

    async def void(self, attempt: Attempt) -> Charge | None:
        """Make sure that the attempt takes no money any more, and create nothing for it.

        None: it has not, and what is there of it never will. A charge: it had come first.
        """
        ...

    async def credit(self, key: str, amount: int, currency: str, token: str) -> RefundState:
        """Pay `amount` out to `token`, which did not pay it in; the same `key` again changes nothing."""
        ...

    async def refund(self, key: str, provider_id: str, amount: int) -> RefundState:
        """Give `amount` of a capture back; the same `key` again changes nothing, and tells how it stands now."""
        ...

    async def find_refund(self, key: str, provider_id: str) -> RefundState | None:
        """How a refund of this capture stands now, or a credit (then `provider_id` is empty); None for no such one."""
        ...

    async def taken(self, provider_id: str, currency: str) -> int | None:
        """Minor units that a payment took, by the provider's own id of it, which may be from before we came; None for
        no such payment, or one that has taken nothing in this currency."""
        ...

    async def movements(self, since: datetime) -> list[Movement]:
        """What was taken and given back under our keys since then; there may be older ones among them."""
        ...

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> str | None:  # noqa: ARG002  (for who sends some)
        """The key of an attempt. Raises `WebhookRefusedError` for what this provider did not sign just now."""
        raise WebhookRefusedError(f"{self.name} sends no webhooks")

    def read_refund_webhook(self, headers: Mapping[str, str], body: bytes) -> str | None:  # noqa: ARG002
        """The key of a refund or a credit; else as `read_webhook`, which is asked before."""
        return None

    def read_dispute_webhook(self, headers: Mapping[str, str], body: bytes) -> str | None:  # noqa: ARG002
        """The provider's own id of a payment that is disputed at its customer's bank; else as `read_webhook`."""
        return None
