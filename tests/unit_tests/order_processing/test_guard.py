"""Damaged checkpoints, at every node, however they are taken on: quarantined, rebuilt from the ledger, ended right."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import cycle, product
from typing import Final

import pytest
from pydantic import TypeAdapter

from agent.order_processing.graph import graph
from agent.order_processing.state import STATE_VERSION, OrderState
from agent.services import Services
from tests.support.clock import Clock
from tests.support.goods import W1002, W1004
from tests.support.orders import ADA, LARGE, SMALL, charges, order, place, stock, thread_of
from tests.support.threads import APPROVE, events

from .standing import COURSES, WAYS, ends_well, quarantined, standing_before
from .tampering import Change, sending, setting, tamper, without

pytestmark = pytest.mark.thorough

OF_NO_FORM: Final[dict[str, Change]] = {
    "the order's id is a list": setting(order_id=["N-1"]),
    "results are a word": setting(results="gone"),
    "a result is a number": setting(results={"1": 5}),
    "a count is a word": setting(error_count="many"),
    "lines are no numbers": setting(lines=["one"]),
    "parcels are a dict": setting(parcels={}),
    "the request is a word": setting(approval="yes"),
    "the answer lacks who gave it": setting(answer={"said": APPROVE}),
    "an unknown stage": setting(processing_stage="teleported"),
    "a denial without words": setting(denial={"rule": 1}),
    "a newer release's": setting(version=STATE_VERSION + 1),
}
NOT_TRUE: Final[dict[str, Change]] = {
    "another order's id": setting(order_id=W1002),
    "another customer's order": setting(order_id=W1004, customer_id="ben_ortiz"),
    "an order that is not there": setting(order_id="N-9"),
    "another customer's id": setting(customer_id="ben_ortiz"),
    "no order": without("order_id"),
    "no customer": without("customer_id"),
}
ANY_TRUTH: Final = ("route", "validate", "rebuild")
"""Nodes before which there may be no order yet, or which believe the ledger alone."""


def cases() -> Iterator[tuple[str, str, str]]:
    """Each node, taken on in each way, meets a state of no form, and every other time one that is not true; all kinds
    of damage take turns."""
    of_no_form, not_true = cycle(OF_NO_FORM), cycle(NOT_TRUE)
    for number, (node, way) in enumerate(product(COURSES, WAYS)):
        yield node, next(of_no_form), way
        if node not in ANY_TRUTH and number % 2 == list(COURSES).index(node) % 2:
            yield node, next(not_true), way


@pytest.mark.parametrize(("node", "damage", "way"), list(cases()))
async def test_a_damaged_state_is_kept_aside_once_and_the_order_ends_as_if_nothing_had_been(
    shop: Services, node: str, damage: str, way: str
) -> None:
    before, counted = await stock(shop), events("state.quarantined")
    thread = await standing_before(shop, node)
    await tamper(thread, (OF_NO_FORM | NOT_TRUE)[damage])

    await WAYS[way](thread, node)

    await ends_well(shop, thread, node, before)
    (kept,) = await quarantined(shop)
    assert kept.thread_id == thread.id
    assert events("state.quarantined") == counted + 1
    TypeAdapter(OrderState).validate_python(await thread.values(), strict=True)


def test_every_node_is_met() -> None:
    assert COURSES.keys() == graph.nodes.keys() - {"__start__"} - {name for name in graph.nodes if "error" in name}


@pytest.mark.parametrize(
    ("node", "change"),
    [
        ("reserve_line", sending(order_id=W1002)),
        ("reserve_line", sending(line="1")),
        ("reserve_line", sending(line=2)),  # nobody would look at line 1
        ("ship", sending(order_id=W1002)),
        ("ship", sending(customer_id="ben_ortiz")),
        ("ship", sending(parcel=f"{W1002}/east")),
        ("ship", sending(parcel=None)),
    ],
)
async def test_a_damaged_branch_does_nothing_and_is_done_again_from_the_ledger(
    shop: Services, node: str, change: Change
) -> None:
    before = await stock(shop)
    thread = await standing_before(shop, node)
    await tamper(thread, change)

    await thread.run(None, ADA)

    await ends_well(shop, thread, node, before)
    assert len(await quarantined(shop)) == 1


@pytest.mark.parametrize("node", ["approval", "decide"])
@pytest.mark.parametrize("shown", ["its own words", "the words of this order"])
async def test_a_yes_is_never_taken_for_a_request_that_people_were_not_shown(
    shop: Services, clock: Clock, node: str, shown: str
) -> None:
    other, _ = await place(LARGE, order_id="N-2")
    clock.advance(hours=24, seconds=1)  # else they are looked at together
    before = await stock(shop)
    foreign = await other.waits_for()
    assert foreign is not None
    thread = await standing_before(shop, node)
    own = (await thread.values())["approval"]
    forged = foreign if shown == "its own words" else own | {"request_id": foreign["request_id"]}
    await tamper(thread, setting(approval=forged))

    await WAYS["answered" if node == "approval" else "taken up"](thread, node)

    assert await other.waits_for() == foreign
    assert (await shop.approvals.get(foreign["request_id"]))["status"] == "open"
    assert await charges(shop) == []
    assert len(await quarantined(shop)) == 1
    await ends_well(shop, thread, node, before)


@pytest.mark.parametrize(("node", "key"), [("approval", "approval"), ("decide", "approval"), ("decide", "answer")])
async def test_what_a_decision_needs_and_is_missing_is_asked_for_again(shop: Services, node: str, key: str) -> None:
    before = await stock(shop)
    thread = await standing_before(shop, node)
    await tamper(thread, without(key))

    await thread.run(None, ADA)

    assert await thread.waits_for()
    await ends_well(shop, thread, node, before)
    assert len(await quarantined(shop)) == 1


async def test_a_damaged_reason_to_rebuild_is_damage_too(shop: Services) -> None:
    before = await stock(shop)
    thread = await standing_before(shop, "rebuild")
    await tamper(thread, setting(damage="?"))

    await thread.run(None, ADA)

    await ends_well(shop, thread, "rebuild", before)
    (kept,) = await quarantined(shop)
    assert (kept.node, kept.state["damage"]) == ("rebuild", "?")


async def test_a_thread_that_release_0_2_0_left_before_rebuild_as_overtaken_is_no_damaged_one(shop: Services) -> None:
    before = await stock(shop)
    thread = await standing_before(shop, "rebuild")
    await tamper(thread, setting(damage={"node": "charge", "found": ""}, overtaken_at=None))

    await thread.run(None, ADA)

    await ends_well(shop, thread, "rebuild", before)
    assert await quarantined(shop) == []


async def test_what_is_no_json_is_kept_as_its_words(shop: Services) -> None:
    thread = await standing_before(shop, "charge")
    await tamper(thread, setting(lines={(1, 2): {3, 4}, "n": float("nan")}))

    await thread.run(None, ADA)

    (kept,) = await quarantined(shop)
    assert kept.state["lines"] == {"n": "NaN"}


@pytest.mark.parametrize("way", ["answered", "sent again"])  # of the others see `test_crashes`
@pytest.mark.parametrize("node", COURSES)
async def test_a_sound_state_is_never_put_aside(shop: Services, node: str, way: str) -> None:
    before = await stock(shop)
    thread = await standing_before(shop, node)

    await WAYS[way](thread, node)

    await ends_well(shop, thread, node, before)
    assert await quarantined(shop) == []


@pytest.mark.parametrize("node", [node for node in COURSES if node not in ("route", "validate")])
async def test_a_sound_state_on_a_thread_that_was_given_up_still_ends_well(shop: Services, node: str) -> None:
    before = await stock(shop)
    thread = await standing_before(shop, node)
    await shop.orders.give_up_thread("N-1", timedelta(0))

    await thread.run(None, ADA)

    await ends_well(shop, thread, node, before)
    assert await quarantined(shop) == []


async def test_an_order_on_a_refused_threads_damaged_state_can_still_be_placed(shop: Services) -> None:
    before = await stock(shop)
    thread = thread_of()
    await thread.run(order(SMALL, total=1), ADA)
    await tamper(thread, setting(order_id=W1004, customer_id="ben_ortiz", denial=None))

    refused = await thread.run(order(SMALL, total=1), ADA)
    assert (refused["processing_stage"], refused["denial"]["rule"]) == ("refused", "ORDER-INPUT")
    await thread.run(order(SMALL), ADA)

    await ends_well(shop, thread, "charge", before)
