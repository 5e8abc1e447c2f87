"""What a model costs a turn of a conversation: a question that was read before, and three topics beside one.

The model is a stub over HTTP that takes 300 ms an answer; graph, ledger and transport are the real ones. The
turns take turns, so that a busy machine slows all of them alike.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any, Final

import structlog

from agent import services as composition
from agent.assistant.models import Topic, Understanding
from agent.settings import Settings
from benchmarks.figures import Figure, report
from tests.support.conversations import conversation, say
from tests.support.model_desk import is_triage, last_words, results, with_model
from tests.support.openai_stub import Step, calls, completes, understands

MODEL_SECONDS: Final = 0.3
ROUNDS: Final = 7
TOPICS: Final = ("where is W-1001", "what did I pay for W-1002", "is W-1003 on its way")


def _answers(request: dict[str, Any]) -> Step:
    """A model that reads each clause as a topic, looks an order up, and says nothing of its own."""
    if is_triage(request):
        return replace(understands(_read(last_words(request))), delay_seconds=MODEL_SECONDS)
    step = completes("") if results(request) else calls(("find_my_orders", {}))
    return replace(step, delay_seconds=MODEL_SECONDS)


def _read(text: str) -> Understanding:
    if not text.startswith(TOPICS[0]):
        return Understanding(act="request", topics=[Topic(request_type="question", text=text)])
    topics = [Topic(request_type="order_status", text=clause.strip()) for clause in text.split(";")]
    return Understanding(act="request", topics=topics)


async def figures() -> AsyncIterator[Figure]:
    """Both figures, as ratios of medians."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())  # figures alone are printed
    with tempfile.TemporaryDirectory() as folder:
        shop = await composition.build(Settings(data_dir=Path(folder)))
        async with with_model(shop, _answers):
            await _turn("how do returns work")  # the first is slower than all that follow
            new = [f"how do returns work {'please ' * (n + 1)}" for n in range(ROUNDS)]
            asked = [(await _turn(text), await _turn(text)) for text in new]
            uncached, cached = (median(each) for each in zip(*asked, strict=True))
            yield Figure(
                figure="a question that was read before, by one that was not",
                value=round(uncached / cached, 1),
                unit="times as fast",
                bar="≥ 10",
                holds=uncached >= 10 * cached,
                peers={"not read before, ms": round(uncached * 1000), "read before, ms": round(cached * 1000)},
            )
            pairs = [(await _turn(TOPICS[0]), await _turn("; ".join(TOPICS))) for _ in range(ROUNDS)]
            one, three = (median(each) for each in zip(*pairs, strict=True))
            yield Figure(
                figure="three topics, by one topic",
                value=round(three / one, 2),
                unit="times its time",
                bar="≤ 1.3",
                holds=three <= 1.3 * one,
                peers={"one topic, ms": round(one * 1000), "three topics, ms": round(three * 1000)},
            )
        await shop.close()


_conversations = iter(range(1_000_000))


async def _turn(text: str) -> float:
    """Seconds that the first turn of a new conversation takes."""
    thread, began = conversation(f"turn-{next(_conversations)}"), time.perf_counter()
    await say(thread, text)
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(0 if asyncio.run(report(figures())) else 1)
