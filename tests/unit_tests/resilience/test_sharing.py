"""Workers that share a breaker act as one, and each goes on alone while the store is away."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import httpx
import pytest

from agent.resilience import CircuitBreaker, CircuitOpenError, Claim, SharedView, Sharing, StoreMoved
from tests.support.shared_breakers import StoreInMemory, Trouble, Visit, Worker
from tests.support.virtual_time import in_virtual_time, now

from .flights import CONFIG as ALONE
from .flights import DOWN, status_error

CONFIG = replace(ALONE, permitted_calls_in_half_open=1)
A_SECOND = 1.0


async def meet(workers: int = 2, **changes: float) -> tuple[StoreInMemory, list[Worker]]:
    """Workers that have all made a call."""
    store = StoreInMemory(now)
    met = [Worker(store, replace(CONFIG, **changes)) for _ in range(workers)]  # type: ignore[arg-type]
    for worker in met:
        await worker.succeed()
    return store, met


async def half_open(workers: int = 2, **changes: float) -> tuple[StoreInMemory, list[Worker]]:
    """Workers of which each one's next call would be a probe."""
    store, met = await meet(workers, **changes)
    await met[0].trip()
    await asyncio.sleep(CONFIG.wait_duration_in_open + A_SECOND)
    return store, met


@in_virtual_time
async def test_the_other_workers_know_within_a_second_that_it_is_open() -> None:
    _, (one, other) = await meet()
    await one.trip()
    await asyncio.sleep(A_SECOND)
    (moved,) = other.moves
    assert (moved.before, moved.after, moved.kind) == ("closed", "open", "connection")
    assert moved.retry_after == pytest.approx(5.0, abs=0.3)
    assert await other.refused()


@in_virtual_time
async def test_a_worker_that_starts_later_hears_of_it_too() -> None:
    store, (one, _) = await meet()
    await one.trip()
    await asyncio.sleep(A_SECOND)
    late = Worker(store, CONFIG)
    await late.succeed()
    await asyncio.sleep(A_SECOND)
    assert await late.refused()


@in_virtual_time
async def test_calls_through_a_closed_breaker_ask_the_store_nothing() -> None:
    store, (one, _) = await meet()
    await asyncio.sleep(A_SECOND)
    before = store.calls
    for _ in range(1000):
        await one.succeed()
        with suppress(httpx.HTTPStatusError):
            await one.breaker.call(_not_found)
    assert store.calls == before


async def _not_found() -> None:
    raise status_error(404)


@in_virtual_time
async def test_the_first_call_does_not_wait_for_the_store() -> None:
    store = StoreInMemory(now)
    store.trouble = "frozen"
    started = now()
    await Worker(store, CONFIG).succeed()
    assert now() == started


@pytest.mark.parametrize("permitted", [1, 3])
def test_of_a_hundred_tasks_in_four_workers_only_the_permitted_probes_go_through(permitted: int) -> None:
    @in_virtual_time
    async def crowd() -> None:
        _, workers = await half_open(workers=4, permitted_calls_in_half_open=permitted)
        visits = [Visit(worker.breaker) for worker in workers for _ in range(25)]
        ended, _ = await asyncio.wait([visit.task for visit in visits], timeout=A_SECOND)
        assert sum(visit.reached.is_set() for visit in visits) == permitted
        assert sum(isinstance(task.exception(), CircuitOpenError) for task in ended) == 100 - permitted

    crowd()


@in_virtual_time
async def test_good_probes_of_all_workers_together_close_it_for_all() -> None:
    _, (one, other) = await half_open()
    await one.succeed()
    assert one.state == "half_open"
    await asyncio.sleep(A_SECOND)
    await other.succeed()
    await asyncio.sleep(A_SECOND)
    assert (one.state, other.state) == ("closed", "closed")


