"""Orders brought to stand before each node of their graph, as after a crash there, and what must come of them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from langgraph.types import Command
from sqlalchemy import select

from agent.identity import Caller
from agent.ledger.tables import QuarantineRow
from agent.services import Services
from tests.support.chains import OF_LARGE
from tests.support.orders import ADA, LARGE, SMALL, charges, order, redrive_order, stock, thread_of
from tests.support.outside import at_the_carrier
from tests.support.scenes import dump, network
from tests.support.threads import APPROVE, Thread, staff

SHORT = {"MUG-BLUE": 1, "CLOCK-WALNUT": 2}  # there is one walnut clock
MANAGER = staff(OF_LARGE[0])


@dataclass(frozen=True)
class Course:
    """How an order comes to a node: what is bought, what is done to it on the way, and the stage that it ends in."""

    basket: dict[str, int]
    ends: str = "completed"
    provider_away: bool = False
    overtaken: bool = False


COURSES: Final[dict[str, Course]] = {
    "route": Course(SMALL),
    "validate": Course(SMALL),
    "reserve_line": Course(SMALL),
    "assess": Course(LARGE),
    "approval": Course(LARGE),
    "decide": Course(LARGE),
    "charge": Course(SMALL),
    "ship": Course(SMALL),
    "complete": Course(SMALL),
    "compensate": Course(SHORT, "cancelled"),
    "settle": Course(SHORT, "cancelled"),
    "park": Course(SMALL, provider_away=True),
    "rebuild": Course(SMALL, overtaken=True),
    "close": Course(SMALL),
}
"""Each node of the graph, and an order that comes by."""


async def run_course(shop: Services, node: str, run: Callable[[Thread, Any, Caller], Awaitable[Any]]) -> Thread:
    """The order that comes by this node, as far as `run` lets it."""
    course, thread = COURSES[node], thread_of()
    if course.provider_away:
        shop.breakers["payment"].force_open()
    if course.overtaken:
        await thread.graph.ainvoke(order(course.basket), thread.config(ADA), interrupt_before=["charge"])
        await redrive_order(thread_of())
        await run(thread, None, ADA)
    else:
        await run(thread, order(course.basket), ADA)
    if node == "decide":
        await run(thread, Command(resume=APPROVE), MANAGER)
    shop.breakers["payment"].reset()
    return thread


async def standing_before(shop: Services, node: str) -> Thread:
    """A thread that stands before this node; at the gate it waits for people."""

    async def run(thread: Thread, given: Any, who: Caller) -> None:
        stops = [] if node == "approval" else [node]
        await thread.graph.ainvoke(given, thread.config(who), interrupt_before=stops)

    thread = await run_course(shop, node, run)
    assert node in (await thread.graph.aget_state(thread.config(None))).next
    return thread


WAYS: Final[dict[str, Callable[[Thread, str], Awaitable[Any]]]] = {
    "answered": lambda thread, _: thread.answer(APPROVE, MANAGER),
    "taken up": lambda thread, _: thread.run(None, ADA),
    "sent again": lambda thread, node: thread.run(order(COURSES[node].basket), ADA),
    "driven on": lambda thread, _: redrive_order(thread),
}
"""How a thread is taken on."""


async def ends_well(shop: Services, thread: Thread, node: str, before: dict[str, tuple[int, int]]) -> None:
    """Whoever has to says yes; then the order has ended as it should, with one charge and the right stock, and its
    thread says so."""
    course = COURSES[node]
    if (await thread.values()).get(
        "processing_stage"
    ) == "refused":  # nobody had read it yet: its customer sends it again
        await thread.run(order(course.basket), ADA)
    if view := await thread.waits_for():
        assert view["roles"] == [OF_LARGE[0]]
        await thread.answer(APPROVE, MANAGER)
    if (await shop.queries.get("N-1"))["stage"] == "parked":
        await redrive_order(thread)
    known, told = await shop.queries.get("N-1"), await thread.values()
    assert known["stage"] == course.ends
    assert (told["order_id"], told["customer_id"], told["processing_stage"], told["order_amount"]) == (
        "N-1", "ada_park", course.ends, known["total"],
    )  # fmt: skip
    sold = course.basket if course.ends == "completed" else {}
    assert [charge["amount"] for charge in await charges(shop)] == ([known["total"]] if sold else [])
    assert await stock(shop) == {sku: (n - sold.get(sku, 0), held) for sku, (n, held) in before.items()}


async def quarantined(shop: Services) -> list[QuarantineRow]:
    """The states that were put aside."""
    with shop.database.reading() as session:
        return list(session.scalars(select(QuarantineRow)).all())


async def effects(shop: Services) -> dict[str, Any]:
    """All that an order can have brought about: in the ledger, at the card network, at the carrier."""
    ledger = await dump(shop)
    for row in ledger["orders"]:
        del row["touched_at"]
    return ledger | {"network": await network(shop), "carrier": await at_the_carrier(shop)}
