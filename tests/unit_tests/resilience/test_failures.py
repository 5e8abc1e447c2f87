"""What each error says about the backend."""

import asyncio
import errno
import io
import math
import pickle
import socket

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langgraph.errors import GraphInterrupt, NodeTimeoutError
from langgraph.types import RetryPolicy

from agent.resilience import (
    ANSWERED,
    NEUTRAL,
    CircuitOpenError,
    Classifier,
    Failure,
    FailureKind,
    Verdict,
    classify_response,
)

from .flights import status_error

CIRCUIT_OPEN = CircuitOpenError("model", "timeout", 4.2)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (httpx.ConnectError("refused"), "connection"),
        (httpx.ConnectTimeout("no answer"), "connection"),
        (httpx.RemoteProtocolError("hung up"), "connection"),
        (httpx.ReadTimeout("late"), "timeout"),
        (httpx.WriteTimeout("late"), "timeout"),
        (httpx.DecodingError("not gzip"), "bad_response"),
        (httpx.TooManyRedirects("round and round"), "bad_response"),
        (TimeoutError(), "timeout"),
        (NodeTimeoutError("assess", 10.0, kind="run", run_timeout=10.0), "timeout"),
        (ConnectionResetError(), "connection"),
        (socket.gaierror(socket.EAI_AGAIN, "no such host"), "connection"),
        (OSError(errno.EHOSTUNREACH, "no route"), "connection"),
        (OSError("Multiple exceptions: [Errno 111] …"), "connection"),
    ],
)
def test_an_outage_is_a_failure_of_its_kind(error: Exception, kind: FailureKind) -> None:
    assert Classifier().classify(error) == Failure(kind)


@pytest.mark.parametrize(
    "error",
    [
        GraphInterrupt(),
        asyncio.CancelledError(),
        KeyboardInterrupt(),
        CIRCUIT_OPEN,
        httpx.PoolTimeout("our own pool"),
        httpx.UnsupportedProtocol("ftp"),
        httpx.LocalProtocolError("our own mistake"),
        FileNotFoundError(errno.ENOENT, "our own file"),
        io.UnsupportedOperation("an OSError without a number"),
        ValueError("a bug of ours"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_is_not_the_backends_doing_is_neutral(error: BaseException) -> None:
    assert Classifier().classify(error) is NEUTRAL


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (302, Failure("bad_response")),
        (400, ANSWERED),
        (401, Failure("auth")),
        (403, Failure("auth")),
        (404, ANSWERED),
        (422, ANSWERED),
        (429, Failure("rate_limit")),
        (500, Failure("server_error")),
        (503, Failure("overload")),
        (504, Failure("server_error")),
    ],
)
def test_a_status_decides(status: int, verdict: Verdict) -> None:
    assert Classifier().classify(status_error(status)) == verdict


@pytest.mark.parametrize(("status", "kind"), [(429, "rate_limit"), (503, "overload")])
def test_retry_after_is_read_in_seconds(status: int, kind: FailureKind) -> None:
    assert Classifier().classify(status_error(status, retry_after="17")) == Failure(kind, 17.0)


def test_retry_after_as_a_date_is_counted_from_the_servers_own_clock() -> None:
    error = status_error(429, retry_after="Sun, 06 Nov 1994 08:50:07 GMT", date="Sun, 06 Nov 1994 08:49:37 GMT")
    assert Classifier().classify(error) == Failure("rate_limit", 30.0)


def test_retry_after_as_a_date_that_has_passed_is_now() -> None:
    error = status_error(429, retry_after="Sun, 06 Nov 1994 08:49:37 GMT")
    assert Classifier().classify(error) == Failure("rate_limit", 0.0)


@pytest.mark.parametrize(
    "header",
    ["", "soon", "-1", "nan", "inf", "1e999", "Sun, 99 Nov 1994 08:49:37 GMT", "6 Nov 1994 08:49:37 +99999999999999"],
)
def test_an_unreadable_retry_after_is_none(header: str) -> None:
    assert Classifier().classify(status_error(429, retry_after=header)) == Failure("rate_limit")


@given(st.text(st.characters(max_codepoint=255)), st.text(st.characters(max_codepoint=255)))
def test_no_header_can_break_the_classification(retry_after: str, date: str) -> None:
    headers = [(b"retry-after", retry_after.encode("latin-1")), (b"date", date.encode("latin-1"))]
    verdict = classify_response(httpx.Response(429, headers=headers))
    assert isinstance(verdict, Failure)
    assert verdict.retry_after is None or 0 <= verdict.retry_after < math.inf


class ProviderError(Exception):
    """A client library's own error."""

    def __init__(self, kind: FailureKind) -> None:
        self.kind = kind


class ProviderDeclinedError(ProviderError):
    """A refusal, within the same family."""


def test_a_registered_function_sees_the_error() -> None:
    classifier = Classifier()
    classifier.register(ProviderError, lambda error: Failure(error.kind))
    assert classifier.classify(ProviderError("overload")) == Failure("overload")


def test_the_nearest_registered_base_decides() -> None:
    classifier = Classifier()
    classifier.register(ProviderDeclinedError, ANSWERED)
    classifier.register(ProviderError, Failure("server_error"))
    assert classifier.classify(ProviderDeclinedError("timeout")) is ANSWERED


def test_registering_again_replaces_the_rule() -> None:
    classifier = Classifier()
    classifier.register(ProviderError, NEUTRAL)
    classifier.register(ProviderError, ANSWERED)
    assert classifier.classify(ProviderError("timeout")) is ANSWERED


def test_a_rule_in_one_registry_is_not_in_another() -> None:
    Classifier().register(ProviderError, ANSWERED)
    assert Classifier().classify(ProviderError("timeout")) is NEUTRAL


@pytest.mark.parametrize(
    "error",
    [GraphInterrupt(), CIRCUIT_OPEN, asyncio.CancelledError()],
    ids=lambda error: type(error).__name__,
)
def test_a_rule_for_every_exception_does_not_take_in_interrupts_and_refusals(error: BaseException) -> None:
    classifier = Classifier()
    classifier.register(Exception, Failure("server_error"))
    classifier.register(BaseException, Failure("server_error"))
    assert classifier.classify(error) is NEUTRAL


def test_langgraph_does_not_retry_an_open_circuit_by_default() -> None:
    retry_on = RetryPolicy().retry_on
    assert callable(retry_on)
    assert retry_on(CIRCUIT_OPEN) is False


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (CIRCUIT_OPEN, "circuit model is open (timeout), next probe in 4.2 s"),
        (CircuitOpenError("model", None, None), "circuit model is open (forced)"),
    ],
)
def test_an_open_circuit_says_which_why_and_when(error: CircuitOpenError, text: str) -> None:
    assert str(error) == text


def test_an_open_circuit_survives_pickling() -> None:
    copy = pickle.loads(pickle.dumps(CIRCUIT_OPEN))  # noqa: S301  our own bytes
    assert (copy.name, copy.kind, copy.retry_after) == ("model", "timeout", 4.2)
