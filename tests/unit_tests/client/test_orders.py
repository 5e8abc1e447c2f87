"""Orders on the command line: a file of them followed to its end, and one looked at."""

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi import Response

from agent.client.batch import thread_of
from agent.client.connection import ExitCode
from tests.unit_tests.client.conftest import Desk, Result
from tests.unit_tests.client.stub import Call, Stub, approval, waiting

DENIAL = {"rule": "LINES-AVAILABLE", "sentence": "the item is not available"}


def line(order_id: str) -> str:
    return json.dumps({"order_id": order_id, "customer_id": "C-1", "lines": [], "payment_method_id": "pm"})


def ends(stub: Stub, order_id: str, stage: str, **values: Any) -> None:
    stub.on_run(
        thread_of(order_id),
        ("custom", {"progress": "charge", "text": f"charging {order_id}"}),
        ("values", {"order_id": order_id, "processing_stage": stage, "denial": None, **values}),
    )


def submit(desk: Desk, *lines: str, options: tuple[str, ...] = ()) -> Result:
    return desk("orders", "submit", "-", *options, stdin="\n".join(lines).encode())


def documents(result: Result) -> dict[int, Any]:
    return {document["line"]: document for document in map(json.loads, result.out.splitlines())}


def test_an_order_goes_to_the_thread_that_its_id_names(desk: Desk, stub: Stub) -> None:
    ends(stub, "W-1", "completed")
    submit(desk, line("W-1"))
    [call] = stub.calls
    assert call.path == "/threads/90028fe5-99fd-5bcd-9dd3-4fb3e583476a/runs/stream"
    assert call.body["input"] == {"order": json.loads(line("W-1"))}
    assert call.body["assistant_id"] == "order_processing"
    assert call.body["if_not_exists"] == "create"
    assert call.body["multitask_strategy"] == "reject"


@pytest.mark.parametrize("stage", ["completed", "parked", "cancelled"])
def test_completed_parked_and_cancelled_orders_are_no_failures(desk: Desk, stub: Stub, stage: str) -> None:
    ends(stub, "W-1", stage, order_amount=123450)
    result = submit(desk, line("W-1"))
    assert result.code == 0
    assert "W-1" in result.out
    assert stage in result.out
    assert "1,234.50 USD" in result.out


def test_an_order_that_waits_for_approval_is_no_failure(desk: Desk, stub: Stub) -> None:
    stub.on_run(thread_of("W-1"), waiting(approval(), processing_stage="awaiting_approval"))
    result = submit(desk, line("W-1"))
    assert result.code == 0
    assert "waits for approval by order_manager (request ap-1, step 1 of 2)" in result.out


def test_a_refused_order_names_its_rule_and_fails_the_command(desk: Desk, stub: Stub) -> None:
    ends(stub, "W-1", "completed")
    ends(stub, "W-2", "refused", denial=DENIAL)
    result = submit(desk, line("W-1"), line("W-2"))
    assert result.code == ExitCode.REFUSED
    assert "refused by LINES-AVAILABLE: the item is not available" in result.out
    assert "1 of 2 orders did not go through; the first, W-2:" in result.err.splitlines()[-1]


def test_a_run_that_stops_on_the_way_is_no_success(desk: Desk, stub: Stub) -> None:
    ends(stub, "W-1", "reserving")
    assert submit(desk, line("W-1")).code == ExitCode.OTHER


def test_a_line_that_is_no_order_is_named_and_the_others_still_go(desk: Desk, stub: Stub) -> None:
    ends(stub, "W-1", "completed")
    result = submit(desk, "[1]", line("W-1"), "", "{broken", '{"customer_id": "C-1"}')
    assert result.code == ExitCode.USAGE
    assert [call.body["input"]["order"]["order_id"] for call in stub.calls] == ["W-1"]
    for told in (
        "line 1: not a JSON object",
        "W-1: completed",
        "line 4: not JSON",
        "line 5: has no order_id",
    ):
        assert told in result.err


def test_failures_of_several_kinds_exit_as_refused(desk: Desk, stub: Stub) -> None:
    ends(stub, "W-1", "refused", denial=DENIAL)
    assert submit(desk, "[1]", line("W-1")).code == ExitCode.REFUSED


def test_off_a_terminal_each_order_tells_its_progress_in_plain_lines(desk: Desk, stub: Stub) -> None:
    ends(stub, "W-1", "completed")
    assert submit(desk, line("W-1")).err.splitlines() == ["W-1: sent", "W-1: charging W-1", "W-1: completed"]


