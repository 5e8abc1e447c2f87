"""Staying up while what we depend on fails: failure kinds, circuit breakers and named retry policies.

This room imports nothing of ours, so it can be lifted out as it stands. It emits no events: a breaker tells
its listeners, and `services` wires those to events.
"""

from agent.resilience.circuit_breaker import (
    BreakerConfig,
    BreakerListener,
    BreakerMoved,
    BreakerSnapshot,
    BreakerState,
    CircuitBreaker,
    LastError,
)
from agent.resilience.failures import (
    ANSWERED,
    CLASSIFIER,
    NEUTRAL,
    CircuitOpenError,
    Classifier,
    Failure,
    FailureKind,
    Verdict,
    classify_response,
)
from agent.resilience.policies import LEDGER, PAYMENT, TransientError, is_transient

__all__ = [
    "ANSWERED",
    "CLASSIFIER",
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
    "Classifier",
    "Failure",
    "FailureKind",
    "LastError",
    "TransientError",
    "Verdict",
    "classify_response",
    "is_transient",
]
