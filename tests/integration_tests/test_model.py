"""The model over real HTTP, well and unwell; the endpoint is scripted. One conversation a turn, one step a reading."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from agent.assistant.models import Topic, Understanding
from agent.customer_service.reply_templates import OPENLY
from agent.shop import SHOP
from tests.support.driver import Driver
from tests.support.goods import W1002, goods_dir
from tests.support.live_server import LiveServer
from tests.support.model_desk import is_triage
from tests.support.openai_stub import OpenAIStub, Step, completes, fails, hangs, understands

ODD = f"{W1002}, hm, I reckon those two and I must part"
"""Says nothing that the embedded rules know as a cancellation."""

CANCELS = Understanding(act="request", topics=[Topic(request_type="order_cancel", text=ODD, order_id=W1002)])
SCRIPT = {
    "good": understands(CANCELS),
    "500": fails(500),
    "nonsense": completes("I'd love to help!"),
    "timeout": hangs(),
}


@dataclass(frozen=True)
class Turn:
    """One message to the desk: what it said, and how often the model was asked to read meanwhile."""

    said: str
    requests: int


@pytest.fixture(scope="module")
def stub() -> Iterator[OpenAIStub]:
    """The scripted endpoint."""
    to_read = iter(SCRIPT.values())

    def answer(request: dict[str, Any]) -> Step:
        return next(to_read) if is_triage(request) else completes("Why?")

    with OpenAIStub(answer) as running:
        yield running


@pytest.fixture(scope="module")
def turns(stub: OpenAIStub, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Turn]:
    """The same message, once for each thing that the model can do."""
    server = LiveServer(
        tmp_path_factory.mktemp("model"),
        SHOP_DIR=goods_dir(),
        OPENAI_API_KEY="of-nobody",
        OPENAI_BASE_URL=stub.url,
        MODEL_TIMEOUT_SECONDS="1",
        RECONCILE_CRON="",
    )
    seen = {}
    try:
        server.start()
        with Driver(server) as driver:
            for step in SCRIPT:
                before = len(stub.requests)
                said = driver.ask(ODD).said
                seen[step] = Turn(said, sum(map(is_triage, stub.requests[before:])))
    finally:
        server.stop()
    return seen


def test_a_model_understands_what_the_rules_do_not(turns: dict[str, Turn], stub: OpenAIStub) -> None:
    assert turns["good"].said == f"Why would you like to cancel {W1002}: no longer needed or ordered by mistake?"
    assert ODD in str(stub.requests[0]["messages"])
    assert stub.requests[0]["response_format"]["json_schema"]["name"] == "Understanding"


@pytest.mark.parametrize("step", ["500", "nonsense", "timeout"])
def test_when_the_model_fails_the_rules_answer_and_say_so(turns: dict[str, Turn], step: str) -> None:
    assert turns[step].said.startswith(OPENLY["degraded"])
    assert f"{W1002} (1 × Table lamp, 2 × Linen cushion, {SHOP.money(147_00)}): pending." in turns[step].said


def test_a_message_is_read_by_the_model_once_whatever_comes_of_it(turns: dict[str, Turn]) -> None:
    assert [turn.requests for turn in turns.values()] == [1, 1, 1, 1]