@in_virtual_time
async def test_a_bad_probe_opens_it_for_all_and_for_twice_as_long() -> None:
    _, (one, other) = await half_open()
    await one.fail()
    await asyncio.sleep(A_SECOND)
    assert one.breaker.snapshot().next_probe_in == pytest.approx(9.0, abs=0.1)
    assert other.breaker.snapshot().next_probe_in == pytest.approx(9.0, abs=0.3)
    await asyncio.sleep(10.0)
    await other.fail()
    assert other.breaker.snapshot().next_probe_in == pytest.approx(12.0, abs=0.1)


@in_virtual_time
async def test_a_cancelled_probe_frees_its_place_for_another_worker_at_once() -> None:
    _, (one, other) = await half_open()
    probe = await Visit.start(one)
    assert await other.refused()
    await probe.cancel()
    await _next_exchange()
    await other.succeed()


@in_virtual_time
async def test_a_hung_probe_frees_its_place_when_its_lease_ends() -> None:
    _, (one, other) = await half_open()
    await Visit.start(one)
    await asyncio.sleep(CONFIG.probe_lease_seconds - A_SECOND)
    assert await other.refused()
    await asyncio.sleep(A_SECOND)
    await other.succeed()


@in_virtual_time
async def test_a_good_probe_that_outlived_its_lease_does_not_count() -> None:
    _, (one, _) = await half_open(success_threshold=1, slow_call_duration=3600.0)
    probe = await Visit.start(one)
    await asyncio.sleep(CONFIG.probe_lease_seconds)
    await probe.succeed()
    await asyncio.sleep(A_SECOND)
    assert one.state == "half_open"


@in_virtual_time
async def test_a_late_success_closes_it_for_nobody() -> None:
    _, (one, other) = await meet(success_threshold=1)
    late = [await Visit.start(one), await Visit.start(other)]
    await one.trip()
    await asyncio.sleep(A_SECOND)
    for visit in late:
        await visit.succeed()
    await asyncio.sleep(A_SECOND)
    assert (one.state, other.state) == ("open", "open")


@in_virtual_time
async def test_an_operator_opens_and_resets_it_for_all() -> None:
    _, (one, other) = await meet()
    one.breaker.force_open()
    await asyncio.sleep(A_SECOND)
    assert other.state == "forced_open"
    other.breaker.reset()
    await asyncio.sleep(A_SECOND)
    await one.succeed()


@in_virtual_time
async def test_an_operators_word_before_the_first_call_is_heard_by_all() -> None:
    store, (other,) = await meet(workers=1)
    idle = Worker(store, CONFIG)
    idle.breaker.force_open()
    await asyncio.sleep(A_SECOND)
    assert other.state == "forced_open"


@pytest.mark.parametrize("trouble", ["dead", "frozen", "mute"])
def test_without_the_store_each_worker_goes_on_alone(trouble: Trouble) -> None:
    @in_virtual_time
    async def alone() -> None:
        store, (one, _) = await half_open()
        store.trouble = trouble
        await asyncio.sleep(A_SECOND)
        started = now()
        await one.succeed(times=2)
        assert now() - started <= 2 * 0.05
        assert one.state == "closed"
        await one.trip()
        assert await one.refused()

    alone()


@pytest.mark.parametrize("trouble", ["dead", "frozen", "mute"])
def test_a_probe_that_the_store_says_nothing_of_is_refused_in_time_and_the_next_one_goes(trouble: Trouble) -> None:
    @in_virtual_time
    async def silence() -> None:
        store, (one, _) = await half_open()
        store.trouble = trouble
        started = now()
        assert await one.refused()
        assert now() - started <= 0.05
        await one.succeed()

    silence()


@in_virtual_time
async def test_listeners_hear_that_the_store_went_away_and_came_back() -> None:
    store, (one, _) = await meet()
    store.trouble = "dead"
    await asyncio.sleep(A_SECOND)
    store.trouble = None
    await asyncio.sleep(10.0)
    store.trouble = "frozen"
    await asyncio.sleep(A_SECOND)
    assert one.store_moves == [StoreMoved("ConnectionRefusedError"), StoreMoved(None), StoreMoved("TimeoutError")]


