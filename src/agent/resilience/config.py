"""When a breaker opens, for how long, and how it closes: thresholds and times as data, with a rule for each kind.

How they are applied is in `circuit`; what an error means is in `classifier`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Final

from agent.resilience.failures import FailureKind


@dataclass(frozen=True, slots=True, kw_only=True)
class KindRule:
    """How failures of one kind count, beside the breaker's own thresholds; None leaves it to those.

    Raises:
        ValueError: a value is out of range.
    """

    weight: float = 1.0  # how much of a failure one is in the failure rate; 0: it says nothing about the backend
    failure_rate_threshold: float | None = None  # this kind's share of the calls that opens by itself
    wait_duration_in_open: float | None = None  # seconds, in place of the breaker's; a Retry-After still rules

    def __post_init__(self) -> None:
        if not 0 <= self.weight <= 1:
            raise ValueError("weight must be from 0 to 1")
        if self.failure_rate_threshold is not None and not 0 < self.failure_rate_threshold <= 1:
            raise ValueError("failure_rate_threshold must be above 0 and at most 1")
        if self.wait_duration_in_open is not None and not self.wait_duration_in_open > 0:
            raise ValueError("wait_duration_in_open must be above 0")


KIND_RULES: Final[Mapping[FailureKind, KindRule]] = MappingProxyType(
    {
        # each holds its caller for as long as a caller can wait, and may leave an effect unknown
        "timeout": KindRule(failure_rate_threshold=0.3),
        # without a Retry-After: the backend still serves others, so only if it refuses nearly all
        "rate_limit": KindRule(weight=0.5),
        # a person has to put it right
        "auth": KindRule(wait_duration_in_open=30.0),
    }
)
"""The rules that hold unless a config has its own; a kind without one counts fully."""

_PLAIN: Final = KindRule()


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerConfig:
    """When a breaker opens and how it closes. Names follow resilience4j; times are seconds, rates are shares.

    Raises:
        ValueError: a value is out of range.
    """

    failure_rate_threshold: float = 0.5
    slow_call_rate_threshold: float = 1.0
    slow_call_duration: float = 10.0  # from this on a call is slow, and so is one that was cancelled then
    minimum_number_of_calls: int = 10  # in the window, whatever they weigh, before the rates mean anything
    sliding_window_seconds: float = 60.0
    wait_duration_in_open: float = 5.0  # doubles each time the probes fail
    max_wait_duration_in_open: float = 60.0
    wait_jitter: float = 0.2  # a wait is shorter by up to this share, so that workers do not probe in step
    max_retry_after: float = 3600.0  # a backend's Retry-After is obeyed to the second, up to here
    permitted_calls_in_half_open: int = 3  # probes in flight at once
    success_threshold: int = 2  # good probes that close it
    probe_lease_seconds: float = 30.0  # a probe that takes longer frees its place: more than a call's timeout
    rules: Mapping[FailureKind, KindRule] = field(default_factory=dict)  # before those of KIND_RULES

    def __post_init__(self) -> None:
        for number in fields(self):
            if number.name != "rules" and not getattr(self, number.name) > 0:
                raise ValueError(f"{number.name} must be above 0")
        for name in ("failure_rate_threshold", "slow_call_rate_threshold", "wait_jitter"):
            if getattr(self, name) > 1:
                raise ValueError(f"{name} must be at most 1")
        if self.max_wait_duration_in_open < self.wait_duration_in_open:
            raise ValueError("max_wait_duration_in_open must not be below wait_duration_in_open")

    def rule(self, kind: FailureKind) -> KindRule:
        """The rule for a kind: this config's, else the common one, else that it counts fully."""
        return self.rules.get(kind) or KIND_RULES.get(kind, _PLAIN)
