"""Attempts to take money: the table is the law, what is captured stays so, and nothing else writes how one stands."""

import ast
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import get_args

import pytest

from agent import commerce
from agent.commerce.lifecycle import (
    FIRST_OUTCOMES,
    PAYMENT_MOVES,
    UNANSWERED,
    Cause,
    Outcome,
    PaymentMoveError,
    check_payment_move,
)
from agent.commerce.locks import move_payment
from agent.ledger.tables import PaymentRow
from agent.services import Services
from tests.support.scenes import dump, new_order, paid

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
LEGAL = [(a, to, by) for a, moves in PAYMENT_MOVES.items() for to, causes in moves.items() for by in causes]
OTHERS = sorted({(a, b, by) for a, b, by in product(OUTCOMES, OUTCOMES, get_args(Cause)) if a != b} - set(LEGAL))


@pytest.mark.parametrize(("before", "to", "by"), LEGAL)
def test_an_attempt_moves_by_the_table(before: Outcome, to: Outcome, by: Cause) -> None:
    check_payment_move("A-1:pay:1", before, to, by)


def test_an_attempt_makes_no_other_move_and_none_by_another_cause() -> None:
    for before, to, by in OTHERS:
        with pytest.raises(PaymentMoveError, match=f"A-1:pay:1 is {before}: {by} can not make it {to}"):
            check_payment_move("A-1:pay:1", before, to, by)


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_an_answer_that_comes_again_leaves_an_attempt_where_it_is(outcome: Outcome) -> None:
    check_payment_move("A-1:pay:1", outcome, outcome, "provider")


def test_what_is_captured_stays_so_and_only_a_provider_says_that_it_is() -> None:
    assert PAYMENT_MOVES["captured"] == {}
    assert {by for moves in PAYMENT_MOVES.values() for by in moves.get("captured", ())} == {"provider"}


def test_money_that_comes_counts_whatever_was_thought_of_its_attempt() -> None:
    assert {outcome for outcome, moves in PAYMENT_MOVES.items() if "captured" in moves} == set(OUTCOMES) - {"captured"}


def test_no_attempt_waits_for_ever_and_none_is_opened_again() -> None:
    assert all("void" in PAYMENT_MOVES[outcome] for outcome in UNANSWERED)
    assert {outcome for outcome, moves in PAYMENT_MOVES.items() if "open" in moves} == {"due"}


async def test_a_refused_move_changes_nothing_in_the_ledger(shop: Services) -> None:
    await paid(shop, new_order())
    before = await dump(shop)
    with pytest.raises(PaymentMoveError), shop.database.writing() as session:
        move_payment(session, session.get_one(PaymentRow, "A-1:pay:1"), "void", "provider")
    assert await dump(shop) == before


def test_how_an_attempt_stands_is_written_by_the_table_alone() -> None:
    written, first = list(_written()), set(_first())
    assert written == ["locks.py"]
    assert first == set(FIRST_OUTCOMES)


def _nodes() -> Iterator[tuple[str, ast.AST]]:
    for file in sorted(Path(commerce.__path__[0]).glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            yield file.name, node


def _written() -> Iterator[str]:
    """The files that write an outcome of a row that is there."""
    for file, node in _nodes():
        match node:
            case ast.Attribute(attr="outcome", ctx=ast.Store()):
                yield file
            case ast.Call(func=ast.Name(id="change"), keywords=keywords) if "outcome" in {
                each.arg for each in keywords
            }:
                yield file


def _first() -> Iterator[str]:
    """The outcomes with which rows are made."""
    for _, node in _nodes():
        match node:
            case ast.Call(func=ast.Name(id="PaymentRow"), keywords=keywords):
                (value,) = (each.value for each in keywords if each.arg == "outcome")
                results = [value.body, value.orelse] if isinstance(value, ast.IfExp) else [value]
                yield from (str(each.value) for each in results if isinstance(each, ast.Constant))
