"""What a released version left behind in a shop at work is taken on by the present one: nothing is lost or done twice.

`tests/releases` holds a folder a release, written by `tests.releases.record`: a ledger, a card network, and threads.
"""

import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from agent.customer_service.graph import graph as customer_service
from agent.ledger.invariants import CHECKS, violations
from agent.ledger.schema import upgrade
from agent.order_processing.graph import graph as order_processing
from agent.services import Services
from agent.settings import Settings
from tests import releases
from tests.releases.record import TRAIL_KEY
from tests.releases.threads import Recorded, of_text, put_back
from tests.support.clock import Clock
from tests.support.conversations import say
from tests.support.invariants import both_sides_agree
from tests.support.orders import redrive_order, thread_of
from tests.support.scenes import charges, dump, network, pay_by, repaid
from tests.support.threads import APPROVE, Thread, staff

pytestmark = pytest.mark.of_home  # a release's recording is of one shop's orders, and that shop was home

GRAPHS: Final = {graph.name: graph for graph in (customer_service, order_processing)}
RELEASES: Final = sorted(ledger.parent for ledger in Path(releases.__file__).parent.glob("*/ledger.sql"))
assert RELEASES


def threads(which: Callable[[Recorded], object]) -> pytest.MarkDecorator:
    """The test is run for each of these threads of each release."""
    cases = [
        pytest.param(release, known, id=f"{release.name} {known['order_id'] or known['thread_id']}")
        for release in RELEASES
        for known in of_text((release / "threads.json").read_text())
        if which(known)
    ]
    return pytest.mark.parametrize(("release", "known"), cases)


@pytest.fixture
def clock(clock: Clock) -> Clock:
    """The upgrade is an hour after the recorder's first moment, before anything is overdue."""
    clock.advance(hours=1)
    return clock


@pytest.fixture(scope="session")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """The files of a release, brought to the present schema: once a process, since each test takes a copy."""

    @cache
    def made(release: Path) -> Path:
        folder = tmp_path_factory.mktemp("release")
        for text, database in (("ledger.sql", "ledger.db"), ("card_network.sql", "sandbox.db")):
            with closing(sqlite3.connect(folder / database)) as connection:
                connection.executescript((release / text).read_text())
        upgrade(f"sqlite:///{folder / 'ledger.db'}")
        return folder

    return made


@pytest.fixture
def config(tmp_path: Path, release: Path, upgraded: Callable[[Path], Path]) -> Settings:
    """The shop's files are those of the release."""
    folder = Path(shutil.copytree(upgraded(release), tmp_path / "release"))
    return Settings(
        data_dir=folder,
        tokens_file=tmp_path / "tokens.json",
        sandbox_slow_seconds=0.05,
        payment_timeout_seconds=30,
        trail_key=TRAIL_KEY,
        order_sum_hours=0,
    )


@pytest.fixture
async def shop(shop: Services) -> AsyncIterator[Services]:
    """The present version at work on them. What must add up does, before a test and after it."""
    await adds_up(shop)
    yield shop
    await adds_up(shop)


async def adds_up(shop: Services) -> None:
    with shop.database.reading() as session:
        broken = [violation for check in CHECKS for violation in violations(session, check)]
    assert not broken
    await both_sides_agree(shop, await dump(shop))


async def as_it_was(known: Recorded) -> Thread:
    """The recorded thread, where it stood."""
    thread = Thread(GRAPHS[known["graph"]], known["thread_id"])
    await put_back(thread, known)
    return thread


async def at_the_gate(thread: Thread) -> Any:
    view = await thread.waits_for()
    assert view is not None
    return view


async def approve(thread: Thread) -> None:
    """Everybody who is asked says yes, until nobody is."""
    view = await thread.waits_for()
    while view:
        await thread.answer(APPROVE, staff(view["roles"][0]))  # type: ignore[arg-type]
        before, view = view, await thread.waits_for()
        assert view != before


async def money_of(shop: Services, order_id: str) -> tuple[list[int], list[int]]:
    """What the card network captured and gave back for the order, in minor units."""
    captured = [charge.amount for charge in await charges(shop, order_id) if charge.status == "captured"]
    return captured, [refund.amount for refund in await repaid(shop, order_id)]


