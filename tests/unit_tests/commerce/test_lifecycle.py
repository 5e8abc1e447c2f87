"""Stages: the table is the law, its ends are ends, and there is a way to an end from everywhere."""

from itertools import product
from typing import get_args

import pytest

from agent.commerce.lifecycle import AT_REST, CHARGEABLE, MOVES, NOT_PAID_YET, Cause, Stage, check_move
from agent.services import Services
from tests.support import steps
from tests.support.scenes import denies, dump, new_order, placed

STAGES: tuple[Stage, ...] = get_args(Stage)
CAUSES: tuple[Cause, ...] = get_args(Cause)
LEGAL = [(before, to, by) for before, moves in MOVES.items() for to, causes in moves.items() for by in causes]
OTHERS = sorted({(a, b, by) for a, b, by in product(STAGES, STAGES, CAUSES) if a != b} - set(LEGAL))


@pytest.mark.parametrize(("before", "to", "by"), LEGAL)
def test_an_order_moves_by_the_table(before: Stage, to: Stage, by: Cause) -> None:
    check_move(before, to, by)


def test_an_order_makes_no_other_move_and_none_by_another_cause() -> None:
    for before, to, by in OTHERS:
        with denies("ORDER-STAGE"):
            check_move(before, to, by)


@pytest.mark.parametrize("stage", STAGES)
def test_a_step_taken_again_leaves_an_order_where_it_is(stage: Stage) -> None:
    check_move(stage, stage, "process")


def test_nothing_leaves_completed_or_cancelled() -> None:
    assert MOVES["completed"] == MOVES["cancelled"] == {}


def test_there_is_a_way_to_rest_from_every_stage() -> None:
    arrived: set[Stage] = set(AT_REST)
    while further := {stage for stage, moves in MOVES.items() if arrived & set(moves)} - arrived:
        arrived |= further
    assert arrived == set(STAGES)


def test_money_is_taken_only_where_an_order_can_become_paid() -> None:
    assert {stage for stage, moves in MOVES.items() if "paid" in moves} == CHARGEABLE


def test_an_order_is_not_paid_until_a_provider_says_so() -> None:
    assert {by for moves in MOVES.values() for by in moves.get("paid", ())} == {"provider"}
    assert {stage for stage in NOT_PAID_YET if "completed" in MOVES[stage]} == set()


def test_only_people_or_the_process_let_an_order_pass_the_gate() -> None:
    assert MOVES["awaiting_approval"]["approved"] == ("people",)


async def test_a_refused_move_changes_nothing_in_the_ledger(shop: Services) -> None:
    await placed(shop, new_order())
    before = await dump(shop)
    with denies("ORDER-STAGE"):
        await steps.move(shop, "A-1", "paid")
    assert await dump(shop) == before


async def test_an_unknown_order_does_not_move(shop: Services) -> None:
    with denies("ORDER-EXISTS"):
        await steps.move(shop, "A-404", "reserved")
