"""The gate asks, and notes who was authenticated when the answer came; whether it counts is settled elsewhere."""

from typing import Any, cast

import pytest
from langgraph.graph import START, StateGraph
from langgraph.runtime import Runtime
from typing_extensions import TypedDict

from agent import identity
from agent.approvals.gate import ANONYMOUS, AnswerBy, caller_who
from agent.approvals.gate import ask as asked
from agent.approvals.models import ApprovalView
from agent.approvals.requests import Approvals
from agent.approvals.trail import Trail
from agent.identity import Caller
from agent.settings import Settings
from tests.support.approvals import ask, order
from tests.support.threads import APPROVE, Thread, events, reject, staff


class State(TypedDict):
    """What of a graph's state the gate needs."""

    approval: ApprovalView
    answer: AnswerBy


@pytest.fixture
def thread(trail: Trail) -> Thread:
    def approval(state: State, runtime: Runtime[None]) -> dict[str, AnswerBy]:
        return {"answer": asked(state["approval"], state["approval"].get("head", ""), runtime, trail)}

    return Thread(StateGraph(State).add_node(approval).add_edge(START, "approval").compile())


async def test_the_request_is_shown_as_it_is(thread: Thread, approvals: Approvals) -> None:
    view = await ask(approvals, order(), "large_order")

    await thread.run({"approval": view}, staff("order_manager"))

    assert await thread.waits_for() == view
    assert "answer" not in await thread.values()


async def test_who_resumed_is_noted_and_not_who_started(thread: Thread, approvals: Approvals, trail: Trail) -> None:
    view = await ask(approvals, order(), "large_order")
    await thread.run({"approval": view}, Caller("ada_park", "customer"))

    await thread.answer(APPROVE, staff("order_manager"))

    answer = (await thread.values())["answer"]
    assert (answer["said"], answer["identity"], answer["role"]) == (APPROVE, "order-manager-1", "order_manager")
    assert caller_who(answer, view["head"], trail) == staff("order_manager")


@pytest.mark.parametrize("said", [APPROVE, {"type": "approve", "identity": "order-manager-1", "role": "order_manager"}])
async def test_nobody_stays_nobody_whatever_the_payload_claims(
    thread: Thread, approvals: Approvals, trail: Trail, said: dict[str, Any]
) -> None:
    view = await ask(approvals, order(), "large_order")
    await thread.run({"approval": view}, None)

    await thread.answer(said, None)

    answer = (await thread.values())["answer"]
    assert (answer["identity"], answer["role"]) == ("", "")
    assert caller_who(answer, view["head"], trail) is None


def test_nobody_is_no_caller(trail: Trail) -> None:
    assert caller_who(ANONYMOUS, "head", trail) is None


SAID = AnswerBy(said=APPROVE, identity="order-manager-1", role="order_manager")


@pytest.mark.parametrize(
    "changed",
    [{"identity": "order-manager-2"}, {"role": "finance_director"}, {"said": reject("no")}, {"seal": ""}],
    ids=["another person", "another role", "another answer", "no seal"],
)
def test_an_answer_that_was_put_there_is_nobodys(trail: Trail, changed: dict[str, Any]) -> None:
    seal = trail.of_answer("head", SAID["said"], SAID["identity"], SAID["role"])
    sealed = AnswerBy(**SAID, seal=seal)
    forged = events("approval.forged")

    assert caller_who(sealed, "head", trail) == staff("order_manager")
    assert caller_who(cast(AnswerBy, sealed | changed), "head", trail) is None
    assert events("approval.forged") == forged + 1


def test_an_answer_counts_for_the_request_as_it_stood_and_no_later(trail: Trail) -> None:
    seal = trail.of_answer("head", SAID["said"], SAID["identity"], SAID["role"])
    assert caller_who(AnswerBy(**SAID, seal=seal), "the next head", trail) is None


async def test_studio_answers_in_a_role_and_says_so(
    thread: Thread, approvals: Approvals, trail: Trail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "settings", lambda: Settings(studio_mode="act"))
    view = await ask(approvals, order(), "large_order")
    studio = Caller(identity.STUDIO_IDENTITY, "channel")
    await thread.run({"approval": view}, studio)

    await thread.answer({"as": "order_manager", "decision": "reject", "note": "no"}, studio)

    answer = (await thread.values())["answer"]
    assert caller_who(answer, view["head"], trail) == Caller("studio as order_manager", "order_manager")
    assert answer["said"] == {"type": "reject", "message": "no"}
