"""The front door: help, usage errors, and local verbs of other packages."""

import asyncio
import os
import signal
import sys
import threading
from pathlib import Path

import pytest
from fastapi import Response

from agent.client.connection import MEANINGS, ExitCode
from tests.support.desk import Desk
from tests.unit_tests.client.stub import Call, Stub

LOCAL = """
import typer

app = typer.Typer(help="Local tokens.")

@app.command()
def init() -> None:
    print("made")
"""


@pytest.fixture
def local_verb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An installed package that declares `desk paint`; gives the name of its module."""
    (tmp_path / "local_paint.py").write_text(LOCAL)
    metadata = tmp_path / "local_paint-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Name: local-paint\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[desk.commands]\npaint = local_paint:app\nask = local_paint:app\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "local_paint", raising=False)
    return "local_paint"


@pytest.mark.parametrize(
    ("group", "verbs"), [((), ("ask", "orders", "approvals", "ops")), (("orders",), ("submit", "show"))]
)
def test_without_a_command_the_help_lists_the_verbs(desk: Desk, group: tuple[str, ...], verbs: tuple[str, ...]) -> None:
    result = desk(*group)
    assert (result.code, result.err) == (ExitCode.USAGE, "")
    assert [verb for verb in verbs if verb not in result.out] == []


@pytest.mark.parametrize("arguments", [("ask",), ("orders", "fly"), ("fly",), ("ask", "hi", "--wings")])
def test_a_usage_error_is_one_line(desk: Desk, arguments: tuple[str, ...]) -> None:
    result = desk(*arguments)
    assert (result.code, result.out) == (ExitCode.USAGE, "")
    assert len(result.err.splitlines()) == 1


def test_a_usage_error_names_the_help_that_says_more(desk: Desk) -> None:
    assert desk("ops", "list").err == "desk: Missing argument 'name'; see `desk ops list --help`\n"


def test_with_json_a_usage_error_is_json(desk: Desk) -> None:
    result = desk("orders", "show", "--json")
    assert result.error["code"] == result.code == ExitCode.USAGE


def test_local_verbs_are_listed_and_run(desk: Desk, local_verb: str) -> None:
    assert "Local tokens." in desk("--help").out
    assert desk("paint", "init").out == "made\n"


def test_local_code_is_not_imported_for_a_remote_verb(desk: Desk, local_verb: str) -> None:
    desk("ask", "hi", "--thread", "t-1")
    assert local_verb not in sys.modules


def test_a_local_verb_cannot_take_the_place_of_a_remote_one(desk: Desk, local_verb: str) -> None:
    assert "customer" in desk("ask", "--help").out


def test_the_help_tells_every_exit_code(desk: Desk) -> None:
    words = " ".join(desk("--help").out.split())
    assert [
        f"{code.value} {MEANINGS[code]}" for code in ExitCode if f"{code.value} {MEANINGS[code]}" not in words
    ] == []


def test_a_command_that_is_stopped_says_that_what_it_sent_may_be_done(desk: Desk, stub: Stub) -> None:
    left = threading.Event()

    async def stopped(_: Call) -> Response:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.to_thread(left.wait)
        return Response()

    stub.scripts["/ops/orders/W-1/cancel"] = stopped
    result = desk("orders", "cancel", "W-1", "--json")
    left.set()
    assert (result.code, result.out) == (ExitCode.INTERRUPTED, "")
    assert (result.error["code"], "look before you send it again" in result.error["error"]) == (130, True)
