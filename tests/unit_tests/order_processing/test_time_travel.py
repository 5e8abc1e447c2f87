"""Going back to an old checkpoint, as a stale tab or a fork does: the ledger goes nowhere, nothing happens twice."""

import pytest
from langgraph.types import Command

from agent.identity import Caller
from agent.services import Services
from agent.shop import SHOP
from tests.support.orders import ADA, LARGE, SMALL, charges, place
from tests.support.threads import APPROVE, SERVICE, Thread, reject

from .standing import MANAGER, SHORT, effects

pytestmark = pytest.mark.thorough

CHARGED = ["route", "validate", "reserve_line", "assess", "charge", "ship", "complete"]
APPROVED = ["approval", "decide", "charge"]
LAST_WORDS = ["settle", "close"]


async def completed() -> Thread:
    """An order that nobody had to approve."""
    return (await place(SMALL))[0]


async def approved() -> Thread:
    """One that somebody approved."""
    thread, _ = await place(LARGE)
    await thread.answer(APPROVE, MANAGER)
    return thread


async def undone() -> Thread:
    """One for which there was not enough."""
    return (await place(SHORT))[0]


async def rejected() -> Thread:
    """One that somebody did not approve."""
    thread, _ = await place(LARGE)
    await thread.answer(reject("too risky"), MANAGER)
    return thread


ENDED = {
    "completed": (
        completed,
        CHARGED,
        f"N-1 is completed; {SHOP.money(123_00)} captured as N-1:pay:1; N-1/east handed over",
    ),
    "approved": (
        approved,
        APPROVED,
        f"N-1 is completed; {SHOP.money(1_399_00)} captured as N-1:pay:1; N-1/west handed over",
    ),
    "undone": (undone, ["assess", "compensate"], "N-1 is cancelled; STOCK-SHORT"),
    "rejected": (rejected, ["assess", "approval", "decide"], "N-1 is cancelled; ORDER-REJECTED"),
}


@pytest.mark.parametrize(("how", "node"), [(how, node) for how, (_, nodes, _) in ENDED.items() for node in nodes])
async def test_a_fork_of_an_order_that_is_over_does_nothing_and_ends_with_the_fact_that_stopped_it(
    shop: Services, how: str, node: str
) -> None:
    place_it, _, fact = ENDED[how]
    thread = await place_it()
    before = await effects(shop)

    ended = await thread.run(None, ADA, checkpoint=await thread.before(node))

    assert ended["ledger_fact"].startswith(fact)
    assert await effects(shop) == before


@pytest.mark.parametrize(
    ("how", "node"), [("completed", "close"), ("undone", "settle"), ("undone", "close"), ("rejected", "settle")]
)
async def test_a_fork_of_the_last_words_says_them_again(shop: Services, how: str, node: str) -> None:
    thread = await ENDED[how][0]()
    before, said = await effects(shop), await thread.values()

    await thread.run(None, ADA, checkpoint=await thread.before(node))

    assert await thread.values() == said
    assert await effects(shop) == before


@pytest.mark.parametrize("who", [MANAGER, SERVICE], ids=["a yes", "the service account"])
@pytest.mark.parametrize("how", ["approved", "rejected"])
async def test_an_answer_on_a_fork_of_what_was_decided_counts_for_nothing(
    shop: Services, how: str, who: Caller
) -> None:
    thread = await ENDED[how][0]()
    before = await effects(shop)

    ended = await thread.run(Command(resume=APPROVE), who, checkpoint=await thread.before("approval"))

    assert ended["ledger_fact"].startswith(ENDED[how][2])
    assert await effects(shop) == before


@pytest.mark.parametrize("node", ["route", "validate", "reserve_line", "assess", "approval"])
async def test_a_fork_of_an_order_that_waits_for_people_asks_the_same_request_again(shop: Services, node: str) -> None:
    thread, _ = await place(LARGE)
    before, asked = await effects(shop), await thread.waits_for()

    await thread.run(None, ADA, checkpoint=await thread.before(node))

    assert await thread.waits_for() == asked
    assert await effects(shop) == before
    assert (await thread.answer(APPROVE, MANAGER))["processing_stage"] == "completed"
    assert len(await charges(shop)) == 1


@pytest.mark.parametrize("node", ["route", "validate"])
async def test_a_fork_from_before_it_was_read_is_refused_to_who_did_not_place_the_order(
    shop: Services, node: str
) -> None:
    thread = await completed()
    before = await effects(shop)

    ended = await thread.run(None, SERVICE, checkpoint=await thread.before(node))

    assert (ended["processing_stage"], ended["denial"]["rule"]) == ("refused", "ORDER-CALLER")
    assert await effects(shop) == before
