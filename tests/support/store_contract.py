"""What every store of breaker states must do, as clauses that take a store; time passes on the loop's clock.

They hold for the store in memory that the other tests use, and for Redis (`tests/services/test_redis_store.py`).
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import pytest

from agent.resilience import Claim, SharedView, StateStore

NAME: Final = "model"
WAIT: Final = 0.3  # seconds
A_WHILE: Final = WAIT / 3
MORE_THAN_THE_WAIT: Final = WAIT + 0.05

Clause = Callable[[StateStore], Awaitable[None]]
CLAUSES: Final[list[Clause]] = []


def clause(check: Clause) -> Clause:
    CLAUSES.append(check)
    return check


def claim(lease: str, permitted: int = 1, lease_seconds: float = WAIT) -> Claim:
    return Claim(lease, lease_seconds, permitted, "timeout", 3)


async def known(store: StateStore) -> SharedView:
    (view,) = await store.read([NAME])
    return view


async def due(store: StateStore) -> SharedView:
    """A breaker whose wait is over."""
    return await store.open(NAME, (await known(store)).epoch, "connection", 0.0, 1)


@clause
async def an_unknown_breaker_is_closed_at_epoch_zero(store: StateStore) -> None:
    assert await store.read(["carrier", NAME]) == [SharedView(0, "closed"), SharedView(0, "closed")]


@clause
async def open_says_why_how_often_and_for_how_long(store: StateStore) -> None:
    opened = await store.open(NAME, 0, "rate_limit", WAIT, 2)
    assert (opened.state, opened.why, opened.openings) == ("open", "rate_limit", 2)
    assert opened.seconds_left == pytest.approx(WAIT, abs=0.001)
    await asyncio.sleep(A_WHILE)
    later = await known(store)
    assert later.epoch == opened.epoch
    assert 0 < later.seconds_left <= WAIT - A_WHILE + 0.01


@clause
async def breakers_do_not_touch_each_other(store: StateStore) -> None:
    await store.open(NAME, 0, "timeout", WAIT, 1)
    views = await store.read(["carrier", NAME])
    assert [view.state for view in views] == ["closed", "open"]


@clause
async def of_two_that_open_it_at_once_the_first_counts(store: StateStore) -> None:
    closed = await store.reset(NAME)
    first = await store.open(NAME, closed.epoch, "timeout", WAIT, 1)
    second = await store.open(NAME, closed.epoch, "auth", 100 * WAIT, 1)
    assert (second.epoch, second.why) == (first.epoch, "timeout")


@clause
async def every_move_has_a_higher_epoch(store: StateStore) -> None:
    views = [
        await store.open(NAME, 0, "timeout", 0.0, 1),
        (await store.acquire(NAME, claim("a")))[1],
        await store.settle(NAME, "a", True, 1),
        await store.force_open(NAME),
        await store.reset(NAME),
    ]
    assert [view.state for view in views] == ["open", "half_open", "closed", "forced_open", "closed"]
    epochs = [view.epoch for view in views]
    assert epochs == sorted(set(epochs))


@clause
async def nobody_probes_before_the_wait_is_over(store: StateStore) -> None:
    await store.open(NAME, 0, "timeout", WAIT, 1)
    granted, view = await store.acquire(NAME, claim("a"))
    assert (granted, view.state) == (False, "open")
    await asyncio.sleep(MORE_THAN_THE_WAIT)
    granted, view = await store.acquire(NAME, claim("a"))
    assert (granted, view.state, view.why) == (True, "half_open", "timeout")


@clause
async def a_forced_open_or_closed_breaker_grants_no_probe(store: StateStore) -> None:
    await store.force_open(NAME)
    assert not (await store.acquire(NAME, claim("a")))[0]
    await store.reset(NAME)
    assert not (await store.acquire(NAME, claim("a")))[0]


@clause
async def no_more_probes_go_than_permitted(store: StateStore) -> None:
    await due(store)
    answers = await asyncio.gather(*(store.acquire(NAME, claim(f"lease-{n}", permitted=3)) for n in range(20)))
    assert sum(granted for granted, _ in answers) == 3


@clause
async def a_lease_given_back_is_free_at_once_and_proves_nothing(store: StateStore) -> None:
    await due(store)
    await store.acquire(NAME, claim("a"))
    assert not (await store.acquire(NAME, claim("b")))[0]
    assert (await store.settle(NAME, "a", False, 1)).state == "half_open"
    assert (await store.acquire(NAME, claim("b")))[0]


@clause
async def a_lease_not_given_back_ends_by_itself(store: StateStore) -> None:
    await due(store)
    await store.acquire(NAME, claim("a"))
    await asyncio.sleep(A_WHILE)
    assert not (await store.acquire(NAME, claim("b")))[0]
    await asyncio.sleep(MORE_THAN_THE_WAIT - A_WHILE)
    assert (await store.acquire(NAME, claim("b")))[0]


@clause
async def enough_good_probes_close_it(store: StateStore) -> None:
    await due(store)
    await store.acquire(NAME, claim("a", permitted=2))
    await store.acquire(NAME, claim("b", permitted=2))
    assert (await store.settle(NAME, "a", True, 2)).state == "half_open"
    assert (await store.settle(NAME, "b", True, 2)).state == "closed"


@clause
async def a_good_probe_counts_once(store: StateStore) -> None:
    await due(store)
    await store.acquire(NAME, claim("a"))
    await store.settle(NAME, "a", True, 2)
    assert (await store.settle(NAME, "a", True, 2)).state == "half_open"


@clause
async def a_good_probe_that_outlived_its_lease_does_not_count(store: StateStore) -> None:
    await due(store)
    await store.acquire(NAME, claim("a"))
    await asyncio.sleep(MORE_THAN_THE_WAIT)
    assert (await store.settle(NAME, "a", True, 1)).state == "half_open"


@clause
async def a_probe_of_an_earlier_half_open_does_not_count(store: StateStore) -> None:
    await due(store)
    await store.acquire(NAME, claim("a"))
    await due(store)
    await store.acquire(NAME, claim("b"))
    assert (await store.settle(NAME, "a", True, 1)).state == "half_open"


@clause
async def good_probes_before_a_bad_one_do_not_count(store: StateStore) -> None:
    await due(store)
    await store.acquire(NAME, claim("a"))
    await store.settle(NAME, "a", True, 2)
    await due(store)
    await store.acquire(NAME, claim("b"))
    assert (await store.settle(NAME, "b", True, 2)).state == "half_open"


@clause
async def an_unknown_breaker_that_someone_probes_becomes_half_open(store: StateStore) -> None:
    granted, view = await store.acquire(NAME, claim("a"))
    assert (granted, view.state, view.why, view.openings) == (True, "half_open", "timeout", 3)
    assert not (await store.acquire(NAME, claim("b")))[0]


@clause
async def what_was_spent_is_left_no_more_until_it_is_refilled(store: StateStore) -> None:
    assert await store.spend(NAME, 0, 10, WAIT) == 10
    assert await store.spend(NAME, 4, 10, WAIT) == pytest.approx(6, abs=0.5)
    assert await store.spend(NAME, 10, 10, WAIT) < 0
    await asyncio.sleep(A_WHILE)
    assert -4 < await store.spend(NAME, 0, 10, WAIT) < 3
    await asyncio.sleep(2 * WAIT)
    assert await store.spend(NAME, 0, 10, WAIT) == 10


@clause
async def no_more_than_one_budget_is_owed(store: StateStore) -> None:
    assert await store.spend(NAME, 1000, 10, WAIT) == pytest.approx(-10, abs=0.5)


@clause
async def budgets_do_not_touch_each_other_nor_a_breaker_of_their_name(store: StateStore) -> None:
    await store.spend(NAME, 10, 10, 60.0)
    assert await store.spend("carrier", 0, 10, 60.0) == 10
    assert await known(store) == SharedView(0, "closed")
