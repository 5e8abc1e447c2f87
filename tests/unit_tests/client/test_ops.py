"""The operator's verbs."""

from agent.client.connection import ExitCode
from tests.unit_tests.client.conftest import Desk
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
