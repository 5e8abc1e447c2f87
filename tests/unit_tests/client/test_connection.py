"""Which token is sent, and what each failure tells people and the shell."""

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import httpx
import pytest
from fastapi import Response

from agent.client.connection import DeskError, ExitCode, explained
from tests.support.desk import Desk
from tests.unit_tests.client.stub import Call, Stub

SHOW = "/ops/orders/W-1"


def sent_tokens(stub: Stub) -> list[list[str]]:
    return [call.api_keys for call in stub.calls]


def test_a_verb_uses_its_own_role_when_nobody_is_named(desk: Desk, stub: Stub) -> None:
    desk("orders", "show", "W-1")
    assert sent_tokens(stub) == [["channel-token"]]


def test_a_token_on_the_command_line_comes_first(desk: Desk, stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESK_TOKEN", "from-environment")
    desk("orders", "show", "W-1", "--token", "mine", "--as", "operator")
    assert sent_tokens(stub) == [["mine"]]


def test_a_named_role_beats_the_environment(desk: Desk, stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESK_TOKEN", "from-environment")
    desk("orders", "show", "W-1", "--as", "operator")
    assert sent_tokens(stub) == [["operator-token"]]


def test_the_environment_beats_the_verbs_own_role(desk: Desk, stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESK_TOKEN", "from-environment\n")
    desk("orders", "show", "W-1")
    assert sent_tokens(stub) == [["from-environment"]]


def test_keys_of_other_services_in_the_environment_are_never_sent(
    desk: Desk, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANGSMITH_API_KEY", "somebody-elses")
    desk("orders", "show", "W-1")
    assert sent_tokens(stub) == [["channel-token"]]


def test_answering_asks_who_you_are_and_names_the_roles(desk: Desk, stub: Stub) -> None:
    result = desk("approvals", "list")
    assert result.code == ExitCode.USAGE
    assert "--as with one of: channel, operator, order_manager" in result.err
    assert not stub.calls


def test_an_unknown_role_is_told_which_there_are(desk: Desk) -> None:
    result = desk("approvals", "list", "--as", "king")
    assert result.code == ExitCode.USAGE
    assert "no role king; give --token, or --as with one of: channel, operator, order_manager" in result.err


def test_a_missing_tokens_file_says_how_to_make_one(desk: Desk, tmp_path: Path) -> None:
    result = desk("orders", "show", "W-1", "--tokens", str(tmp_path / "none.json"))
    assert result.code == ExitCode.USAGE
    assert "desk tokens init" in result.err


def test_a_broken_tokens_file_is_not_shown(desk: Desk, tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text('{"channel": "s3cret"}')
    result = desk("orders", "show", "W-1", "--tokens", str(broken))
    assert result.code == ExitCode.USAGE
    assert "s3cret" not in result.err


def test_a_token_that_no_header_can_carry_is_refused(desk: Desk, stub: Stub) -> None:
    result = desk("orders", "show", "W-1", "--token", "a\r\nx-role: admin")
    assert result.code == ExitCode.USAGE
    assert not stub.calls


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, ExitCode.REFUSED),
        (401, ExitCode.UNAUTHORISED),
        (403, ExitCode.UNAUTHORISED),
        (404, ExitCode.NOT_FOUND),
        (409, ExitCode.REFUSED),
        (422, ExitCode.REFUSED),
        (429, ExitCode.REFUSED),
        (500, ExitCode.OTHER),
    ],
)
def test_a_refusal_is_one_line_with_the_servers_reason(desk: Desk, stub: Stub, status: int, code: ExitCode) -> None:
    stub.on(SHOW, {"detail": "RULE-ID: because\nof this"}, status=status)
    result = desk("orders", "show", "W-1")
    assert (result.code, result.out) == (code, "")
    assert len(result.err.splitlines()) == 1
    assert stub.url in result.err
    assert "RULE-ID: because of this" in result.err


def test_of_fields_at_fault_the_first_is_told_in_words(desk: Desk, stub: Stub) -> None:
    faults = [{"loc": ["body", "swaps", 0, "new"], "msg": "Field required"}, {"loc": ["body", "swaps"], "msg": "short"}]
    stub.on(SHOW, {"detail": faults}, status=422)
    assert desk("orders", "show", "W-1").err.startswith(f"desk: refused at {stub.url}: swaps.0.new: Field required. ")


@pytest.mark.parametrize("detail", [{"why": "x"}, ["x"], [{"loc": 1}]])
def test_another_structured_reason_is_shown_as_it_is(desk: Desk, stub: Stub, detail: object) -> None:
    stub.on(SHOW, {"detail": detail}, status=422)
    assert f"{stub.url}: {json.dumps(detail)}." in desk("orders", "show", "W-1").err


def test_what_a_rule_forbids_is_not_said_to_pass(desk: Desk, stub: Stub) -> None:
    stub.on(SHOW, {"detail": "CANCEL-STATUS: It has left."}, status=409)
    assert desk("orders", "show", "W-1").err == f"desk: refused at {stub.url}: CANCEL-STATUS: It has left.\n"
    stub.on(SHOW, {"detail": "Thread is already running a task."}, status=409)
    assert "try again in a moment" in desk("orders", "show", "W-1").err


def test_a_refusal_of_a_run_that_is_waited_for_is_told_in_words(desk: Desk, stub: Stub) -> None:
    stub.on("/runs/wait", {"detail": "role order_manager may not start reconciler"}, status=403)
    assert f"{stub.url}: role order_manager may not start reconciler. " in desk("ops", "reconcile").err


def test_with_json_an_error_is_json_on_stderr_and_stdout_is_empty(desk: Desk, stub: Stub) -> None:
    stub.on(SHOW, {"detail": "not yours"}, status=403)
    result = desk("orders", "show", "W-1", "--json")
    assert result.out == ""
    assert set(result.error) == {"error", "code"}
    assert result.error["code"] == result.code == ExitCode.UNAUTHORISED
    assert "not yours" in result.error["error"]


@pytest.mark.parametrize("url", ["nonsense", "ftp://127.0.0.1", "http://127.0.0.1:99999"])
def test_a_url_that_is_none_is_a_usage_error(desk: Desk, url: str) -> None:
    result = desk("orders", "show", "W-1", "--url", url)
    assert result.code == ExitCode.USAGE
    assert "--url http://HOST:PORT" in result.err


def test_a_server_that_is_no_desk_is_told_so(desk: Desk, stub: Stub) -> None:
    async def page(_: Call) -> Response:
        return Response("<html>", media_type="text/html")

    stub.scripts[SHOW] = page
    result = desk("orders", "show", "W-1")
    assert result.code == ExitCode.OTHER
    assert "is it the desk?" in result.err


def test_a_server_of_another_version_is_told_so(desk: Desk, stub: Stub) -> None:
    stub.on(SHOW, {"id": "W-1"})
    result = desk("orders", "show", "W-1")
    assert result.code == ExitCode.OTHER
    assert "answers without 'currency'" in result.err


@pytest.fixture
def hangs_up() -> Iterator[str]:
    """The address of a server that closes every connection unanswered."""
    listener = socket.create_server(("127.0.0.1", 0))

    def hang_up() -> None:
        connection, _ = listener.accept()
        connection.recv(65536)
        connection.close()

    thread = threading.Thread(target=hang_up)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    thread.join()
    listener.close()


def test_a_server_that_hangs_up_is_unreachable(desk: Desk, hangs_up: str) -> None:
    result = desk("orders", "show", "W-1", "--url", hangs_up)
    assert result.code == ExitCode.UNREACHABLE
    assert f"cannot reach {hangs_up}" in result.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("orders", "cancel", "W-1"),
        ("orders", "pay", "W-1", "card"),
        ("orders", "deliver", "W-1"),
        ("approvals", "ask", "ap-1", "Which leg?"),
        ("ops", "breakers", "reset", "payment"),
    ],
)
def test_a_change_whose_answer_never_came_may_have_been_made(
    desk: Desk, hangs_up: str, arguments: tuple[str, ...]
) -> None:
    result = desk(*arguments, "--url", hangs_up, "--token", "any")
    assert (result.code, result.out) == (ExitCode.UNKNOWN, "")
    assert f"may have been done, or not (cannot reach {hangs_up}" in result.err


def test_a_server_that_is_not_there_is_said_to_be_so_at_once(desk: Desk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
    begun = monotonic()
    result = desk("orders", "cancel", "W-1", "--url", nobody)
    assert (result.code, f"cannot reach {nobody}" in result.err) == (ExitCode.UNREACHABLE, True)
    assert monotonic() - begun < 3


def test_an_id_that_can_be_part_of_no_address_is_a_usage_error(desk: Desk, stub: Stub) -> None:
    result = desk("orders", "show", "x" * 70_000)
    assert (result.code, stub.calls) == (ExitCode.USAGE, [])
    assert len(result.err) < 300


@pytest.mark.parametrize("error", [httpx.ConnectError("refused"), httpx.ReadTimeout("")])
def test_no_connection_and_no_answer_both_count_as_unreachable(error: httpx.HTTPError) -> None:
    with pytest.raises(DeskError, match=r"cannot reach http://desk \(\w+\)") as raised, explained("http://desk"):
        raise error
    assert raised.value.exit_code == ExitCode.UNREACHABLE
