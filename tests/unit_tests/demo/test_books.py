"""The demo's last chapter finds what is wrong in the books: else "0 differences" would mean nothing."""

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent.services import Services
from agent.settings import Settings
from demo.bad_day import money_books, stock_books
from demo.stage import Stage
from demo.telling import Outcome, Scene

Play = Callable[[Stage, Scene], Awaitable[None]]


@pytest.fixture
def config(tmp_path: Path) -> Settings:
    """The shop's ledger where the stage looks for it."""
    return Settings(data_dir=tmp_path / "server" / "data")


@pytest.fixture
def stage(tmp_path: Path, shop: Services, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A stage without processes at the freshly opened shop; the provider agrees with the ledger."""
    made = Stage(tmp_path)
    made.opening_stock = dict(made.ledger_rows("SELECT sku, on_hand FROM variants"))
    captures = made.ledger_rows("SELECT key, amount FROM money_entries WHERE kind = 'capture'")
    theirs = {
        "charges": [{"key": key, "amount": amount, "status": "captured"} for key, amount in captures],
        "refunds": [],
    }
    monkeypatch.setattr(made.network, "ledger", lambda: theirs)
    return made


async def outcome(play: Play, stage: Stage) -> Outcome:
    """The one thing that a scene of the books checks."""
    scene = Scene()
    await play(stage, scene)
    scene.end()
    (checked,) = [item async for item in scene if isinstance(item, Outcome)]
    return checked


def write(tmp_path: Path, statement: str) -> None:
    with closing(sqlite3.connect(tmp_path / "server" / "data" / "ledger.db")) as ledger, ledger:
        assert ledger.execute(statement).rowcount == 1


@pytest.mark.parametrize("play", [money_books, stock_books])
async def test_a_shop_that_has_just_opened_has_its_books_in_order(play: Play, stage: Stage) -> None:
    assert (await outcome(play, stage)).ok


async def test_a_second_charge_for_the_same_order_is_a_difference(stage: Stage) -> None:
    charges: list[dict[str, Any]] = stage.network.ledger()["charges"]
    charges.append(charges[0])
    assert (await outcome(money_books, stage)).happened == "1 differences"


async def test_a_refund_that_only_the_provider_knows_is_a_difference(stage: Stage) -> None:
    stage.network.ledger()["refunds"].append({"key": "W-1001:pay:1:rest", "amount": 100})
    assert (await outcome(money_books, stage)).happened == "1 differences"


async def test_a_piece_that_left_without_an_order_is_a_difference(stage: Stage, tmp_path: Path) -> None:
    write(tmp_path, "UPDATE variants SET on_hand = on_hand - 1 WHERE sku = (SELECT min(sku) FROM variants)")
    assert (await outcome(stock_books, stage)).happened == "1 differences"


async def test_a_reservation_that_nobody_holds_is_a_difference(stage: Stage, tmp_path: Path) -> None:
    write(tmp_path, "UPDATE variants SET reserved = reserved + 1 WHERE sku = (SELECT min(sku) FROM variants)")
    assert (await outcome(stock_books, stage)).happened == "1 differences"
