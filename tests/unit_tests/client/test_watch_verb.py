"""`desk approvals watch` as a process: on a terminal, off one, and as a feed of changes for programs."""

import contextlib
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from agent.client.connection import ExitCode
from tests.support.desk import Desk
from tests.unit_tests.client.stub import Stub, approval, interrupted, serve

RUN = "/threads/t-1/runs/stream"
WATCH = [sys.executable, "-c", "from agent.client.cli import main; main()", "approvals", "watch", "--every", "0.2"]


@pytest.fixture
def own() -> Iterator[Stub]:
    """A server of the test's own, at which one request waits."""
    stub = Stub()
    stop = serve(stub)
    stub.on_search(interrupted("t-1", approval()))
    stub.on_run("t-1", ("values", {"processing_stage": "completed"}))
    stub.on("/ops/approvals/ap-1/questions", [])
    stub.on_approval(approval())
    yield stub
    stop()


def environment(stub: Stub) -> dict[str, str]:
    return {**os.environ, "DESK_URL": stub.url, "DESK_TOKEN": "order_manager-token", "TERM": "xterm-256color"}


def wait_until(condition: Callable[[], object]) -> None:
    end = monotonic() + 30
    while not condition():
        assert monotonic() < end, "it never came"
        sleep(0.02)


def test_keys_that_come_faster_than_it_can_draw_are_not_lost(own: Stub) -> None:
    terminal, end = pty.openpty()
    watching = subprocess.Popen(WATCH, stdin=end, stdout=end, stderr=end, env=environment(own), close_fds=True)
    os.close(end)
    seen = b""
    try:
        while b"1,234.50 USD" not in seen:
            seen += os.read(terminal, 65536)
        os.write(terminal, b"\rafine, by q\r")
        os.set_blocking(terminal, False)

        def answered() -> bool:
            nonlocal seen
            with contextlib.suppress(BlockingIOError):
                seen += os.read(terminal, 65536)
            return b"Recorded" in seen

        wait_until(answered)
        os.write(terminal, b"q")
        assert watching.wait(timeout=30) == 0
    finally:
        watching.kill()
        watching.wait()
        os.close(terminal)
    [decision] = own.body_of(RUN)["command"]["resume"]["interrupt-of-t-1"]["decisions"]
    assert decision == {"type": "approve", "message": "fine, by q"}


def test_without_a_terminal_it_names_the_other_way(own: Stub) -> None:
    done = subprocess.run(
        WATCH, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment(own), check=False
    )
    assert (done.returncode, "--json" in done.stderr, own.calls) == (ExitCode.USAGE, True, [])


def test_other_verbs_do_without_its_library() -> None:
    loaded = "import sys, agent.client.cli; print('textual' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


class Feed:
    """What `watch --json` prints."""

    def __init__(self, stub: Stub, output: Path) -> None:
        self._output = output
        with output.open("wb") as out:
            self._process = subprocess.Popen([*WATCH, "--json"], stdout=out, env=environment(stub))

    def documents(self) -> list[Any]:
        return [json.loads(line) for line in self._output.read_text().splitlines(keepends=True) if line.endswith("\n")]

    def until(self, *events: tuple[str, str | None]) -> list[Any]:
        """Wait for exactly these (event, request) after each other; returns the documents."""
        wait_until(lambda: len(self.documents()) >= len(events) or self._process.poll() is not None)
        assert [(each["event"], each.get("request_id")) for each in self.documents()] == list(events)
        return self.documents()

    def end(self) -> None:
        """End it as a shell does."""
        self._process.terminate()
        self._process.wait()


def test_each_change_is_one_document(own: Stub, tmp_path: Path) -> None:
    feed = Feed(own, tmp_path / "feed")
    try:
        expected: list[tuple[str, str | None]] = [("waits", "ap-1")]
        assert feed.until(*expected)[-1]["request"] == approval()

        own.on_search(interrupted("t-1", approval(step=2)), interrupted("t-2", approval("ap-2")))
        expected += [("changed", "ap-1"), ("waits", "ap-2")]
        assert feed.until(*expected)[1]["request"]["step"] == 2

        own.on_search(interrupted("t-2", approval("ap-2")))
        expected += [("gone", "ap-1")]
        feed.until(*expected)

        own.on("/threads/search", {"detail": "starting"}, status=503)
        expected += [("away", None)]
        assert "HTTP 503" in feed.until(*expected)[-1]["error"]

        own.on_search(interrupted("t-2", approval("ap-2", note="meanwhile")))
        feed.until(*expected, ("back", None), ("changed", "ap-2"))
    finally:
        feed.end()


def test_a_feed_with_a_token_that_is_not_known_ends(desk: Desk, stub: Stub) -> None:
    stub.on("/threads/search", {"detail": "this token is not known"}, status=401)
    result = desk("approvals", "watch", "--as", "order_manager", "--json")
    assert (result.code, result.out) == (ExitCode.UNAUTHORISED, "")