@threads(lambda known: known["waiting_for"] and known["order_id"])
async def test_an_order_that_waits_is_approved_charged_once_and_completed(shop: Services, known: Recorded) -> None:
    for _ in range(2):  # and once more from the old checkpoint, as a stale tab would
        await approve(await as_it_was(known))

    order = await shop.queries.get(known["order_id"])
    assert order["stage"] == "completed"
    assert await money_of(shop, order["id"]) == ([order["total"]], [])


@threads(lambda known: known["waiting_for"] and not known["order_id"])
async def test_a_refund_that_waits_is_approved_and_paid_once(shop: Services, known: Recorded) -> None:
    refund = (await at_the_gate(await as_it_was(known)))["action_requests"][0]["args"]  # in cents, as it was shown
    _, before = await money_of(shop, refund["order_id"])

    for _ in range(2):
        await approve(await as_it_was(known))

    _, after = await money_of(shop, refund["order_id"])
    assert after == [*before, refund["amount"]]


@threads(lambda known: known["waiting_for"] and not known["order_id"])
async def test_what_was_said_before_is_shown_before_what_is_said_now(shop: Services, known: Recorded) -> None:
    thread, before = await as_it_was(known), known["checkpoint"]["channel_values"]["messages"]

    await say(thread, "hello")
    await approve(thread)

    shown = (await thread.values())["messages"]
    assert shown[: len(before)] == before
    assert [message.text for message in shown[len(before) :] if message.type == "human"] == ["hello"]


@threads(lambda known: known["waiting_for"])
async def test_the_answer_of_a_wrong_role_counts_for_nothing_and_the_right_one_is_still_taken(
    shop: Services, known: Recorded
) -> None:
    thread, before = await as_it_was(known), await network(shop)
    assert (await at_the_gate(thread))["roles"] == known["waiting_for"]

    await thread.answer(APPROVE, staff("tech_support"))

    asked = await at_the_gate(thread)
    assert asked["roles"] == known["waiting_for"]
    assert await network(shop) == before
    for _ in range(1 if asked["refused"] else 2):  # once more where the request took the place of another
        await thread.answer(APPROVE, staff(asked["roles"][0]))
    left = await thread.waits_for()
    assert left is None or left["step"] == asked["step"] + 1


@pytest.mark.parametrize("lost", [False, True], ids=["on its thread", "on a new thread"])
@threads(lambda known: known["order_id"])
async def test_an_order_is_taken_on_to_its_end_or_to_people(shop: Services, known: Recorded, lost: bool) -> None:
    thread = thread_of(known["order_id"]) if lost else await as_it_was(known)

    await redrive_order(thread, known["order_id"])

    order = await shop.queries.get(known["order_id"])
    captured, given_back = await money_of(shop, order["id"])
    match order["stage"]:
        case "completed":
            assert (captured, given_back) == ([order["total"]], [])
        case "cancelled":
            assert captured == given_back
            assert captured in ([], [order["total"]])
        case "declined":
            assert captured == []
            await pay_by(shop, order["id"], "ada_card")
            assert (await redrive_order(thread, order["id"]))["processing_stage"] == "completed"
            assert await money_of(shop, order["id"]) == ([order["total"]], [])
        case _:
            roles = (await at_the_gate(thread))["roles"]
            assert known["waiting_for"] in ([], roles)  # a yes that was given counts
            assert captured == []


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.name)
async def test_what_was_owed_is_paid_once(shop: Services) -> None:
    owed = {row["key"]: row["amount"] for row in (await dump(shop))["debts"] if not row["settled"]}
    assert owed

    settled: dict[str, str] = {}
    while now := await shop.debts.settle():  # again, since a void may learn of money that is owed from then on
        assert not settled.keys() & now.keys()
        settled |= now

    assert settled.keys() >= owed.keys()
    assert set(settled.values()) == {"settled"}
    paid = [(refund.key, refund.amount) for refund in (await network(shop)).refunds]
    assert len(paid) == len(dict(paid))
    assert dict(paid).items() >= {key: amount for key, amount in owed.items() if amount}.items()
