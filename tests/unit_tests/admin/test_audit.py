"""`desk audit`: what it proves, what it finds, and its exit codes."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from agent.approvals.requests import Action, Approvals
from agent.approvals.trail import Trail
from agent.client.connection import ExitCode
from agent.ledger.database import Database, utc_now
from agent.settings import Settings
from tests.support.approvals import decide
from tests.support.chains import OF_VERY_LARGE
from tests.support.desk import Desk
from tests.support.ledgers import new_ledger
from tests.support.threads import APPROVE, staff

ORDER = Action("approve_order", {"order_id": "N-1", "total": 5_000_00}, "Order N-1")


@pytest.fixture
def request_id(data: Path) -> str:
    """A request in the ledger that both roles of its chain have approved."""
    new_ledger(data)

    async def approved() -> str:
        database = Database(f"sqlite:///{data / 'ledger.db'}", utc_now)
        trail = await asyncio.to_thread(Trail.of, Settings(data_dir=data))
        approvals = Approvals(database, trail)
        view = await approvals.open(
            ORDER,
            "very_large_order",
            key="order:N-1",
            subject="ada_park",
            order_id="N-1",
            thread_id="thread-1",
            asked_by="channel-1",
        )
        for role in OF_VERY_LARGE:
            view = await decide(approvals, view["request_id"], view["action_hash"], APPROVE, staff(role))
        await database.close()
        return view["request_id"]

    return asyncio.run(approved())


def change(data: Path, how: str) -> None:
    with closing(sqlite3.connect(data / "ledger.db")) as connection, connection:
        connection.execute(how)


def test_a_whole_trail_is_proved(desk: Desk, request_id: str) -> None:
    assert "proved: 1 requests, 2 decisions" in desk("audit", "verify").out
    assert desk("audit", "verify", "--json").document == {"requests": 1, "decisions": 2, "unsealed": 0, "broken": []}


def test_the_first_broken_link_is_named(desk: Desk, data: Path, request_id: str) -> None:
    change(data, "UPDATE decisions SET actor = 'somebody-else' WHERE step = 1")

    found = desk("audit", "verify")

    assert found.code == ExitCode.REFUSED
    assert f"{request_id}, breaks at decision 2" in found.err
    [broken] = desk("audit", "verify", "--json").document["broken"]
    assert (broken["request_id"], broken["link"]) == (request_id, "decision 2")


def test_a_decision_that_was_taken_out_is_missed(desk: Desk, data: Path, request_id: str) -> None:
    change(data, "DELETE FROM decisions WHERE step = 1")
    assert "breaks at head: a decision is missing" in desk("audit", "verify").err


def test_the_story_of_a_request_is_told(desk: Desk, request_id: str) -> None:
    told = desk("audit", "show", request_id).out
    lines = [line.split() for line in told.splitlines()]
    assert ["status", "approved"] in lines
    assert any(OF_VERY_LARGE[0] in line and staff(OF_VERY_LARGE[0]).identity in line for line in lines)
    assert told.splitlines()[-2:] == ["effect: none", "proved"]


def test_a_story_that_cannot_be_proved_says_so(desk: Desk, data: Path, request_id: str) -> None:
    change(data, "UPDATE approvals SET subject = 'ben_ortiz'")
    told = desk("audit", "show", request_id)
    assert told.code == ExitCode.REFUSED
    assert "breaks at request" in told.err


def test_a_request_that_is_not_there_is_told(desk: Desk, request_id: str) -> None:
    assert desk("audit", "show", "apr-nothing").code == ExitCode.NOT_FOUND


def test_a_lost_key_proves_nothing(desk: Desk, data: Path, request_id: str) -> None:
    (data / "trail.key").unlink()
    assert "sealed with another key" in desk("audit", "verify").err
