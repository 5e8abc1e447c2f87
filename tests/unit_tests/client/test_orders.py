"""Orders on the command line: a file of them followed to its end, and one looked at."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from fastapi import Response

from agent.client.batch import thread_of
from agent.client.connection import ExitCode
from tests.support.desk import Desk, Result
from tests.unit_tests.client.stub import OWNER, Call, Stub, approval, broken_stream, serve, stream, waiting

DENIAL = {"rule": "LINES-AVAILABLE", "sentence": "the item is not available"}


def line(order_id: str) -> str:
    return json.dumps({"order_id": order_id, "customer_id": "C-1", "lines": [], "payment_method_id": "pm"})


def in_ledger(stub: Stub, order_id: str, stage: str, **changes: Any) -> None:
    """The ledger has the order that `line` sends."""
    stub.on(
        f"/ops/orders/{order_id}", {**ORDER, "id": order_id, "stage": stage, "lines": [], "approvals": []} | changes
    )


def ends(stub: Stub, order_id: str, stage: str, **values: Any) -> None:
    in_ledger(stub, order_id, stage)
    stub.on_run(
        thread_of(order_id, OWNER),
        ("custom", {"progress": "charge", "text": f"charging {order_id}"}),
        ("values", {"order_id": order_id, "processing_stage": stage, "denial": None, **values}),
    )


def submit(desk: Desk, *lines: str, options: tuple[str, ...] = ()) -> Result:
    return desk("orders", "submit", "-", *options, stdin="\n".join(lines).encode())


def documents(result: Result) -> dict[int, Any]:
    return {document["line"]: document for document in map(json.loads, result.out.splitlines())}


def test_an_order_goes_to_the_thread_that_its_id_and_its_sender_name(desk: Desk, stub: Stub) -> None:
    ends(stub, "W-1", "completed")
    submit(desk, line("W-1"))
    [call, confirmed] = stub.calls
    assert confirmed.path == "/ops/orders/W-1"
    assert call.path == "/threads/cd7b8b49-636e-5d27-840f-ef8b3ccf852e/runs/stream"
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
    stub.on_run(thread_of("W-1", OWNER), waiting(approval(), processing_stage="awaiting_approval"))
    in_ledger(stub, "W-1", "awaiting_approval")
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


def test_a_run_that_stops_before_the_ledger_has_the_order_is_no_success(desk: Desk, stub: Stub) -> None:
    stub.on_run(thread_of("W-1", OWNER), ("values", {"order_id": "W-1", "processing_stage": "reserving"}))
    assert submit(desk, line("W-1")).code == ExitCode.OTHER


def test_a_line_that_is_no_order_is_named_and_the_others_still_go(desk: Desk, stub: Stub) -> None:
    ends(stub, "W-1", "completed")
    result = submit(desk, "[1]", line("W-1"), "", "{broken", '{"customer_id": "C-1"}')
    assert result.code == ExitCode.USAGE
    assert [call.body["input"]["order"]["order_id"] for call in stub.calls if call.body] == ["W-1"]
    for told in (
        "line 1: no JSON object: give an order a line",
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
        "thread_id": thread_of("W-1", OWNER),
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
        stub.on(f"/threads/{thread_of(order, OWNER)}/runs/stream", {"detail": "this token is not known"}, status=401)
    result = submit(desk, line("W-1"), line("W-2"))
    assert result.code == ExitCode.UNAUTHORISED
    assert "this token is not known" in result.err.splitlines()[-1]


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
    "denial": None,
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


STREAM = f"/threads/{thread_of('W-1', OWNER)}/runs/stream"


def sent(stub: Stub) -> list[str]:
    """The orders that were sent, in their order."""
    return [call.body["input"]["order"]["order_id"] for call in stub.calls if call.path.endswith("/runs/stream")]


def cut_off(stub: Stub, *order_ids: str) -> None:
    """Each stream of these orders breaks."""

    async def script(_: Call) -> Response:
        return broken_stream(("custom", {"progress": "charge", "text": "charging"}))

    for order_id in order_ids:
        stub.scripts[f"/threads/{thread_of(order_id, OWNER)}/runs/stream"] = script


@pytest.mark.parametrize("stage", ["completed", "parked"])
def test_an_order_whose_stream_broke_is_what_the_ledger_says(desk: Desk, stub: Stub, stage: str) -> None:
    cut_off(stub, "W-1")
    in_ledger(stub, "W-1", stage)
    result = submit(desk, line("W-1"), options=("--json",))
    row = documents(result)[1]
    assert (result.code, row["processing_stage"], row["code"]) == (0, stage, 0)
    assert (row["order_amount"], row["payment_status"]) == (1999_00, "open")
    assert sent(stub) == ["W-1"]


def test_an_order_whose_stream_broke_and_that_waits_says_for_whom(desk: Desk, stub: Stub) -> None:
    cut_off(stub, "W-1")
    in_ledger(stub, "W-1", "awaiting_approval", approvals=[approval("ap-0", status="void"), approval()])
    result = submit(desk, line("W-1"))
    assert (result.code, "waits for approval by order_manager (request ap-1" in result.out) == (0, True)


def test_an_order_whose_stream_broke_and_that_was_undone_names_the_rule(desk: Desk, stub: Stub) -> None:
    cut_off(stub, "W-1")
    in_ledger(stub, "W-1", "cancelled", reason="STOCK-SHORT", denial=DENIAL)
    result = submit(desk, line("W-1"), options=("--json",))
    assert (result.code, documents(result)[1]["denial"]) == (ExitCode.REFUSED, DENIAL)


def test_an_order_that_is_still_at_work_is_followed_in_the_ledger(desk: Desk, stub: Stub) -> None:
    cut_off(stub, "W-1")
    stages = iter(["placed", "paid", "paid"])

    async def goes_on(_: Call) -> Response:
        stage = next(stages, "completed")
        return Response(json.dumps(ORDER | {"stage": stage, "lines": [], "approvals": []}))

    stub.scripts["/ops/orders/W-1"] = goes_on
    result = submit(desk, line("W-1"))
    assert (result.code, sent(stub)) == (0, ["W-1"])
    assert result.err.splitlines()[-2:] == ["W-1: on its way (paid)", "W-1: completed"]


def test_an_order_that_takes_its_time_is_on_its_way_which_is_no_failure(desk: Desk, stub: Stub) -> None:
    cut_off(stub, "W-1")
    in_ledger(stub, "W-1", "paid")
    result = submit(desk, line("W-1"))
    assert (result.code, "on its way (paid)" in result.out) == (0, True)


def test_an_order_that_the_ledger_never_heard_of_is_sent_again_under_its_id(desk: Desk, stub: Stub) -> None:
    async def first_cut_then_through(_: Call) -> Response:
        if len(sent(stub)) == 1:
            return broken_stream()
        ends(stub, "W-1", "completed")
        return stream(("values", {"order_id": "W-1", "processing_stage": "completed"}))

    stub.scripts[STREAM] = first_cut_then_through
    result = submit(desk, line("W-1"))
    assert (result.code, sent(stub)) == (0, ["W-1", "W-1"])
    assert "W-1: sent again under its id: the ledger has no such order" in result.err


def test_a_run_that_said_completed_counts_only_when_the_ledger_has_the_order(desk: Desk, stub: Stub) -> None:
    stub.on_run(thread_of("W-1", OWNER), ("values", {"order_id": "W-1", "processing_stage": "completed"}))
    result = submit(desk, line("W-1"), options=("--json",))
    assert (result.code, len(sent(stub))) == (ExitCode.UNKNOWN, 3)
    assert documents(result)[1]["code"] == ExitCode.UNKNOWN


def test_another_order_under_the_same_id_is_not_taken_for_the_one_that_was_sent(desk: Desk, stub: Stub) -> None:
    taken = {"rule": "ORDER-ID-TAKEN", "sentence": "the id is another order's"}

    async def first_cut_then_refused(_: Call) -> Response:
        if len(sent(stub)) == 1:
            return broken_stream()
        return stream(("values", {"order_id": None, "processing_stage": "refused", "denial": taken}))

    stub.scripts[STREAM] = first_cut_then_refused
    in_ledger(stub, "W-1", "completed", customer_id="C-2")
    result = submit(desk, line("W-1"))
    assert (result.code, "refused by ORDER-ID-TAKEN" in result.out) == (ExitCode.REFUSED, True)


def test_an_order_whose_earlier_run_is_still_at_work_is_looked_up(desk: Desk, stub: Stub) -> None:
    stub.on(STREAM, {"detail": "Thread is already running a task."}, status=409)
    in_ledger(stub, "W-1", "completed")
    assert (submit(desk, line("W-1")).code, sent(stub)) == (0, ["W-1"])


def test_a_run_that_failed_after_the_order_was_placed_is_no_failed_order(desk: Desk, stub: Stub) -> None:
    stub.on_run(thread_of("W-1", OWNER), ("error", {"error": "OperationalError", "message": "away"}))
    in_ledger(stub, "W-1", "paid")
    assert submit(desk, line("W-1")).code == 0


def test_a_run_that_fails_each_time_before_the_order_is_placed_is_a_failed_order(desk: Desk, stub: Stub) -> None:
    stub.on_run(thread_of("W-1", OWNER), ("error", {"error": "OperationalError", "message": "away"}))
    result = submit(desk, line("W-1"))
    assert (result.code, sent(stub)) == (ExitCode.OTHER, ["W-1"] * 3)
    assert "OperationalError: away" in result.out


def test_a_stream_that_a_restarted_server_does_not_have_is_no_failed_run(desk: Desk, stub: Stub) -> None:
    stub.on_run(thread_of("W-1", OWNER), ("error", {"error": "HTTPException", "message": "404: Thread not found"}))
    result = submit(desk, line("W-1"))
    assert (result.code, "404: Thread not found" in result.out) == (ExitCode.UNKNOWN, True)


def test_a_server_that_does_not_come_back_leaves_orders_unknown_or_not_sent(desk: Desk) -> None:
    own = Stub()
    stop = serve(own)
    gone = threading.Thread(target=stop)

    async def last_words(_: Call) -> Response:
        if not gone.is_alive():
            gone.start()
        return broken_stream()

    orders = [f"W-{number}" for number in range(9)]
    for order in orders:
        own.scripts[f"/threads/{thread_of(order, OWNER)}/runs/stream"] = last_words
    result = submit(desk, *map(line, orders), options=("--json", "--url", own.url))
    gone.join()
    codes = [documents(result)[number]["code"] for number in range(1, 10)]
    assert (result.code, set(codes)) == (ExitCode.UNKNOWN, {ExitCode.UNKNOWN, ExitCode.UNREACHABLE})
    # An order that the server took up and never read is unknown too.
    assert codes.count(ExitCode.UNREACHABLE) <= 9 - len(set(sent(own)))
    assert "Give the same command again to go on" in result.error["error"]


def test_where_nobody_listens_nothing_is_sent_and_it_is_said_at_once(desk: Desk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
    begun = monotonic()
    result = submit(desk, line("W-1"), line("W-2"), options=("--json", "--url", nobody))
    assert monotonic() - begun < 3
    assert result.code == ExitCode.UNREACHABLE
    assert {row["code"] for row in documents(result).values()} == {ExitCode.UNREACHABLE}


def test_a_server_that_is_away_for_a_moment_between_two_orders_is_waited_for(desk: Desk) -> None:
    own = Stub()
    stop = serve(own)
    port = int(own.url.rpartition(":")[2])
    restarted: list[Callable[[], None]] = []

    def restart() -> None:
        stop()
        restarted.append(serve(own, port))

    restarting = threading.Thread(target=restart)

    async def then_away(_: Call) -> Response:
        restarting.start()
        return stream(("values", {"order_id": "W-0", "processing_stage": "completed"}))

    orders = [f"W-{number}" for number in range(6)]
    for order in orders:
        ends(own, order, "completed")
    own.scripts[f"/threads/{thread_of('W-0', OWNER)}/runs/stream"] = then_away
    try:
        assert submit(desk, *map(line, orders), options=("--url", own.url)).code == 0
    finally:
        restarting.join()
        restarted[0]()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.usefixtures("desk")  # its address and tokens
def test_a_batch_that_is_stopped_says_of_each_order_where_it_stands_and_how_to_go_on(
    stub: Stub, how: signal.Signals
) -> None:
    left = threading.Event()
    stopped = threading.Barrier(4, lambda: process.send_signal(how))

    async def hangs(_: Call) -> Response:
        await asyncio.to_thread(stopped.wait)
        await asyncio.to_thread(left.wait)
        return Response()

    orders = [f"W-{number}" for number in range(1, 8)]
    ends(stub, "W-1", "completed")
    for order in orders[1:]:
        stub.scripts[f"/threads/{thread_of(order, OWNER)}/runs/stream"] = hangs
    in_ledger(stub, "W-2", "paid")
    in_ledger(stub, "W-3", "completed", customer_id="C-2")
    stub.on("/ops/orders/W-5", {"detail": "starting"}, status=503)
    listens = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"  # also where it is ignored
    command = f"{listens}; import sys; from agent.client.cli import main; main(sys.argv[1:])"
    process = subprocess.Popen(
        [sys.executable, "-c", command, "orders", "submit", "-", "--json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        out, err = process.communicate("\n".join([*map(line, orders), "{broken"]).encode(), timeout=60)
    finally:
        left.set()
        process.kill()
    result = Result(process.returncode, out.decode(), err.decode())
    rows = {row["order_id"]: (row["processing_stage"], row["code"]) for row in documents(result).values()}
    assert result.code == result.error["code"] == ExitCode.INTERRUPTED
    assert rows == {
        "W-1": ("completed", 0),
        "W-2": ("paid", 0),
        "W-3": (None, ExitCode.UNKNOWN),
        "W-4": (None, ExitCode.UNKNOWN),
        "W-5": (None, ExitCode.UNKNOWN),
        "W-6": (None, ExitCode.INTERRUPTED),
        "W-7": (None, ExitCode.INTERRUPTED),
        None: (None, ExitCode.USAGE),
    }
    said = "stopped: 1 completed, 1 on their way, 3 unknown, 2 not sent, 1 not accepted. Give the same command again"
    assert result.error["error"].startswith(said)
