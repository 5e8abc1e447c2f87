"""The operator's verbs."""

import pytest

from agent.client.connection import ExitCode
from tests.support.desk import Desk
from tests.unit_tests.client.stub import Stub

REPORT = {"remind": {"ap-1": "reminded"}, "expire": {}}


def test_the_reconcilers_report_is_shown_with_its_idle_jobs(desk: Desk, stub: Stub) -> None:
    stub.on("/runs/wait", {"report": REPORT})
    shown = [line.split() for line in desk("ops", "reconcile").out.splitlines()]
    assert ["remind", "ap-1", "reminded"] in shown
    assert ["expire", "nothing", "to", "do"] in shown


def test_it_runs_as_operator_without_a_thread(desk: Desk, stub: Stub) -> None:
    stub.on("/runs/wait", {"report": REPORT})
    assert desk("ops", "reconcile", "--json").document == REPORT
    [call] = stub.calls
    assert call.api_keys == ["operator-token"]
    assert (call.body["assistant_id"], call.body["input"]) == ("reconciler", {})


def test_a_failed_run_is_an_error(desk: Desk, stub: Stub) -> None:
    stub.on("/runs/wait", {"__error__": {"error": "OperationalError", "message": "the ledger is away"}})
    result = desk("ops", "reconcile")
    assert result.code == ExitCode.OTHER
    assert "OperationalError: the ledger is away" in result.err


def test_a_job_that_failed_is_named_and_fails_the_command(desk: Desk, stub: Stub) -> None:
    report = {**REPORT, "redrive": {"failed": "DatabaseUnavailableError"}, "settle": {"failed": "OSError"}}
    stub.on("/runs/wait", {"report": report})
    result = desk("ops", "reconcile", "--json")
    assert (result.code, result.document) == (ExitCode.OTHER, report)
    assert result.error["error"].startswith(
        "2 of the reconciler's jobs failed: redrive (DatabaseUnavailableError), settle (OSError)"
    )


@pytest.mark.parametrize("outcome", ["driven on", "at work", "refused (503)", "failed lately"])
def test_what_came_of_one_item_is_no_failed_job_whatever_its_name(desk: Desk, stub: Stub, outcome: str) -> None:
    stub.on("/runs/wait", {"report": {"orders": {"failed": outcome}}})
    assert desk("ops", "reconcile").code == 0


TOLD = {
    "shared": None,
    "breakers": [
        {
            "name": "payment",
            "state": "open",
            "for_seconds": 150.0,
            "why": "timeout",
            "next_probe_in": 4.2,
            "last_errors": {"timeout": {"error": "ExchangeTimeoutError", "seconds_ago": 150.0}},
        },
        {
            "name": "carrier",
            "state": "forced_open",
            "for_seconds": 2.0,
            "why": None,
            "next_probe_in": None,
            "last_errors": {},
        },
    ],
}


def test_breakers_are_shown_with_why_and_when_they_probe(desk: Desk, stub: Stub) -> None:
    stub.on("/ops/breakers", TOLD)
    out = desk("ops", "breakers").out
    shown = [" ".join(line.split()) for line in out.splitlines()]
    assert "payment open 2 min timeout in 5 s timeout: ExchangeTimeoutError 2 min ago" in shown
    assert "carrier forced open 2 s" in shown
    assert "REDIS_URL" in out


@pytest.mark.parametrize("action", ["force-open", "reset"])
def test_an_operator_acts_on_a_breaker_by_name(desk: Desk, stub: Stub, action: str) -> None:
    stub.on(f"/ops/breakers/payment/{action}", TOLD)
    assert desk("ops", "breakers", action, "payment", "--json").document == TOLD
    [call] = stub.calls
    assert (call.method, call.api_keys) == ("POST", ["operator-token"])


def test_an_action_without_a_name_asks_for_it_and_calls_nobody(desk: Desk, stub: Stub) -> None:
    result = desk("ops", "breakers", "reset")
    assert (result.code, stub.calls) == (ExitCode.USAGE, [])
    assert "NAME" in result.err


DIFFERENCE = {
    "kind": "capture-unknown",
    "provider": "stripe",
    "key": "W-9:pay:1",
    "amount": 120_00,
    "currency": "USD",
    "order_id": None,
    "what_to_do": "have order W-9 sent again",
}


