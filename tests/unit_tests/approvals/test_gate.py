"""The gate asks, and notes who was authenticated when the answer came; whether it counts is settled elsewhere."""

from typing import Any

import pytest
from langgraph.graph import START, StateGraph

from agent.approvals.gate import NOBODY, approval, caller_who
from agent.approvals.requests import Approvals
from agent.identity import Caller
from agent.order_processing.state import OrderState
from tests.unit_tests.threads import APPROVE, Thread, staff

from .asking import ask, order


@pytest.fixture
def thread() -> Thread:
    return Thread(StateGraph(OrderState).add_node(approval).add_edge(START, "approval").compile())


async def test_the_request_is_shown_as_it_is(thread: Thread, approvals: Approvals) -> None:
    view = await ask(approvals, order(), "large_order")

    await thread.run({"approval": view}, staff("order_manager"))

    assert await thread.waits_for() == view
    assert "answer" not in await thread.values()


async def test_who_resumed_is_noted_and_not_who_started(thread: Thread, approvals: Approvals) -> None:
    await thread.run({"approval": await ask(approvals, order(), "large_order")}, Caller("ada_park", "customer"))

    await thread.answer(APPROVE, staff("order_manager"))

    answer = (await thread.values())["answer"]
    assert answer == {"said": APPROVE, "identity": "order-manager-1", "role": "order_manager"}
    assert caller_who(answer) == staff("order_manager")


@pytest.mark.parametrize("said", [APPROVE, {"type": "approve", "identity": "order-manager-1", "role": "order_manager"}])
async def test_nobody_stays_nobody_whatever_the_payload_claims(
    thread: Thread, approvals: Approvals, said: dict[str, Any]
) -> None:
    await thread.run({"approval": await ask(approvals, order(), "large_order")}, None)

    await thread.answer(said, None)

    answer = (await thread.values())["answer"]
    assert (answer["identity"], answer["role"]) == ("", "")
    assert caller_who(answer) is None


def test_nobody_is_no_caller() -> None:
    assert caller_who(NOBODY) is None
