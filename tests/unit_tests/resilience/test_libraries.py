"""What the errors of common client libraries mean, without those libraries being needed."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable

import httpx2
import openai
import psycopg
import pytest
import stripe
from sqlalchemy import exc

from agent.resilience import ANSWERED, NEUTRAL, Classifier, Failure, Verdict

REQUEST = httpx2.Request("POST", "http://backend")


def of_openai(status: int, **headers: str) -> openai.APIStatusError:
    return openai.APIStatusError("no", response=httpx2.Response(status, headers=headers, request=REQUEST), body=None)


def of_a_database(kind: Callable[..., exc.DBAPIError], cause: Exception, *, invalidated: bool = False) -> Exception:
    return kind("SELECT 1", None, cause, connection_invalidated=invalidated)


def locked() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorcode = sqlite3.SQLITE_BUSY
    return error


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (openai.APIConnectionError(request=REQUEST), Failure("connection")),
        (openai.APITimeoutError(request=REQUEST), Failure("timeout")),
        (of_openai(400), ANSWERED),
        (of_openai(401), Failure("auth")),
        (of_openai(429, **{"Retry-After": "17"}), Failure("rate_limit", 17.0)),
        (of_openai(500), Failure("server_error")),
        (httpx2.ConnectError("refused"), Failure("connection")),
        (httpx2.ReadTimeout("late"), Failure("timeout")),
        (httpx2.PoolTimeout("our own pool"), NEUTRAL),
        (stripe.APIConnectionError("no route"), Failure("connection")),  # type: ignore[no-untyped-call]
        (stripe.CardError("declined", "number", "card_declined", http_status=402), ANSWERED),  # type: ignore[no-untyped-call]
        (stripe.AuthenticationError("who?", http_status=401), Failure("auth")),
        (stripe.RateLimitError("slow", http_status=429, headers={"Retry-After": "3"}), Failure("rate_limit", 3.0)),
        (stripe.APIError("oops", http_status=503), Failure("overload")),
        (stripe.SignatureVerificationError("forged", "header"), NEUTRAL),  # type: ignore[no-untyped-call]
        (exc.TimeoutError("our own pool"), NEUTRAL),
        (of_a_database(exc.OperationalError, psycopg.OperationalError("refused")), Failure("connection")),
        (of_a_database(exc.OperationalError, psycopg.errors.AdminShutdown()), Failure("connection")),
        (of_a_database(exc.OperationalError, psycopg.errors.QueryCanceled()), Failure("timeout")),
        (of_a_database(exc.OperationalError, psycopg.errors.TooManyConnections()), Failure("overload")),
        (of_a_database(exc.OperationalError, psycopg.errors.DeadlockDetected()), ANSWERED),
        (of_a_database(exc.OperationalError, locked()), ANSWERED),
        (of_a_database(exc.IntegrityError, psycopg.errors.UniqueViolation()), ANSWERED),
        (of_a_database(exc.DBAPIError, psycopg.Error(), invalidated=True), Failure("connection")),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_librarys_error_is_understood(error: Exception, verdict: Verdict) -> None:
    assert Classifier().classify(error) == verdict


def test_a_rule_of_ones_own_goes_before_the_librarys() -> None:
    classifier = Classifier()
    classifier.register(openai.APIStatusError, NEUTRAL)
    assert classifier.classify(of_openai(500)) is NEUTRAL
    assert classifier.classify(openai.APITimeoutError(request=REQUEST)) == Failure("timeout")


def test_no_library_is_needed() -> None:
    program = """
import sys
for name in ("openai", "redis", "sqlalchemy", "stripe"):
    sys.modules[name] = None
from agent.resilience import CLASSIFIER
print(CLASSIFIER.classify(TimeoutError()).kind)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "timeout\n"
