"""The live inbox, driven by keys, in front of a server that changes behind its back."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from fastapi import Response
from langgraph_sdk import get_client
from textual.pilot import Pilot
from textual.widgets import Input

from agent.client import inbox as requests
from agent.client.connection import DeskError, ExitCode
from agent.client.session import Session
from agent.client.show import Screen
from agent.client.watch import Watch
from tests.unit_tests.client.stub import Call, Stub, approval, interrupted, question, said_to, serve, stream, waiting

RUN = "/threads/t-1/runs/stream"
ESCAPES = "\x1b[2K\x1b]0;owned\x07\u202e"


@pytest.fixture
def three(stub: Stub) -> Stub:
    """Three requests wait; an answer to ap-1 completes its order."""
    stub.on_search(*(interrupted(f"t-{n}", approval(f"ap-{n}", order_id=f"W-{n}")) for n in (1, 2, 3)))
    stub.on_run("t-1", ("values", {"processing_stage": "completed"}))
    for n in (1, 2, 3):
        stub.on(f"/ops/approvals/ap-{n}/questions", [])
        stub.on_approval(approval(f"ap-{n}"))
    return stub


class Inbox:
    """The inbox on a screen of its own, and the keys pressed in it."""

    def __init__(self, app: Watch, pilot: Pilot[DeskError]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def screen(self) -> str:
        """What is on the screen now, without its frame."""
        lines = self.app.screen._compositor.render_strips()  # a screenshot takes a hundred times as long
        return "\n".join(line.text for line in lines)

    async def until(self, shown: str | Callable[[], bool]) -> None:
        """Wait until something is on the screen, or holds."""
        end = time.monotonic() + 60
        while not (shown() if callable(shown) else shown in self.screen):
            assert time.monotonic() < end, f"{shown} never came:\n{self.screen}"
            await self.pilot.pause(0.02)

    async def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        """Type a text."""
        await self.pilot.press(*("space" if char == " " else char for char in text))


@asynccontextmanager
async def watching(stub: Stub, role: str | None = None, limit: int = 50) -> AsyncIterator[Inbox]:
    """The inbox in front of the stub, looking often."""
    async with get_client(url=stub.url, api_key="order_manager-token") as client:
        app = Watch(Session(client, Screen(as_json=False), stub.url), role, limit, 0.3)
        async with app.run_test(size=(100, 40)) as pilot:
            yield Inbox(app, pilot)


def decision(stub: Stub) -> object:
    """The one decision that was sent to t-1."""
    [sent] = stub.body_of(RUN)["command"]["resume"]["interrupt-of-t-1"]["decisions"]
    return sent


def was_sent(stub: Stub) -> bool:
    return any(call.path.endswith("/runs/stream") for call in stub.calls)


async def test_the_list_tells_what_waits_for_whom_and_until_when(three: Stub) -> None:
    async with watching(three) as inbox:
        await inbox.until("ap-3")
        for cell in ("ap-1", "ChargeOrder", "1,234.50 USD", "W-1", "1/2", "order_manager", "in ", "3 open", "Quit"):
            await inbox.until(cell)
        three.on_search(interrupted("t-1", approval(due="2020-01-01T00:00:00+00:00")))
        await inbox.until("overdue")
        await inbox.until(lambda: "ap-3" not in inbox.screen)


async def test_an_approval_by_keys_is_that_requests_answer_and_says_what_came_of_it(three: Stub) -> None:
    async with watching(three) as inbox:
        await inbox.until("ap-3")
        await inbox.press("enter")
        await inbox.until("step 1 of 2")
        await inbox.press("a")
        await inbox.type("a fine order, e.g. q")
        await inbox.press("enter")
        await inbox.until("ap-1: Recorded; order W-1: completed.")
        assert "3 open" in inbox.screen
    assert decision(three) == {"type": "approve", "message": "a fine order, e.g. q"}


async def test_a_rejection_needs_its_reason(three: Stub) -> None:
    async with watching(three) as inbox:
        await inbox.until("ap-3")
        await inbox.press("enter", "r", "enter")
        await inbox.until("needs its reason")
        assert not was_sent(three)
        await inbox.type("too risky")
        await inbox.press("enter")
        await inbox.until("Recorded")
    assert decision(three) == {"type": "reject", "message": "too risky"}


async def test_an_edit_sends_what_was_changed_and_the_rest_as_it_was(three: Stub) -> None:
    view = approval()
    view["action_requests"][0]["args"] = {"amount": "1234.50", "reason": f"large{ESCAPES} order"}
    three.on_search(interrupted("t-1", view))
    async with watching(three) as inbox:
        await inbox.until("ap-1")
        await inbox.press("enter", "e", *["backspace"] * 7)
        await inbox.type("99")
        await inbox.press("enter", "enter")
        await inbox.type("half")
        await inbox.press("enter")
        await inbox.until("Recorded")
    args = {"amount": "99", "reason": f"large{ESCAPES} order"}
    assert decision(three) == {
        "type": "edit",
        "message": "half",
        "edited_action": {"name": "ChargeOrder", "args": args},
    }


async def test_only_the_answers_that_a_request_takes_have_keys(three: Stub) -> None:
    fixed = approval(review_configs=[{"action_name": "ChargeOrder", "allowed_decisions": ["approve", "reject"]}])
    three.on_search(interrupted("t-1", fixed))
    async with watching(three) as inbox:
        await inbox.until("ap-1")
        await inbox.press("enter")
        await inbox.until("Approve")
        assert "Edit" not in inbox.screen
        await inbox.press("e")
        assert "Edit ap-1" not in inbox.screen


async def test_a_refused_answer_is_shown_with_its_reason_and_the_note_stays(three: Stub) -> None:
    three.on_run("t-1", waiting(approval(refused="FOUR-EYES: you asked for it"), processing_stage="awaiting"))
    async with watching(three) as inbox:
        await inbox.until("ap-3")
        await inbox.press("enter", "a")
        await inbox.type("mine")
        await inbox.press("enter")
        await inbox.until("FOUR-EYES: you asked for it")
        await inbox.type("!")
        await inbox.until("mine!")


async def test_the_selection_stays_with_its_request_when_the_list_changes(three: Stub) -> None:
    async with watching(three) as inbox:
        await inbox.until("ap-3")
        await inbox.press("down")
        sooner = [interrupted(f"t-{n}", approval(f"ap-{n}", due="2029-01-01T00:00:00+00:00")) for n in (7, 8)]
        three.on_search(*sooner, interrupted("t-2", approval("ap-2")))
        await inbox.until("ap-8")
        await inbox.press("enter")
        await inbox.until(lambda: "step 1 of 2" in inbox.screen and "ap-2" in inbox.screen)
        assert "ap-7" not in inbox.screen


async def test_when_the_selected_request_goes_the_next_one_is_selected(three: Stub) -> None:
    async with watching(three) as inbox:
        await inbox.until("ap-3")
        await inbox.press("down", "down")
        three.on_search(*(interrupted(f"t-{n}", approval(f"ap-{n}")) for n in (1, 2)))
        await inbox.until("2 open")
        await inbox.press("enter")
        await inbox.until(lambda: "step 1 of 2" in inbox.screen and "ap-2" in inbox.screen)


async def test_a_request_that_is_decided_elsewhere_while_it_is_read_says_so_and_stays_readable(three: Stub) -> None:
    async with watching(three) as inbox:
        await inbox.until("ap-3")
        await inbox.press("enter", "a")
        await inbox.type("fine")
        three.on_search(interrupted("t-2", approval("ap-2")))
        three.on_approval(approval(status="approved"), said_to())
        await inbox.until(lambda: "ap-1" not in inbox.app.open)
        await inbox.press("enter")
        await inbox.until("Not taken: ap-1 is approved")
        assert not was_sent(three)
        await inbox.press("escape")
        await inbox.until("does not wait here any more")
        assert "Charge 1,234.50 USD for W-1" in inbox.screen
        await inbox.press("escape")
        await inbox.until(lambda: "1 open" in inbox.screen and "ap-2" in inbox.screen)


async def test_an_answer_goes_where_the_request_is_asked_now(three: Stub) -> None:
    async with watching(three) as inbox:
        await inbox.until("ap-3")
        await inbox.press("enter", "a")
        three.on_search(
            interrupted("t-1", approval()) | {"interrupts": {"t": [{"id": "asked-anew", "value": approval()}]}}
        )
        await inbox.press("enter")
        await inbox.until("Recorded")
    assert list(three.body_of(RUN)["command"]["resume"]) == ["asked-anew"]


async def test_what_changed_after_it_was_read_is_not_answered(three: Stub) -> None:
    async with watching(three) as inbox:
        await inbox.until("ap-3")
        await inbox.press("enter", "a")
        three.on_search(interrupted("t-1", approval(action_hash="1" * 64)))
        await inbox.press("enter")
        await inbox.until("has changed since you read it")
        assert not was_sent(three)


async def test_what_is_typed_while_it_looks_again_is_kept(three: Stub) -> None:
    async with watching(three) as inbox:
        await inbox.until("ap-3")
        await inbox.press("enter", "a")
        for n, char in enumerate("no stroke is lost"):
            three.on_search(interrupted("t-1", approval(note=f"look {n}")))
            await inbox.type(char)
        three.on_search(interrupted("t-1", approval(note="the last look")))
        await inbox.until(lambda: inbox.app.open["ap-1"].view["note"] == "the last look")
        await inbox.until("no stroke is lost")


async def test_a_server_that_is_away_is_said_to_be_and_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "PATIENCE", 0.5)
    own = Stub()
    own.on_search(interrupted("t-1", approval()))
    own.on("/ops/approvals/ap-1/questions", [])
    stop = serve(own)
    port = int(own.url.rpartition(":")[2])
    try:
        async with watching(own) as inbox:
            await inbox.until("1 open")
            await inbox.press("enter", "a")
            await inbox.type("kept")
            await asyncio.to_thread(stop)
            await inbox.press("escape")
            await inbox.until("The server is away")
            assert "Charge 1,234.50 USD for W-1" in inbox.screen
            own.on_search(interrupted("t-1", approval(note="back again")))
            stop = serve(own, port)
            await inbox.until("back again")
            assert "The server is away" not in inbox.screen
    finally:
        stop()


async def test_an_answer_that_could_not_be_sent_is_kept_and_sent_again(three: Stub) -> None:
    three.on(RUN, {"detail": "starting"}, status=503)
    three.on_approval(approval(), taken=False)
    async with watching(three) as inbox:
        await inbox.until("ap-3")
        await inbox.press("enter", "a")
        await inbox.type("kept")
        await inbox.press("enter")
        await inbox.until("HTTP 503")  # first with the words that it looks whether the answer was taken
        await inbox.until(lambda: isinstance(inbox.app.focused, Input))
        three.calls.clear()
        three.on_approval(approval())
        three.on_run("t-1", ("values", {"processing_stage": "completed"}))
        await inbox.press("enter")
        await inbox.until("Recorded")
    assert decision(three) == {"type": "approve", "message": "kept"}


async def test_an_answer_on_its_way_is_not_sent_twice_nor_left(three: Stub) -> None:
    go = asyncio.Event()
    loop = asyncio.get_running_loop()
    arrived: list[Call] = []

    async def slow(call: Call) -> Response:
        arrived.append(call)
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(go.wait(), loop))
        return stream(("values", {"processing_stage": "completed"}))

    three.scripts[RUN] = slow
    async with watching(three) as inbox:
        await inbox.until("ap-3")
        await inbox.press("enter", "a", "enter")
        await inbox.until(lambda: bool(arrived))
        await inbox.press("enter", "escape", "a")
        assert "sending" in inbox.screen
        go.set()
        await inbox.until("Recorded")
    assert len(arrived) == 1


async def test_the_customer_is_asked_and_the_answer_is_read_when_it_comes(three: Stub) -> None:
    three.on("/ops/approvals/ap-1/ask", question("Which leg?", None))
    async with watching(three) as inbox:
        await inbox.until("ap-3")
        await inbox.press("enter", "c")
        await inbox.type("Which leg?")
        await inbox.press("enter")
        await inbox.until("asked, in the customer's conversation")
        three.on("/ops/approvals/ap-1/questions", [question("Which leg?", None)])
        await inbox.until("has not answered yet")
        three.on("/ops/approvals/ap-1/questions", [question("Which leg?", f"the {ESCAPES}left one")])
        await inbox.until("left one")
    assert three.body_of("/ops/approvals/ap-1/ask") == {"text": "Which leg?"}


async def test_nothing_that_the_server_says_steers_the_terminal(three: Stub) -> None:
    nasty = f"[red]{ESCAPES}x"
    view = approval(f"ap-1{ESCAPES}", order_id=nasty, subject=nasty, note=nasty, refused=nasty, roles=[nasty])
    view["action_requests"][0] |= {"name": nasty, "description": nasty, "args": {nasty: nasty}}
    three.on_search(interrupted("t-1", view))
    async with watching(three) as inbox:
        await inbox.until("[red]")
        for keys in (["enter"], ["e"]):
            await inbox.press(*keys)
            await inbox.until("[red]")
            assert not set(inbox.screen) & set(ESCAPES[0] + "\x07\u202e")


async def test_a_token_that_is_not_known_ends_it(three: Stub) -> None:
    three.on("/threads/search", {"detail": "this token is not known"}, status=401)
    async with watching(three) as inbox:
        await inbox.until(lambda: inbox.app.return_value is not None)
        assert inbox.app.return_value is not None
        assert inbox.app.return_value.exit_code == ExitCode.UNAUTHORISED


async def test_it_can_be_for_one_role(three: Stub) -> None:
    theirs = interrupted("t-2", approval("ap-2", roles=["finance_director"]), awaiting="finance_director")
    three.on_search(interrupted("t-1", approval(), awaiting="order_manager"), theirs)
    async with watching(three, "finance_director") as inbox:
        await inbox.until("ap-2")
        assert "ap-1" not in inbox.screen


async def test_more_than_the_limit_is_said_to_be(three: Stub) -> None:
    async with watching(three, limit=2) as inbox:
        await inbox.until("2 open (and more: --limit)")
        assert "ap-3" not in inbox.screen
