"""The registry of what errors mean: which exception says what about the backend that was called.

The rules for Python's own errors and for the libraries that are common here are below. Whoever brings errors of its
own registers them with `CLASSIFIER`. What a verdict is, is in `failures`.
"""

import asyncio
import errno
import socket
import sqlite3
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

from agent.resilience.failures import (
    ANSWERED,
    NEUTRAL,
    CircuitOpenError,
    Failure,
    Verdict,
    classify_response,
    classify_status,
)

if TYPE_CHECKING:
    from sqlalchemy.exc import DBAPIError
    from stripe import StripeError

ErrorT = TypeVar("ErrorT", bound=BaseException)

_Rules = Mapping[type[BaseException], Verdict | Callable[[Any], Verdict]]


class Classifier:
    """A registry from exception types to verdicts. The nearest registered base of an error decides.

    A type that has no rule is NEUTRAL: it is more often a bug of ours than an outage, and a bug must not cut
    off a healthy backend. The price is that a new client library needs its rules before a breaker helps it.

    The rules for a library are read when its first error comes: until then it need not even be installed.
    """

    def __init__(self) -> None:
        self._rules = dict(_STANDARD_RULES)
        self._libraries = dict(_LIBRARIES)  # those whose rules have not been read

    def register(self, error_type: type[ErrorT], rule: Verdict | Callable[[ErrorT], Verdict]) -> None:
        """Set, or replace, the rule for a type and its subclasses: a verdict, or a function of the error."""
        self._rules[error_type] = rule

    def classify(self, error: BaseException) -> Verdict:
        """What `error` says about the backend."""
        for base in type(error).__mro__:
            if rules_of := self._libraries.pop(base.__module__.partition(".")[0], None):
                self._rules = {**rules_of(), **self._rules}  # what was registered goes first
            rule = self._rules.get(base)
            if rule is not None:
                return rule(error) if callable(rule) else rule
        return NEUTRAL


_UNREACHABLE = {errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTDOWN, errno.EHOSTUNREACH}


def _classify_os_error(error: OSError) -> Verdict:
    """An unreachable host is a failure; a missing file, a full disk and the like are our own trouble."""
    # asyncio joins the refusals of several addresses into one plain OSError without a number
    several_refused = type(error) is OSError and error.errno is None
    return Failure("connection") if several_refused or error.errno in _UNREACHABLE else NEUTRAL


_STANDARD_RULES: Final[_Rules] = {
    # said aloud, so that a rule for Exception or RuntimeError does not take them in
    CircuitOpenError: NEUTRAL,
    asyncio.CancelledError: NEUTRAL,
    TimeoutError: Failure("timeout"),
    ConnectionError: Failure("connection"),
    asyncio.IncompleteReadError: Failure("connection"),
    socket.gaierror: Failure("connection"),
    OSError: _classify_os_error,
}


def _langgraph() -> _Rules:
    from langgraph.errors import GraphBubbleUp, NodeTimeoutError  # noqa: PLC0415

    return {GraphBubbleUp: NEUTRAL, NodeTimeoutError: Failure("timeout")}


def _httpx() -> _Rules:
    import httpx  # noqa: PLC0415

    return _http_rules(httpx)


def _httpx2() -> _Rules:
    import httpx2  # noqa: PLC0415

    return _http_rules(httpx2)


def _http_rules(httpx: Any) -> _Rules:
    return {
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


def _openai() -> _Rules:
    import openai  # noqa: PLC0415

    return {
        openai.APIConnectionError: Failure("connection"),
        openai.APITimeoutError: Failure("timeout"),
        openai.APIResponseValidationError: Failure("bad_response"),
        openai.APIStatusError: lambda error: classify_response(error.response),
    }


def _stripe() -> _Rules:
    import stripe  # noqa: PLC0415

    return {stripe.StripeError: _classify_stripe, stripe.APIConnectionError: Failure("connection")}


def _classify_stripe(error: "StripeError") -> Verdict:
    if error.http_status is None:
        return NEUTRAL  # a signature or a setting of ours
    return classify_status(error.http_status, {name.lower(): value for name, value in (error.headers or {}).items()})


def _sqlalchemy() -> _Rules:
    from sqlalchemy import exc  # noqa: PLC0415

    return {
        exc.TimeoutError: NEUTRAL,  # our own pool was empty
        exc.DBAPIError: lambda error: Failure("connection") if error.connection_invalidated else ANSWERED,
        exc.InterfaceError: Failure("connection"),
        exc.OperationalError: _classify_database,
    }


_STATEMENT_AT_FAULT = {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def _classify_database(error: "DBAPIError") -> Verdict:
    """By SQLSTATE; https://www.postgresql.org/docs/current/errcodes-appendix.html."""
    state = getattr(error.orig, "sqlstate", None) or ""
    if state == "57014":  # query_canceled, as a statement timeout has it
        return Failure("timeout")
    if state.startswith("53"):  # too many connections, out of memory, disk full
        return Failure("overload")
    if state.startswith(("40", "55")):  # a deadlock, a lock not given: it is alive
        return ANSWERED
    if getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in _STATEMENT_AT_FAULT:
        return ANSWERED
    return Failure("connection")


_LIBRARIES: Final[Mapping[str, Callable[[], _Rules]]] = {
    "langgraph": _langgraph,
    "httpx": _httpx,
    "httpx2": _httpx2,
    "openai": _openai,
    "stripe": _stripe,
    "sqlalchemy": _sqlalchemy,
}

CLASSIFIER: Final = Classifier()
"""The process's registry: breakers and retry policies ask it unless told otherwise."""
