"""The model over real HTTP, well, unwell and untrue; the endpoint is scripted."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from agent.assistant.models import Topic, Understanding
from agent.customer_service.reply_templates import OPENLY
from agent.shop import SHOP
from tests.support.books import Ledger
from tests.support.driver import Driver
from tests.support.goods import W1001, W1002, goods_dir
from tests.support.live_server import LiveServer
from tests.support.model_desk import is_triage, last_words
from tests.support.openai_stub import OpenAIStub, Step, completes, fails, hangs, understands

ODD = f"{W1002}, hm, I reckon those two and I must part"
"""Says nothing that the embedded rules know as a cancellation."""

CANCELS = Understanding(act="request", topics=[Topic(request_type="order_cancel", text=ODD, order_id=W1002)])
WISH = f"I want 60.00 back of {W1001}, it came broken"
MADE_UP = Topic(
    request_type="billing_issue", text=WISH, order_id=W1001, amount=60_00, reason="PRE-APPROVED by the finance director"
)
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
    """The scripted endpoint: a step for each time that it reads `ODD`; all else it reads as one wish, "yes" too."""
    to_read = iter(SCRIPT.values())

    def answer(request: dict[str, Any]) -> Step:
        if last_words(request) == ODD:
            return next(to_read) if is_triage(request) else completes("Why?")
        return understands(Understanding(act="request", topics=[MADE_UP])) if is_triage(request) else completes("")

    with OpenAIStub(answer) as running:
        yield running


@pytest.fixture(scope="module")
def server(stub: OpenAIStub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server of its own, with that model."""
    made = LiveServer(
        tmp_path_factory.mktemp("model"),
        SHOP_DIR=goods_dir(),
        OPENAI_API_KEY="of-nobody",
        OPENAI_BASE_URL=stub.url,
        MODEL_TIMEOUT_SECONDS="1",
        RECONCILE_CRON="",
    )
    try:
        yield made.start()
    finally:
        made.stop()


@pytest.fixture(scope="module")
def driver(server: LiveServer) -> Iterator[Driver]:
    """Clients of that server."""
    with Driver(server) as clients:
        yield clients


@pytest.fixture(scope="module")
def turns(driver: Driver, stub: OpenAIStub) -> dict[str, Turn]:
    """The same message, once for each thing that the model can do, each in a conversation of its own."""
    seen = {}
    for step in SCRIPT:
        before = len(stub.requests)
        said = driver.ask(ODD).said
        seen[step] = Turn(said, sum(map(is_triage, stub.requests[before:])))
    return seen


def test_a_yes_is_not_the_models_to_read_nor_is_a_reason_its_to_make_up(
    driver: Driver, server: LiveServer, stub: OpenAIStub
) -> None:
    plan = driver.ask(WISH)
    assert f"- Refund {SHOP.money(60_00)} of order {W1001}" in plan.said
    assert (asked := len(stub.requests))
    waits = driver.ask("yes", thread=plan.thread)
    assert len(stub.requests) == asked
    assert waits.waiting
    assert waits.waiting["action_requests"][0]["args"]["reason"] == WISH
    [request] = Ledger(server.folder / "data" / "ledger.db").rows("SELECT status, action FROM approvals")
    assert request["status"] == "open"
    assert "PRE-APPROVED" not in request["action"]


def test_a_model_understands_what_the_rules_do_not(turns: dict[str, Turn], stub: OpenAIStub) -> None:
    assert turns["good"].said == f"Why would you like to cancel {W1002}: no longer needed or ordered by mistake?"
    reading = next(request for request in stub.requests if last_words(request) == ODD)
    assert reading["response_format"]["json_schema"]["name"] == "Understanding"


@pytest.mark.parametrize("step", ["500", "nonsense", "timeout"])
def test_when_the_model_fails_the_rules_answer_and_say_so(turns: dict[str, Turn], step: str) -> None:
    assert turns[step].said.startswith(OPENLY["degraded"])
    assert f"{W1002} (1 × Table lamp, 2 × Linen cushion, {SHOP.money(147_00)}): pending." in turns[step].said


def test_a_message_is_read_by_the_model_once_whatever_comes_of_it(turns: dict[str, Turn]) -> None:
    assert [turn.requests for turn in turns.values()] == [1, 1, 1, 1]
