"""Staying up while what we depend on fails: failure kinds, circuit breakers, budgets for retries, chains of fallbacks.

This room imports nothing of ours, so it can be lifted out as it stands. It emits no events: a breaker tells
its listeners, and `services` wires those to events. `redis_store` is not imported here: it needs the extra `redis`.
"""

from agent.resilience.circuit import BreakerListener, BreakerMoved
from agent.resilience.circuit_breaker import BreakerSnapshot, CallEnded, CircuitBreaker, LastError
from agent.resilience.classifier import CLASSIFIER, Classifier
from agent.resilience.config import KIND_RULES, BreakerConfig, KindRule
from agent.resilience.failures import (
    ANSWERED,
    NEUTRAL,
    CircuitOpenError,
    Failure,
    FailureKind,
    Verdict,
    classify_response,
    classify_status,
)
from agent.resilience.fallback import FallbackChain, FallbackStep, FallbackTaken
from agent.resilience.policies import (
    RetryBudget,
    RetryDecided,
    RetryLaterError,
    TimeSpentError,
    TransientError,
    is_transient,
    time_budget,
)
from agent.resilience.sharing import Sharing, StoreListener, StoreMoved
from agent.resilience.stores import BreakerState, Claim, SharedView, StateStore, StoreUnavailableError

__all__ = [
    "ANSWERED",
    "CLASSIFIER",
    "KIND_RULES",
    "NEUTRAL",
    "BreakerConfig",
    "BreakerListener",
    "BreakerMoved",
    "BreakerSnapshot",
    "BreakerState",
    "CallEnded",
    "CircuitBreaker",
    "CircuitOpenError",
    "Claim",
    "Classifier",
    "Failure",
    "FailureKind",
    "FallbackChain",
    "FallbackStep",
    "FallbackTaken",
    "KindRule",
    "LastError",
    "RetryBudget",
    "RetryDecided",
    "RetryLaterError",
    "SharedView",
    "Sharing",
    "StateStore",
    "StoreListener",
    "StoreMoved",
    "StoreUnavailableError",
    "TimeSpentError",
    "TransientError",
    "Verdict",
    "classify_response",
    "classify_status",
    "is_transient",
    "time_budget",
]