def test_on_a_terminal_rows_are_drawn_in_place_and_summed_up_once(
    desk: Desk, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    ends(stub, "W-1", "completed")
    result = submit(desk, line("W-1"))
    assert "\x1b[2K" in result.err
    assert "W-1: sent" not in result.err
    assert result.out.count("completed") == 1


def test_json_is_one_line_an_order(desk: Desk, stub: Stub) -> None:
    ends(stub, "W-1", "completed", payment_status="captured", order_amount=500)
    ends(stub, "W-2", "refused", denial=DENIAL)
    result = submit(desk, line("W-1"), line("W-2"), "[]", options=("--json",))
    rows = documents(result)
    assert rows[1] == {
        "line": 1,
        "order_id": "W-1",
        "thread_id": thread_of("W-1"),
        "processing_stage": "completed",
        "payment_status": "captured",
        "order_amount": 500,
        "denial": None,
        "waiting": None,
        "error": None,
        "code": 0,
    }
    assert (rows[2]["denial"], rows[2]["code"]) == (DENIAL, ExitCode.REFUSED)
    assert (rows[3]["order_id"], rows[3]["code"]) == (None, ExitCode.USAGE)
    assert result.error["code"] == result.code == ExitCode.REFUSED


def test_four_orders_are_under_way_at_once(desk: Desk, stub: Stub) -> None:
    orders = [f"W-{number}" for number in range(7)]
    for order in orders:
        ends(stub, order, "completed")
    result = submit(desk, *map(line, orders))
    assert result.code == 0
    assert [told.endswith(": sent") for told in result.err.splitlines()[:5]] == [True, True, True, True, False]


def test_a_wrong_token_fails_every_order_as_unauthorised(desk: Desk, stub: Stub) -> None:
    for order in ("W-1", "W-2"):
        stub.on(f"/threads/{thread_of(order)}/runs/stream", {"detail": "this token is not known"}, status=401)
    result = submit(desk, line("W-1"), line("W-2"))
    assert result.code == ExitCode.UNAUTHORISED
    assert "this token is not known" in result.err.splitlines()[-1]


def test_once_the_server_is_gone_no_more_orders_are_sent(desk: Desk, stub: Stub) -> None:
    async def no_stream(_: Call) -> Response:
        return Response("proxy error", media_type="text/plain")

    orders = [f"W-{number}" for number in range(9)]
    for order in orders:
        stub.scripts[f"/threads/{thread_of(order)}/runs/stream"] = no_stream
    result = submit(desk, *map(line, orders), options=("--json",))
    assert result.code == ExitCode.UNREACHABLE
    assert {row["code"] for row in documents(result).values()} == {ExitCode.UNREACHABLE}
    assert len(documents(result)) == 9
    assert len(stub.calls) < 9


def test_a_file_that_cannot_be_read_is_a_usage_error(desk: Desk, stub: Stub, tmp_path: Path) -> None:
    result = desk("orders", "submit", str(tmp_path / "none.jsonl"))
    assert result.code == ExitCode.USAGE
    assert "none.jsonl" in result.err
    assert not stub.calls


def test_a_file_of_orders_is_read(desk: Desk, stub: Stub, tmp_path: Path) -> None:
    ends(stub, "W-1", "completed")
    (tmp_path / "orders.jsonl").write_text(line("W-1") + "\n")
    assert desk("orders", "submit", str(tmp_path / "orders.jsonl")).code == 0


ORDER: dict[str, Any] = {
    "id": "W#1/2",
    "customer_id": "C-1",
    "status": "pending",
    "stage": "payment",
    "total": 1999_00,
    "currency": "EUR",
    "lines": [
        {"sku": "S-1", "name": "Lamp [red]", "quantity": 1, "unit_price": 199900, "reservation": "held"},
    ],
    "payments": [{"key": "k-1", "outcome": "open", "amount": 199900}],
    "parcels": [{"id": "p-1", "warehouse": "north", "state": "planned", "tracking_id": None}],
    "approvals": [approval(roles=["order_manager", "duty_manager"])],
    "reason": None,
    "placed_at": "2030-01-01T00:00:00+00:00",
}


def test_an_order_is_shown_with_its_parts(desk: Desk, stub: Stub) -> None:
    stub.on("/ops/orders/W%231%2F2", ORDER)
    shown = desk("orders", "show", "W#1/2").out
    for part in ("W#1/2", "1,999.00 EUR", "Lamp [red]", "held", "open", "north", "ap-1", "order_manager, duty_manager"):
        assert part in shown
    assert "None" not in shown


def test_an_order_without_parcels_shows_no_empty_table(desk: Desk, stub: Stub) -> None:
    stub.on("/ops/orders/W-1", {**ORDER, "parcels": []})
    shown = desk("orders", "show", "W-1").out
    assert "payments" in shown
    assert "parcels" not in shown


def test_json_is_the_order_as_the_server_has_it(desk: Desk, stub: Stub) -> None:
    stub.on("/ops/orders/W%231%2F2", ORDER)
    assert desk("orders", "show", "W#1/2", "--json").document == ORDER


def test_an_unknown_order_is_not_found(desk: Desk) -> None:
    assert desk("orders", "show", "W-9").code == ExitCode.NOT_FOUND
