"""Named retry policies for the graphs, as data, and the one predicate that says what is worth a retry.

LangGraph does the retrying, and no other layer does (law 12). Its jitter adds up to one second after the cap,
whatever the interval, so the longest wait is `max_interval` + 1 s.
"""

from langgraph.types import RetryPolicy

from agent.resilience.classifier import CLASSIFIER
from agent.resilience.failures import Failure, FailureKind

_TRANSIENT_KINDS: frozenset[FailureKind] = frozenset({"timeout", "connection", "server_error", "overload", "slow"})


class TransientError(Exception):
    """A base for errors of other rooms that may well pass if the node is run again."""


def is_transient(error: Exception) -> bool:
    """Whether running the node again soon may help.

    A rate limit is not transient: LangGraph would not wait for its Retry-After. Nor is an open breaker, a
    refused credential, or an error that has no rule.
    """
    if isinstance(error, TransientError):
        return True
    verdict = CLASSIFIER.classify(error)
    return isinstance(verdict, Failure) and verdict.kind in _TRANSIENT_KINDS


LEDGER = RetryPolicy(initial_interval=0.1, max_interval=1.0, max_attempts=4, retry_on=is_transient)
"""A locked or briefly absent database."""

PAYMENT = RetryPolicy(initial_interval=0.5, max_interval=2.0, max_attempts=3, retry_on=is_transient)
"""A payment provider: for a node that first looks up what became of its earlier attempt (law 3)."""
