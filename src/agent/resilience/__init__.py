"""Staying up while what we depend on fails: failure kinds, circuit breakers and named retry policies.

This room imports nothing of ours, so it can be lifted out as it stands. It emits no events: a breaker tells
its listeners, and `services` wires those to events. `redis_store` is not imported here: it needs the extra `redis`.
"""

from agent.resilience.circuit import BreakerListener, BreakerMoved
from agent.resilience.circuit_breaker import BreakerSnapshot, CircuitBreaker, LastError
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
from agent.resilience.policies import LEDGER, PAYMENT, TransientError, is_transient
from agent.resilience.sharing import Sharing, StoreListener, StoreMoved
from agent.resilience.stores import BreakerState, Claim, SharedView, StateStore, StoreAwayError

__all__ = [
    "ANSWERED",
    "CLASSIFIER",
    "KIND_RULES",
    "LEDGER",
    "NEUTRAL",
    "PAYMENT",
    "BreakerConfig",
    "BreakerListener",
    "BreakerMoved",
    "BreakerSnapshot",
    "BreakerState",
    "CircuitBreaker",
    "CircuitOpenError",
    "Claim",
    "Classifier",
    "Failure",
    "FailureKind",
    "KindRule",
    "LastError",
    "SharedView",
    "Sharing",
    "StateStore",
    "StoreAwayError",
    "StoreListener",
    "StoreMoved",
    "TransientError",
    "Verdict",
    "classify_response",
    "classify_status",
    "is_transient",
]
