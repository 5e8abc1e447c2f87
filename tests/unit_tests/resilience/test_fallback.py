"""Who answers when the one before could not."""

import pytest

from agent.resilience import FallbackChain, FellBack, Hop


class AwayError(Exception):
    """A failure that leads on."""


async def away(question: str) -> str:
    raise AwayError


async def answers(question: str) -> str:
    return question.upper()


async def broken(question: str) -> str:
    raise ZeroDivisionError


def chain(*hops: Hop[[str], str], heard: list[FellBack] | None = None) -> FallbackChain[[str], str]:
    return FallbackChain("chain", hops, (AwayError,), listeners=[] if heard is None else [heard.append])


async def test_the_first_that_can_answers_and_is_named() -> None:
    heard: list[FellBack] = []
    asked = chain(Hop("best", away), Hop("good", answers), Hop("never", broken), heard=heard)
    assert await asked.ask("where?") == ("WHERE?", "good")
    assert heard == [FellBack("chain", "best", "good", "AwayError")]


async def test_when_nobody_answers_the_last_failure_goes_up() -> None:
    heard: list[FellBack] = []
    with pytest.raises(AwayError):
        await chain(Hop("best", away), Hop("last", away), heard=heard).ask("where?")
    assert [fell.turned_to for fell in heard] == ["last"]


async def test_a_bug_does_not_lead_on() -> None:
    heard: list[FellBack] = []
    with pytest.raises(ZeroDivisionError):
        await chain(Hop("best", broken), Hop("good", answers), heard=heard).ask("where?")
    assert heard == []


def test_a_chain_without_a_hop_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a hop"):
        chain()
