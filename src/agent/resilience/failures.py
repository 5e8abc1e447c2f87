"""What an error says about the backend that was called: a failure of some kind, a live answer, or nothing.

Which exception is which is in `classifier`; what follows from a verdict, in `circuit` and `policies`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Final, Literal, Protocol

FailureKind = Literal[
    "timeout",
    "connection",
    "server_error",
    "rate_limit",
    "overload",
    "auth",
    "client_error",
    "bad_response",
    "slow",
]
"""How a backend failed. `auth` is a refused credential: it is refused to every caller, so it counts.
`client_error` is for a rule of your own, where a 4xx means a wrong endpoint; by default a 4xx is ANSWERED."""


@dataclass(frozen=True, slots=True)
class Failure:
    """The backend failed. `retry_after` is the time, in seconds, that it asked us to stay away."""

    kind: FailureKind
    retry_after: float | None = None


class NoFault(Enum):
    """Errors that are not the backend's failure."""

    ANSWERED = "answered"
    NEUTRAL = "neutral"


ANSWERED: Final = NoFault.ANSWERED
"""The backend is alive and refused this one request (a 4xx)."""
NEUTRAL: Final = NoFault.NEUTRAL
"""Says nothing about the backend: an interrupt, a cancellation, a refusal of our own, a bug of ours."""

Verdict = Failure | NoFault


class CircuitOpenError(RuntimeError):
    """A breaker refused the call; nothing was sent.

    It is a RuntimeError because LangGraph's default `retry_on` leaves those alone: a retry is refused too.

    Args:
        name: the breaker's name.
        kind: the failure that opened it; None when an operator did.
        retry_after: seconds until the next probe may go; None while others probe, or when forced open.
    """

    def __init__(self, name: str, kind: FailureKind | None, retry_after: float | None) -> None:
        super().__init__(name, kind, retry_after)
        self.name = name
        self.kind = kind
        self.retry_after = retry_after

    def __str__(self) -> str:
        """Name the breaker, why it is open, and when to come back."""
        why = self.kind or "forced"
        when = "" if self.retry_after is None else f", next probe in {self.retry_after:.1f} s"
        return f"circuit {self.name} is open ({why}){when}"


class Response(Protocol):
    """A response of httpx, or of a library like it."""

    @property
    def status_code(self) -> int:
        """The HTTP status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """By names in any case."""


def classify_response(response: Response) -> Verdict:
    """What a response that is not a success says about the backend."""
    return classify_status(response.status_code, response.headers)


def classify_status(status: int, headers: Mapping[str, str]) -> Verdict:
    """What an HTTP status that is not a success says; `headers` by names in lower case."""
    match status:
        case 401 | 403:
            return Failure("auth")
        case 429:
            return Failure("rate_limit", _retry_after(headers))
        case 503:
            return Failure("overload", _retry_after(headers))
        case _ if status >= 500:
            return Failure("server_error")
        case _ if status >= 400:
            return ANSWERED
        case _:
            return Failure("bad_response")


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds from a Retry-After header (seconds or an HTTP date); None when absent or unreadable."""
    header = headers.get("retry-after", "")
    try:
        seconds = float(header)
    except ValueError:
        at = _http_date(header)
        if at is None:
            return None
        # the server's own Date, where it sends one, so that our two clocks need not agree
        now = _http_date(headers.get("date", "")) or datetime.now(UTC)
        seconds = max(0.0, (at - now).total_seconds())
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _http_date(header: str) -> datetime | None:
    """A date as RFC 9110 has servers write it; None when it is not one."""
    try:
        return datetime.strptime(header, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
    except ValueError:
        return None
