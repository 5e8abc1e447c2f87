"""Every node may run twice: after a retry, a crash, or from an old checkpoint. Nothing happens twice."""

from typing import get_args

import pytest
from langgraph.runtime import Runtime

from agent.commerce.commands import NewOrder
from agent.commerce.lifecycle import Stage
from agent.identity import Caller
from agent.order_processing import nodes
from agent.order_processing.state import OrderState, merge
from agent.services import Services
from tests.unit_tests.acts import place_order
from tests.unit_tests.threads import SERVICE, Thread

from .ordering import ADA, SMALL, charges, drive_on, order, place, stock, thread_of

NODES = ["route", "validate", "reserve_line", "assess", "charge", "ship", "complete", "close"]


@pytest.mark.parametrize("node", NODES)
@pytest.mark.parametrize("who", [ADA, SERVICE], ids=["the customer", "the service account"])
async def test_going_back_in_a_completed_order_does_nothing_twice(shop: Services, node: str, who: Caller) -> None:
    thread, first = await place(SMALL)
    settled = await stock(shop)

    again = await thread.run(None, who, checkpoint=await thread.before(node))

    assert again["processing_stage"] in ("completed", "refused")
    assert (await shop.reads.get("N-1"))["stage"] == first["processing_stage"] == "completed"
    assert len(await charges(shop)) == 1
    assert await stock(shop) == settled


async def crashed(thread: Thread, after: str) -> None:
    """Run the order until this node has run, and no further."""
    await thread.graph.ainvoke(order(SMALL), thread.config(ADA), interrupt_after=[after])


@pytest.mark.parametrize("node", NODES)
async def test_an_order_cut_after_any_node_is_driven_on_to_the_same_end(shop: Services, node: str) -> None:
    before = await stock(shop)
    thread = thread_of()
    await crashed(thread, node)
    placed = node != "route"

    ended = await (drive_on(thread) if placed else thread.run(order(SMALL), ADA))

    assert ended["processing_stage"] == "completed"
    assert len(await charges(shop)) == 1
    after = await stock(shop)
    assert {sku: (before[sku][0] - after[sku][0], after[sku][1] - before[sku][1]) for sku in SMALL} == {
        sku: (quantity, 0) for sku, quantity in SMALL.items()
    }


async def test_assessing_twice_goes_on_and_refuses_nothing(shop: Services) -> None:
    await place_order(shop, NewOrder.model_validate(order(SMALL)["order"]), actor="ada_park")
    state = OrderState(order_id="N-1", results={}, order={})
    for line in (1, 2):
        state["results"] |= (await nodes.reserve_line({"order_id": "N-1", "line": line}))["results"]

    first, second = await nodes.assess(state, Runtime()), await nodes.assess(state, Runtime())

    assert (first.goto, second.goto) == ("charge", "charge")
    assert "denial" not in (second.update or {})


def test_the_ledgers_stage_always_says_which_step_is_next() -> None:
    assert nodes.NEXT_STEP.keys() == set(get_args(Stage))


def test_what_branches_found_is_joined_by_key_and_forgotten_when_a_run_begins_anew() -> None:
    found = merge(merge(None, {"1": "failed"}), {"2": "reserved"})

    assert found == {"1": "failed", "2": "reserved"}
    assert merge(found, {"1": "reserved"}) == {"1": "reserved", "2": "reserved"}
    assert merge(found, None) == {}
