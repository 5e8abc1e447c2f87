"""Who answers when the one before could not."""

import pytest

from agent.resilience import FallbackChain, FallbackStep, FallbackTaken


class UnavailableError(Exception):
    """A failure that leads on."""


async def away(question: str) -> str:
    raise UnavailableError


async def answers(question: str) -> str:
    return question.upper()


async def broken(question: str) -> str:
    raise ZeroDivisionError


def chain(*hops: FallbackStep[[str], str], heard: list[FallbackTaken] | None = None) -> FallbackChain[[str], str]:
    return FallbackChain("chain", hops, (UnavailableError,), listeners=[] if heard is None else [heard.append])


async def test_the_first_that_can_answers_and_is_named() -> None:
    heard: list[FallbackTaken] = []
    asked = chain(FallbackStep("best", away), FallbackStep("good", answers), FallbackStep("never", broken), heard=heard)
    assert await asked.ask("where?") == ("WHERE?", "good")
    assert heard == [FallbackTaken("chain", "best", "good", "UnavailableError")]


async def test_when_nobody_answers_the_last_failure_goes_up() -> None:
    heard: list[FallbackTaken] = []
    with pytest.raises(UnavailableError):
        await chain(FallbackStep("best", away), FallbackStep("last", away), heard=heard).ask("where?")
    assert [fell.next_step for fell in heard] == ["last"]


async def test_a_bug_does_not_lead_on() -> None:
    heard: list[FallbackTaken] = []
    with pytest.raises(ZeroDivisionError):
        await chain(FallbackStep("best", broken), FallbackStep("good", answers), heard=heard).ask("where?")
    assert heard == []


def test_a_chain_without_a_step_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a step"):
        chain()
