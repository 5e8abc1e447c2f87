"""The seam to a store where several workers meet: for moves and probe leases of breakers, and for spent retries.

Without a store a breaker keeps its state to itself. `redis_store` is the one for Redis; `sharing` says when it is
asked, and what happens while it does not answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from agent.resilience.failures import FailureKind

BreakerState = Literal["closed", "open", "half_open", "forced_open"]


class StoreUnavailableError(Exception):
    """The store did not answer, or made no sense: its cause says how. Callers of a breaker never see it."""


@dataclass(frozen=True, slots=True)
class SharedView:
    """A breaker as its store knows it.

    `epoch` grows with every move, and also from one life of the store to the next; 0 is a breaker that it has
    never heard of, or forgot. `seconds_left` of an open one's wait are by the store's clock. `openings` is how
    often it opened since it was last closed.
    """

    epoch: int
    state: BreakerState
    why: FailureKind | None = None
    seconds_left: float = 0.0
    openings: int = 0


@dataclass(frozen=True, slots=True)
class Claim:
    """What a worker that wants to probe brings along. `why` and `openings` are for a store that forgot them."""

    lease: str
    lease_seconds: float
    permitted: int
    why: FailureKind | None
    openings: int


class StateStore(Protocol):
    """Each method is one atomic step by the store's clock, and answers with what is true after it.

    All raise `StoreUnavailableError`. None waits for longer than the network does: deadlines are the caller's.
    """

    async def read(self, names: Sequence[str]) -> Sequence[SharedView]:
        """What is known of these breakers, in their order."""

    async def open(self, name: str, epoch: int, why: FailureKind | None, seconds: float, openings: int) -> SharedView:
        """Open for so long, if it is still as it was at `epoch`, or unknown; else nothing changes."""

    async def acquire(self, name: str, claim: Claim) -> tuple[bool, SharedView]:
        """Whether a probe may go. One that is unknown, or open and due, becomes half-open by it."""

    async def settle(self, name: str, lease: str, good: bool, success_threshold: int) -> SharedView:
        """Give a probe's lease back. A good one counts if it was held to the end; enough of them close it."""

    async def force_open(self, name: str) -> SharedView:
        """Open until it is reset."""

    async def reset(self, name: str) -> SharedView:
        """Close, whatever the state."""

    async def spend(self, name: str, spent: int, most: int, seconds: float) -> float:
        """Take so many out of a bucket that is refilled by `most` in `seconds`; what is left, `-most` at the least."""

    async def close(self) -> None:
        """Give the connections back."""
