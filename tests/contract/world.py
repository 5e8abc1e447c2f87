"""What the contract must know of a payment provider to be run against it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from agent.providers.payment import Attempt, PaymentProvider


@dataclass(frozen=True)
class World:
    """A provider with an account in which nothing has happened yet: its test mode, or a fake of its API.

    Args:
        provider: the adapter.
        hasty: the same for an answer that does not come: it waits half a second.
        good: an attempt with key `k1`, of 1000 minor units, with a card that pays.
        declining: the same with key `k2`, with a card that is declined.
        losing: the same with key `k3`; it pays, and `hasty` gets no answer.
        undecided: the same with key `k4`; the provider takes it on and does not decide. None: it decides all at once.
        sums: minor units taken and given back so far, from the provider's own books and not by the adapter.
        voids_ahead: whether an attempt is voided that has not come yet; else what comes later is late money, and given
            back.
    """

    provider: PaymentProvider
    hasty: PaymentProvider
    good: Attempt
    declining: Attempt
    losing: Attempt
    undecided: Attempt | None
    sums: Callable[[], Awaitable[tuple[int, int]]]
    voids_ahead: bool
