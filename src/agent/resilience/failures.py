"""What an error says about the backend that was called: a failure of some kind, a live answer, or nothing.

The rules for httpx and for Python's own errors are here. A room that brings a library with errors of its own
registers those with `CLASSIFIER`. What follows from a verdict is decided in `circuit_breaker` and `policies`.
"""

import asyncio
import errno
import math
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final, Literal, TypeVar

import httpx
from langgraph.errors import GraphBubbleUp, NodeTimeoutError

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


ErrorT = TypeVar("ErrorT", bound=BaseException)


class Classifier:
    """A registry from exception types to verdicts. The nearest registered base of an error decides.

    A type that has no rule is NEUTRAL: it is more often a bug of ours than an outage, and a bug must not cut
    off a healthy backend. The price is that a new client library needs its rules before a breaker helps it.
    """

    def __init__(self) -> None:
        self._rules: dict[type[BaseException], Verdict | Callable[[Any], Verdict]] = dict(_STANDARD_RULES)

    def register(self, error_type: type[ErrorT], rule: Verdict | Callable[[ErrorT], Verdict]) -> None:
        """Set, or replace, the rule for a type and its subclasses: a verdict, or a function of the error."""
        self._rules[error_type] = rule

    def classify(self, error: BaseException) -> Verdict:
        """What `error` says about the backend."""
        for base in type(error).__mro__:
            rule = self._rules.get(base)
            if rule is not None:
                return rule(error) if callable(rule) else rule
        return NEUTRAL


def classify_response(response: httpx.Response) -> Verdict:
    """What a response that is not a success says about the backend, by its status."""
    match response.status_code:
        case 401 | 403:
            return Failure("auth")
        case 429:
            return Failure("rate_limit", _retry_after(response))
        case 503:
            return Failure("overload", _retry_after(response))
        case status if status >= 500:
            return Failure("server_error")
        case status if status >= 400:
            return ANSWERED
        case _:
            return Failure("bad_response")


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds from a Retry-After header (seconds or an HTTP date); None when absent or unreadable."""
    header = response.headers.get("retry-after", "")
    try:
        seconds = float(header)
    except ValueError:
        at = _http_date(header)
        if at is None:
            return None
        # the server's own Date, where it sends one, so that our two clocks need not agree
        now = _http_date(response.headers.get("date", "")) or datetime.now(UTC)
        seconds = max(0.0, (at - now).total_seconds())
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _http_date(header: str) -> datetime | None:
    """A date as RFC 9110 has servers write it; None when it is not one."""
    try:
        return datetime.strptime(header, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
    except ValueError:
        return None


_UNREACHABLE = {errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTDOWN, errno.EHOSTUNREACH}


def _classify_os_error(error: OSError) -> Verdict:
    """An unreachable host is a failure; a missing file, a full disk and the like are our own trouble."""
    # asyncio joins the refusals of several addresses into one plain OSError without a number
    several_refused = type(error) is OSError and error.errno is None
    return Failure("connection") if several_refused or error.errno in _UNREACHABLE else NEUTRAL


_STANDARD_RULES: dict[type[BaseException], Verdict | Callable[[Any], Verdict]] = {
    # said aloud, so that a rule for Exception or RuntimeError does not take them in
    GraphBubbleUp: NEUTRAL,
    CircuitOpenError: NEUTRAL,
    asyncio.CancelledError: NEUTRAL,
    NodeTimeoutError: Failure("timeout"),
    TimeoutError: Failure("timeout"),
    ConnectionError: Failure("connection"),
    socket.gaierror: Failure("connection"),
    OSError: _classify_os_error,
    httpx.TransportError: Failure("connection"),
    httpx.TimeoutException: Failure("timeout"),
    httpx.ConnectTimeout: Failure("connection"),
    httpx.PoolTimeout: NEUTRAL,  # our own pool was empty; nothing was sent
    httpx.LocalProtocolError: NEUTRAL,
    httpx.UnsupportedProtocol: NEUTRAL,
    httpx.DecodingError: Failure("bad_response"),
    httpx.TooManyRedirects: Failure("bad_response"),
    httpx.HTTPStatusError: lambda error: classify_response(error.response),
}

CLASSIFIER: Final = Classifier()
"""The process's registry: breakers and retry policies ask it unless told otherwise."""
