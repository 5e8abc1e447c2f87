"""The desk with a real language model over the wire: too small to be right, so nothing is asserted of its choices.

What must hold whatever it says: its calls have the tools' forms or are told why not, a turn costs what it may, only
whole facts leave, and nothing happens that no customer agreed to.
"""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from subprocess import CalledProcessError, TimeoutExpired
from typing import Any

import httpx
import pytest

from agent import services as composition
from agent.assistant.models import Understanding
from agent.services import Services
from agent.settings import Settings
from tests.support.conversations import conversation
from tests.support.hostile_models import BOOKKEEPING, said_to
from tests.support.model_desk import Json, is_triage, last_words, topic, with_model
from tests.support.openai_stub import Step
from tests.support.scenes import dump
from tests.support.small_model import installed, small_model
from tests.support.threads import events

ANSWER = 60
"""Tokens that it may answer with here; most of what it says goes on for ever."""

BOUNDS: dict[str, Any] = {"model_timeout_seconds": 15.0, "model_turn_seconds": 20.0, "model_steps": 2}

SAID = ["where is my order W-1002?", "I'd rather not have W-1002 after all, I no longer need it"]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the model answers."""
    try:
        python = installed()
    except (CalledProcessError, TimeoutExpired) as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"the packages of the small model can't be had: {error}")
    with small_model(python, tmp_path_factory.mktemp("model") / "server.log") as running:
        yield running


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Services]:
    """A demo shop of the test's own."""
    built = await composition.build(Settings(data_dir=tmp_path / "data", sandbox_slow_seconds=0.05))
    composition.replace(built)
    yield built
    composition.replace(None)
    await built.close()


def test_it_keeps_to_a_schema(url: str) -> None:
    schema = {"name": "Understanding", "schema": Understanding.model_json_schema()}
    asked = {
        "model": "small",
        "messages": [{"role": "user", "content": "where is my order W-1002?"}],
        "response_format": {"type": "json_schema", "json_schema": schema},
        "max_tokens": ANSWER,
    }
    answer = httpx.post(f"{url}/chat/completions", json=asked, timeout=100).raise_for_status().json()
    choice = answer["choices"][0]
    if choice["finish_reason"] == "stop":  # else it was cut, and is no answer
        Understanding.model_validate_json(choice["message"]["content"])


@pytest.mark.timeout(240)
@pytest.mark.parametrize("reads_messages", [True, False], ids=["at every step", "as a specialist only"])
async def test_whatever_it_says_only_what_was_agreed_to_happens(shop: Services, url: str, reads_messages: bool) -> None:
    def answers(request: Json) -> Step:
        if is_triage(request) and not reads_messages:  # it would seldom get past its own reading
            return topic("order_cancel" if "not" in last_words(request) else "order_status", last_words(request))
        try:
            answer = httpx.post(f"{url}/chat/completions", json=request | {"max_tokens": ANSWER}, timeout=16)
        except httpx.TimeoutException:
            return Step(body=None)  # nobody waits any more
        return Step(status=answer.status_code, body=answer.content)

    before, asked = await dump(shop, *BOOKKEEPING, "tickets"), events("model.call")
    async with with_model(shop, answers, **BOUNDS) as stub:
        for number, words in enumerate(SAID[reads_messages:]):
            left = await said_to(conversation(f"chat-{number}"), words)
            assert left
            assert not [each for each in left if "ben_ortiz" in each or "Mesa Road" in each]
    assert await dump(shop, *BOOKKEEPING, "tickets") == before
    most_topics = 5
    assert 0 < len(stub.requests) <= events("model.call") - asked  # while its breaker is open, none is sent
    assert events("model.call") - asked <= len(SAID) * (1 + most_topics * BOUNDS["model_steps"])
