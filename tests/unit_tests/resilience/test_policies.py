"""What is retried, by whom, how often."""

from typing import TypedDict, get_args

import httpx
import pytest
from langgraph.errors import GraphInterrupt
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from langgraph.types import RetryPolicy

from agent.resilience import (
    CLASSIFIER,
    CircuitOpenError,
    Failure,
    FailureKind,
    RetryBudget,
    RetryDecided,
    RetryLaterError,
    TimeSpentError,
    TransientError,
    is_transient,
    time_budget,
)

from .flights import status_error


class AnyKindError(Exception):
    """Any kind of failure."""

    def __init__(self, kind: FailureKind) -> None:
        self.kind = kind


CLASSIFIER.register(AnyKindError, lambda error: Failure(error.kind))


class State(TypedDict):
    """Nothing of note."""

    order_id: str


class LockedError(TransientError):
    """An error as another room would derive it."""


def test_only_what_may_pass_by_itself_is_transient() -> None:
    transient = {kind for kind in get_args(FailureKind) if is_transient(AnyKindError(kind))}
    assert transient == {"timeout", "connection", "server_error", "overload", "slow"}


@pytest.mark.parametrize("error", [LockedError(), httpx.ReadTimeout("late"), ConnectionError(), TimeoutError()])
def test_a_passing_trouble_is_transient(error: Exception) -> None:
    assert is_transient(error)


@pytest.mark.parametrize(
    "error",
    [CircuitOpenError("model", "timeout", 1.0), status_error(404), ValueError("a bug"), GraphInterrupt()],
)
def test_what_another_attempt_cannot_help_is_not_transient(error: Exception) -> None:
    assert not is_transient(error)


class Clock:
    """Seconds that pass when a test says so."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def granted(budget: RetryBudget, times: int) -> int:
    return sum(budget.allows(LockedError()) for _ in range(times))


def test_an_outage_costs_no_more_retries_than_the_budget_has(clock: Clock) -> None:
    budget = RetryBudget("payment", most=10, seconds=5.0, clock=clock)
    assert granted(budget, 200) == 10
    clock.now += 1.0
    assert granted(budget, 200) == 2
    clock.now += 60.0
    assert granted(budget, 200) == 10


def test_what_is_not_worth_a_retry_costs_nothing(clock: Clock) -> None:
    budget = RetryBudget("payment", most=1, seconds=5.0, clock=clock)
    assert not budget.allows(ValueError("a bug"))
    assert budget.allows(LockedError())


def test_who_listens_hears_of_retries_and_of_refused_ones(clock: Clock) -> None:
    heard: list[RetryDecided] = []
    budget = RetryBudget("payment", most=1, seconds=5.0, listeners=[heard.append], clock=clock)
    granted(budget, 2)
    assert heard == [RetryDecided("payment", "LockedError", True), RetryDecided("payment", "LockedError", False)]


class Flaky:
    """A node that fails as scripted, then succeeds, in a graph that tries it again at once."""

    def __init__(self, *failures: Exception, seconds: float) -> None:
        self.attempts = 0
        self._failures = list(failures)
        budget = RetryBudget("backend", most=10, seconds=1.0)
        quick = RetryPolicy(
            initial_interval=0.0, max_interval=0.0, jitter=False, max_attempts=3, retry_on=budget.allows
        )

        @time_budget(seconds)
        async def node(state: State, runtime: Runtime[None]) -> None:
            self.attempts += 1
            if self._failures:
                raise self._failures.pop(0)

        graph = StateGraph(State).add_node("node", node, retry_policy=quick)
        self._graph = graph.add_edge(START, "node").add_edge("node", END).compile()

    async def run(self) -> None:
        await self._graph.ainvoke({"order_id": "W-1"})


async def test_a_node_within_its_time_is_tried_again() -> None:
    flaky = Flaky(LockedError(), LockedError(), seconds=60.0)
    await flaky.run()
    assert flaky.attempts == 3


async def test_a_node_whose_time_is_over_is_not_tried_again() -> None:
    flaky = Flaky(LockedError(), seconds=0.0)
    with pytest.raises(TimeSpentError) as why:
        await flaky.run()
    assert isinstance(why.value.__cause__, LockedError)
    assert flaky.attempts == 1


async def test_a_retry_after_that_fits_is_waited_for() -> None:
    flaky = Flaky(CircuitOpenError("backend", "rate_limit", 0.01), seconds=60.0)
    await flaky.run()
    assert flaky.attempts == 2


@pytest.mark.parametrize(
    "refusal",
    [
        CircuitOpenError("backend", "rate_limit", 61.0),
        CircuitOpenError("backend", "rate_limit", None),
        CircuitOpenError("backend", "timeout", 0.01),
    ],
    ids=["too long", "not named", "an outage"],
)
async def test_any_other_open_breaker_is_not_waited_for(refusal: CircuitOpenError) -> None:
    flaky = Flaky(refusal, seconds=60.0)
    with pytest.raises(CircuitOpenError):
        await flaky.run()
    assert flaky.attempts == 1


async def test_waiting_for_a_retry_after_costs_a_retry() -> None:
    refusals = [CircuitOpenError("backend", "rate_limit", 0.01) for _ in range(3)]
    with pytest.raises(RetryLaterError):
        await Flaky(*refusals, seconds=60.0).run()