def test_where_ledger_and_providers_agree_it_is_said(desk: Desk, stub: Stub) -> None:
    stub.on("/ops/compare", {"since": "2026-01-01T00:00:00+00:00", "differences": []})
    agreed = desk("ops", "compare", "--days", "3")
    assert (agreed.code, "agree on the last 3 days" in agreed.out) == (0, True)


def test_each_difference_is_shown_with_what_can_be_done_and_fails_the_command(desk: Desk, stub: Stub) -> None:
    told = {"since": "2026-01-01T00:00:00+00:00", "differences": [DIFFERENCE]}
    stub.on("/ops/compare", told)
    result = desk("ops", "compare", "--json")
    assert (result.code, result.document) == (ExitCode.REFUSED, told)
    shown = " ".join(desk("ops", "compare").out.split())
    assert "capture-unknown" in shown
    assert "120.00" in shown


def test_a_provider_that_cannot_be_asked_is_told(desk: Desk, stub: Stub) -> None:
    stub.on("/ops/compare", {"detail": "a payment provider can't be asked now: no connection"}, status=503)
    result = desk("ops", "compare")
    assert result.code not in (0, ExitCode.REFUSED)
    assert "can't be asked now" in result.err


OVERVIEW = {
    "at": "2026-06-01T12:00:00+00:00",
    "wrong": [
        {
            "what": "2 orders are parked",
            "since": "2026-06-01T11:55:00+00:00",
            "do": "look at the provider's breaker",
            "docs": "docs/operations.md, Events: order.parked",
            "behind": "orders/parked",
        }
    ],
    "reconciler": {"state": "on time", "last_run": None},
    "ledger": {
        "stages": {
            "parked": {"count": 2, "since": "2026-06-01T11:55:00+00:00"},
            "paid": {"count": 0, "since": None},
        },
        "requests": {
            "order_manager": {"count": 3, "since": "2026-06-01T08:00:00+00:00", "late": 1, "late_since": None}
        },
        "tickets": {},
        "debts": {},
        "unknown": {"count": 0, "since": None},
        "undelivered": {"count": 0, "since": None},
        "quarantined": 0,
        "hour": {
            "since": "2026-06-01T11:01:00+00:00",
            "ended": {"completed": 7, "cancelled": 0},
            "ended_by_minute": [],
            "payments": [{"provider": "exchange", "outcome": "declined", "count": 4, "amount": 400}],
            "payments_by_minute": [],
        },
    },
    "process": {"events": [], "failures": [], "waiting": []},
}


def test_what_is_wrong_is_said_with_its_age_and_what_to_do_and_fails_the_command(desk: Desk, stub: Stub) -> None:
    stub.on("/ops/overview", OVERVIEW)
    result = desk("ops", "status")
    shown = [" ".join(line.split()) for line in result.out.splitlines()]
    assert "2 orders are parked 5 min look at the provider's breaker docs/operations.md, Events: order.parked" in shown
    for number in (
        "orders parked 2 5 min",
        "requests order_manager 3 1 4 h",
        "ended completed 7 last hour",
        "payments exchange:declined 4 last hour",
    ):
        assert number in shown, shown
    assert (result.code, "1 thing is wrong" in result.err) == (ExitCode.OTHER, True)
    assert desk("ops", "status", "--json").document == OVERVIEW


def test_where_nothing_is_wrong_it_is_said(desk: Desk, stub: Stub) -> None:
    stub.on("/ops/overview", OVERVIEW | {"wrong": [], "ledger": None})
    result = desk("ops", "status")
    assert (result.code, result.out.strip()) == (0, "Nothing is wrong.")


def test_the_orders_behind_a_number_are_listed_with_where_they_lead(desk: Desk, stub: Stub) -> None:
    line = {
        "at": "2026-06-01T11:55:00+00:00",
        "says": "parked (pending): 5.00 USD of ada_park",
        "order_id": "N-1",
        "thread_id": "t-1",
        "request_id": None,
        "ticket_id": None,
    }
    stub.on("/ops/lists/orders", {"lines": [line], "more": True})
    result = desk("ops", "list", "orders", "parked")
    assert "2026-06-01T11:55:00 N-1 parked (pending): 5.00 USD of ada_park t-1" in " ".join(result.out.split())
    assert "--offset 50" in result.err
    assert desk("ops", "list", "orders", "parked", "--json").document == [line]