@in_virtual_time
async def test_a_store_that_is_away_is_asked_ever_more_seldom() -> None:
    store, _ = await meet(workers=1)
    store.trouble = "dead"
    before = store.calls
    await asyncio.sleep(60.0)
    assert store.calls - before <= 20


@in_virtual_time
async def test_what_happened_while_the_store_was_away_is_told_when_it_is_back() -> None:
    store, (one, other) = await meet(wait_duration_in_open=30.0, max_wait_duration_in_open=30.0)
    store.trouble = "dead"
    await asyncio.sleep(A_SECOND)
    await one.trip()
    store.trouble = None
    await asyncio.sleep(10.0)
    assert other.state == "open"
    assert other.breaker.snapshot().next_probe_in == pytest.approx(20.0, abs=0.3)


@in_virtual_time
async def test_a_store_that_forgot_is_told_again() -> None:
    store, (one, other) = await meet()
    one.breaker.force_open()
    await asyncio.sleep(A_SECOND)
    store.forget()
    await asyncio.sleep(A_SECOND)
    assert (one.state, other.state, store.record("model").state) == ("forced_open",) * 3


@in_virtual_time
async def test_a_store_that_forgot_lets_no_more_probes_through() -> None:
    store, (one, other) = await half_open()
    store.forget()
    await asyncio.sleep(A_SECOND)
    probe = await Visit.start(one)
    assert await other.refused()
    await probe.succeed()


@in_virtual_time
async def test_a_probe_granted_without_our_hearing_of_it_is_given_back() -> None:
    store, (one, other) = await half_open(success_threshold=2)
    store.trouble = "mute"
    assert await one.refused()
    assert store.record("model").leases
    store.trouble = None
    await asyncio.sleep(10.0)
    await other.succeed()


@in_virtual_time
async def test_a_good_probe_that_ended_while_the_store_was_away_counts_when_it_is_back() -> None:
    store, (one, other) = await half_open(success_threshold=1)
    probe = await Visit.start(one)
    store.trouble = "dead"
    await asyncio.sleep(A_SECOND)
    await probe.succeed()
    store.trouble = None
    await asyncio.sleep(10.0)
    assert (one.state, other.state) == ("closed", "closed")


@in_virtual_time
async def test_one_late_answer_of_the_store_is_no_leave_to_probe_alone() -> None:
    store, (one, other) = await half_open()
    held = await Visit.start(other)
    store.trouble = "frozen"
    assert await one.refused()
    store.trouble = None
    assert await one.refused()
    await held.succeed()


@in_virtual_time
async def test_an_old_view_that_comes_late_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    store, (one,) = await half_open(workers=1, success_threshold=1)
    read, seen = store.read, asyncio.Event()

    async def read_slowly(names: Sequence[str]) -> Sequence[SharedView]:
        views = await read(names)
        seen.set()
        await asyncio.sleep(0.01)
        return views

    monkeypatch.setattr(store, "read", read_slowly)
    await seen.wait()
    probe = await Visit.start(one)
    await asyncio.sleep(0.02)
    await probe.succeed()
    await asyncio.sleep(A_SECOND)
    assert one.state == "closed"


@in_virtual_time
async def test_a_look_at_the_store_while_it_is_asked_for_a_probe_is_no_move(monkeypatch: pytest.MonkeyPatch) -> None:
    store = StoreInMemory(now)
    one = Worker(store, CONFIG, refresh=0.005)
    await one.trip()
    await asyncio.sleep(CONFIG.wait_duration_in_open + A_SECOND)
    acquire = store.acquire

    async def acquire_slowly(name: str, claim: Claim) -> tuple[bool, SharedView]:
        await asyncio.sleep(0.02)
        return await acquire(name, claim)

    monkeypatch.setattr(store, "acquire", acquire_slowly)
    await one.succeed()
    assert [move.after for move in one.moves] == ["open", "half_open"]


