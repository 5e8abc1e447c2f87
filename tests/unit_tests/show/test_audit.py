"""The audit of the living shop finds what is lost and what is doubled: else its two zeros would mean nothing."""

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent.commerce.shop_import import catalogue
from agent.services import Services
from agent.settings import Settings
from demo.stage import Stage
from sandbox.card_forms import ChargeRequest, RefundRequest
from sandbox.cards import CARD_TABLES, CardNetwork
from sandbox.file import SandboxFile
from show import audit as room
from show.audit import Books, audit, movements

DELIVERED = next(order.id for order in catalogue().orders if order.status == "delivered")


@pytest.fixture
def config(tmp_path: Path) -> Settings:
    """The shop's ledger where the stage looks for it."""
    return Settings(data_dir=tmp_path / "server" / "data")


@pytest.fixture
def theirs(tmp_path: Path, shop: Services, monkeypatch: pytest.MonkeyPatch) -> Counter[tuple[Any, ...]]:
    """The card network's movements, as the freshly opened shop has them; a test adds to them."""
    with closing(sqlite3.connect(tmp_path / "server" / "data" / "ledger.db")) as ledger:
        kept = Counter(ledger.execute("SELECT key, amount FROM money_entries WHERE kind = 'capture'").fetchall())
    monkeypatch.setattr(room, "movements", lambda _: kept)
    return kept


@pytest.fixture
def stage(tmp_path: Path, theirs: Counter[tuple[Any, ...]]) -> Stage:
    return Stage(tmp_path)


def found(books: Books) -> tuple[int, int, int]:
    return books.lost, books.doubled, books.unsettled


def test_a_shop_that_has_just_opened_is_clean(stage: Stage) -> None:
    assert found(audit(stage, [DELIVERED])) == (0, 0, 0)


def test_an_order_that_was_accepted_and_is_not_in_the_ledger_is_lost(stage: Stage) -> None:
    books = audit(stage, [DELIVERED, "NOWHERE"])
    assert (books.placed, books.done, books.lost) == (2, 1, 1)


def test_a_charge_that_the_ledger_never_asked_for_is_lost(stage: Stage, theirs: Counter[tuple[Any, ...]]) -> None:
    theirs["W-9999:pay:1", 100] += 1
    assert found(audit(stage, [])) == (1, 0, 1)


def test_a_second_charge_of_an_order_s_price_is_doubled(stage: Stage, theirs: Counter[tuple[Any, ...]]) -> None:
    theirs[f"{DELIVERED}:pay:2", 100] += 1
    assert audit(stage, []).doubled == 1


def test_a_refund_that_only_one_side_has_is_unsettled(stage: Stage, theirs: Counter[tuple[Any, ...]]) -> None:
    theirs[f"{DELIVERED}:back", -100] += 1
    assert found(audit(stage, [])) == (0, 0, 1)


async def test_the_network_s_movements_are_read_from_its_file(tmp_path: Path) -> None:
    file = SandboxFile(tmp_path / "network.db", CARD_TABLES)
    cards = CardNetwork(file)
    charge, _ = await cards.charge("a", ChargeRequest(amount=300, currency="USD", token="tok_approve"))
    await cards.charge("b", ChargeRequest(amount=200, currency="USD", token="tok_decline"))
    await cards.refund("a:back", RefundRequest(charge_id=charge.id, amount=100))
    await file.close()
    assert movements(tmp_path / "network.db") == Counter([("a", 300), ("a:back", -100)])
