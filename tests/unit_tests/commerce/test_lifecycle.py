"""Stages: the table is the law, its ends are ends, and there is a way to an end from everywhere."""

from itertools import product
from typing import get_args

import pytest

from agent.commerce.lifecycle import AT_REST, CHARGEABLE, MOVES, Stage
from agent.commerce.orders import move
from agent.ledger.tables import OrderRow
from agent.services import Services

from .scenes import denies, dump, new_order, placed

STAGES: tuple[Stage, ...] = get_args(Stage)
OTHERS = [(before, to) for before, to in product(STAGES, STAGES) if to != before and to not in MOVES[before]]


@pytest.mark.parametrize(("before", "to"), [(before, to) for before, moves in MOVES.items() for to in moves])
def test_an_order_moves_by_the_table(before: Stage, to: Stage) -> None:
    order = OrderRow(stage=before)
    move(order, to)
    assert order.stage == to


@pytest.mark.parametrize(("before", "to"), OTHERS)
def test_an_order_makes_no_other_move(before: Stage, to: Stage) -> None:
    order = OrderRow(stage=before)
    with denies("ORDER-STAGE"):
        move(order, to)
    assert order.stage == before


@pytest.mark.parametrize("stage", STAGES)
def test_a_step_taken_again_leaves_an_order_where_it_is(stage: Stage) -> None:
    order = OrderRow(stage=stage)
    move(order, stage)
    assert order.stage == stage


def test_nothing_leaves_completed_or_cancelled() -> None:
    assert MOVES["completed"] == MOVES["cancelled"] == ()


def test_there_is_a_way_to_rest_from_every_stage() -> None:
    arrived: set[Stage] = set(AT_REST)
    while further := {stage for stage, moves in MOVES.items() if arrived & set(moves)} - arrived:
        arrived |= further
    assert arrived == set(STAGES)


def test_money_is_taken_only_where_an_order_can_become_paid() -> None:
    assert {stage for stage, moves in MOVES.items() if "paid" in moves} == CHARGEABLE


async def test_a_refused_move_changes_nothing_in_the_ledger(shop: Services) -> None:
    await placed(shop, new_order())
    before = await dump(shop)
    with denies("ORDER-STAGE"):
        await shop.orders.move("A-1", "paid")
    assert await dump(shop) == before


async def test_an_unknown_order_does_not_move(shop: Services) -> None:
    with denies("ORDER-EXISTS"):
        await shop.orders.move("A-404", "reserved")