@in_virtual_time
async def test_a_recovery_that_only_this_worker_saw_is_not_told() -> None:
    store, (one, _) = await meet()
    before = store.record("model").epoch
    store.trouble = "dead"
    await asyncio.sleep(A_SECOND)
    await one.trip()
    await asyncio.sleep(CONFIG.wait_duration_in_open)
    await one.succeed(times=2)
    await asyncio.sleep(A_SECOND)
    store.trouble = None
    await asyncio.sleep(10.0)
    assert (one.state, store.record("model").epoch) == ("closed", before)


@in_virtual_time
async def test_a_probe_that_finds_the_store_back_has_the_rest_told_at_once() -> None:
    store, (one, _) = await meet()
    one.breaker.reset()
    await asyncio.sleep(A_SECOND)  # the store knows it as closed
    store.trouble = "dead"
    await asyncio.sleep(60.0)  # it is looked for every few seconds only
    await one.trip()
    await asyncio.sleep(CONFIG.wait_duration_in_open + A_SECOND)
    store.trouble = None
    assert await one.refused()
    await _next_exchange()
    await one.succeed()


@in_virtual_time
async def test_a_call_cancelled_while_it_asks_for_a_probe_frees_its_place() -> None:
    store, (one, other) = await half_open()
    asking = Visit(one.breaker)
    await asyncio.sleep(0)
    await asyncio.sleep(0)  # the store has granted it
    assert store.record("model").leases
    await asking.cancel()
    assert not asking.reached.is_set()
    await _next_exchange()
    await other.succeed()


@in_virtual_time
async def test_an_operators_word_beats_a_probe_that_was_just_granted() -> None:
    _, (one, _) = await half_open()
    asking = Visit(one.breaker)
    await asyncio.sleep(0)
    one.breaker.force_open()
    with pytest.raises(CircuitOpenError):
        await asking.task


@in_virtual_time
async def test_a_breaker_that_is_telling_of_its_opening_does_not_probe() -> None:
    _, (one, _) = await meet(wait_duration_in_open=1e-9)
    await one.trip()
    assert await one.refused()
    await _next_exchange()
    await one.succeed()


@in_virtual_time
async def test_a_worker_whose_wait_is_over_finds_that_others_closed_it() -> None:
    store, (one, other) = await meet(success_threshold=1)
    slow = Worker(store, CONFIG, refresh=3600.0)
    await slow.succeed()
    await slow.trip()
    await asyncio.sleep(CONFIG.wait_duration_in_open + A_SECOND)
    await one.succeed()
    await asyncio.sleep(A_SECOND)
    assert (other.state, slow.state) == ("closed", "open")
    await slow.succeed()
    assert slow.state == "closed"


@in_virtual_time
async def test_nothing_runs_in_the_background_before_the_first_call_nor_after_the_end() -> None:
    store = StoreInMemory(now)
    worker = Worker(store, CONFIG)
    await asyncio.sleep(A_SECOND)
    assert len(asyncio.all_tasks()) == 1
    await worker.succeed()
    assert len(asyncio.all_tasks()) == 2
    await worker.sharing.close()
    assert len(asyncio.all_tasks()) == 1
    assert store.closed


@in_virtual_time
async def test_after_the_end_a_breaker_goes_on_alone() -> None:
    store, (one, other) = await meet()
    await one.sharing.close()
    before = store.calls
    await one.trip()
    await asyncio.sleep(CONFIG.wait_duration_in_open)
    await one.succeed(times=2)
    assert one.state == "closed"
    await other.sharing.close()
    assert store.calls - before < 60  # of the other's


