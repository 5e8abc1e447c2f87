"""The payment port: what the shop asks of any payment provider, and the ways in which the answer can be missing.

A provider takes our idempotency key with every effect, and can be asked later what became of it.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

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


class PaymentError(Exception):
    """The provider gave no usable answer."""


class PaymentNotSentError(PaymentError, TransientError):
    """The request surely had no effect: no connection was made, or the provider refused it unread. Safe to defer."""


class PaymentUnknownError(PaymentError, TransientError):
    """The request may have had its effect: no answer, a dropped connection, or a 5xx after sending (law 3)."""


class PaymentRejectedError(PaymentError):
    """The provider read the request and will never accept it: a wrong setting, an unknown card, our bug."""


class PaymentProvider(Protocol):
    """What a provider can do. Every method may raise the port's errors."""

    name: str

    async def capture(self, attempt: Attempt) -> Charge:
        """Take the money; the same key again gives the first answer."""
        ...

    async def find(self, attempt: Attempt) -> Charge | None:
        """What became of the attempt; None while nothing was captured or declined under its key."""
        ...

    async def void(self, attempt: Attempt) -> Charge | None:
        """Make sure that the attempt never takes money any more, however late it arrives.

        None: it never will. A charge: it had come first.
        """
        ...

    async def credit(self, key: str, amount: int, currency: str, token: str) -> None:
        """Pay `amount` out to `token`, which did not pay it in; the same `key` again changes nothing."""
        ...

    async def refund(self, key: str, provider_id: str, amount: int) -> None:
        """Give `amount` of a capture back; the same `key` again changes nothing."""
        ...