@in_virtual_time
async def test_one_background_task_serves_all_breakers_of_a_worker() -> None:
    store, (one, other) = await meet()
    second = CircuitBreaker("carrier", CONFIG, sharing=one.sharing, clock=now)
    for _ in range(4):
        with suppress(httpx.ConnectError):
            await second.call(_down)
    await asyncio.sleep(A_SECOND)
    assert store.record("carrier").state == "open"
    assert (one.state, other.state) == ("closed", "closed")
    assert len(asyncio.all_tasks()) == 3


async def _down() -> None:
    raise DOWN


@in_virtual_time
async def test_a_broken_listener_is_logged_and_harms_no_call(caplog: pytest.LogCaptureFixture) -> None:
    def broken(moved: StoreMoved) -> None:
        raise ValueError(moved.error)

    store = StoreInMemory(now)
    store.trouble = "dead"
    sharing = Sharing(store, listeners=[broken])
    await CircuitBreaker("model", CONFIG, sharing=sharing, clock=now).call(asyncio.sleep, 0)
    with caplog.at_level(logging.ERROR):
        await asyncio.sleep(A_SECOND)
    assert "a listener of the store of breaker states failed" in caplog.text


@in_virtual_time
async def test_the_end_of_the_background_task_is_not_silent(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, (one, _) = await meet()
    monkeypatch.setattr(store, "read", None)  # a bug
    with caplog.at_level(logging.ERROR):
        await asyncio.sleep(A_SECOND)
    assert "this worker no longer hears of breakers elsewhere" in caplog.text
    await one.succeed()


async def _next_exchange() -> None:
    """Long enough for news to be told, and shorter than a refresh."""
    await asyncio.sleep(0.01)


@in_virtual_time
async def test_what_one_worker_spent_of_a_budget_the_other_knows_within_a_second() -> None:
    _, (one, other) = await meet()
    assert one.retries(20) == 10
    await asyncio.sleep(A_SECOND)
    assert other.retries(20) <= 1  # which that second refilled
    await asyncio.sleep(60.0)
    assert other.retries(20) == 10


@in_virtual_time
async def test_what_two_workers_spent_at_the_same_moment_beyond_a_budget_is_owed() -> None:
    _, (one, other) = await meet()
    assert (one.retries(20), other.retries(20)) == (10, 10)
    spent = 20
    for _ in range(200):
        await asyncio.sleep(0.1)
        spent += one.retries(1) + other.retries(1)
    assert spent <= 10 + 20 + 2  # what there was, what came in 20 s, and one each between two looks


@pytest.mark.parametrize("trouble", ["dead", "frozen", "mute"])
def test_without_the_store_each_worker_has_a_budget_of_its_own_at_once(trouble: Trouble) -> None:
    @in_virtual_time
    async def alone() -> None:
        store, (one, other) = await meet()
        store.trouble = trouble
        await asyncio.sleep(A_SECOND)
        assert (one.retries(20), other.retries(20)) == (10, 10)
        await asyncio.sleep(60.0)
        assert (one.retries(20), other.retries(20)) == (10, 10)
        await asyncio.sleep(60.0)
        store.trouble = None
        await asyncio.sleep(10.0)
        assert one.retries(20) == 10, "what was spent while it was away and is refilled is forgotten"

    alone()


@in_virtual_time
async def test_a_worker_that_stops_gives_back_its_probe_and_the_other_probes_at_once() -> None:
    store, (one, other) = await half_open()
    probe = await Visit.start(one)
    assert await other.refused()
    await one.sharing.leave()
    assert store.record("model").leases == {}
    await other.succeed()
    await probe.succeed()
    await asyncio.sleep(A_SECOND)
    assert other.state == "half_open", "a probe that was given back closes nothing"


@in_virtual_time
async def test_a_worker_that_stops_does_not_wait_for_a_store_that_is_away() -> None:
    store, (one, _) = await half_open()
    await Visit.start(one)
    store.trouble = "frozen"
    started = now()
    await one.sharing.leave()
    assert now() - started <= 0.05
