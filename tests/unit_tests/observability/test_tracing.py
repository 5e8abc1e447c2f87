"""One order, one trace: whichever run, process and day; a wait for people is a span, and never red."""

import subprocess
import sys
import time
from typing import Any
from uuid import uuid4

import pytest

from agent.customer_service.graph import graph as customer_service
from agent.ledger.tables import DebtRow, OrderRow
from agent.observability import tracing
from agent.reconciler.graph import graph as reconciler
from agent.services import Services
from tests.support.chains import OF_LARGE
from tests.support.clock import Clock
from tests.support.conversations import say
from tests.support.goods import W1002
from tests.support.model_desk import specialist, with_model
from tests.support.openai_stub import calls, completes, fails
from tests.support.orders import LARGE, SMALL, place, thread_of
from tests.support.threads import APPROVE, SERVICE, Thread, reject, staff
from tests.support.trace_sinks import Span, TraceSink, named, traced

DAY = 26 * 3600.0


def of_order(spans: list[Span]) -> list[Span]:
    """The spans in the trace of the run that placed the order."""
    [placed] = [span for span in spans if "order.placed" in dict(span.events)]
    return [span for span in spans if span.trace == placed.trace]


async def test_an_order_that_people_decide_on_another_day_is_one_trace(shop: Services, clock: Clock) -> None:
    with traced() as spans:
        thread, _ = await place(LARGE, order_id="N-1")
        clock.advance(seconds=DAY)
        await thread.answer(APPROVE, staff(OF_LARGE[0]))

    assert {span.trace for span in spans} == {of_order(spans)[0].trace}
    assert [span.name for span in spans if not span.parent] == ["invoke_workflow order_processing"]
    assert len(named(spans, "invoke_workflow order_processing")) == 2
    assert len(named(spans, "call payment")) == len(named(spans, "call carrier")) == 1
    assert [span.name for span in spans if span.is_red] == []


async def test_a_wait_for_people_is_a_span_that_says_so(shop: Services, clock: Clock) -> None:
    with traced() as spans:
        thread, _ = await place(LARGE, order_id="N-1")
        clock.advance(seconds=DAY)
        await thread.answer(reject("too large"), staff(OF_LARGE[0]))

    asked, _ = sorted(named(spans, "approval"), key=lambda span: "desk.outcome" not in span.attributes)
    assert (asked.attributes["desk.outcome"], asked.is_red) == ("waiting", False)
    [wait] = named(spans, f"waiting for {OF_LARGE[0]}")
    assert wait.attributes["desk.outcome"] == "waiting"
    assert wait.seconds == pytest.approx(DAY, abs=1)
    [(event, said)] = wait.events
    assert event == "approval.decided"
    assert {key: said[key] for key in ("role", "decision", "step", "order_id")} == {
        "role": OF_LARGE[0], "decision": "reject", "step": 0, "order_id": "N-1",
    }  # fmt: skip
    assert said["seconds"] == DAY
    assert "too large" not in str(spans)


async def test_an_order_that_is_taken_on_again_by_another_process_is_in_its_trace(shop: Services, clock: Clock) -> None:
    with traced() as before:
        await place(SMALL, order_id="N-1", method="ada_down")
    with traced() as after:  # nothing is left of the process before but the ledger
        again = Thread(thread_of("N-1").graph, thread_of("N-1").id)
        await again.run({"order": {"order_id": "N-1"}}, SERVICE)

    assert {span.trace for span in after} == {span.trace for span in before}
    assert named(after, "charge")[0].attributes["desk.attempt"] == 1


async def test_what_the_reconciler_does_for_an_order_is_in_the_orders_trace(shop: Services) -> None:
    with traced() as spans:
        await place(SMALL, order_id="N-1")

        def owe(session: Any) -> None:
            now = shop.database.clock()
            facts = {"order_id": "N-1", "payment_key": "N-1:pay:1", "method_id": "ada_card", "amount": 1_00}
            session.add(DebtRow(key="N-1:owed", kind="refund", next_at=now, at=now, **facts))

        await shop.database.write(owe)
        assert await shop.debts.settle() == {"N-1:owed": "settled"}

    [refund] = named(of_order(spans), "refund")
    assert [span.name for span in spans if span.parent == refund.id] == ["call payment"]
    assert "refund.settled" in dict(refund.events)


async def test_a_conversation_is_one_trace_that_has_its_threads_id(shop: Services) -> None:
    thread_id = uuid4()
    thread = Thread(customer_service, str(thread_id))
    with traced() as spans:
        for words in ("hello, I am ada.park@example.com", "how do returns work?"):
            await thread.run({"messages": [{"role": "user", "content": words}]}, None)
        await reconciler.ainvoke({}, {"configurable": {"thread_id": str(uuid4())}})

    turns = named(spans, "invoke_agent customer_service")
    assert [span.trace for span in turns] == [thread_id.hex] * 2
    assert all(span.trace == thread_id.hex for span in named(spans, "triage") + named(spans, "reply"))
    assert turns[0].attributes["gen_ai.operation.name"] == "invoke_agent"
    [other] = named(spans, "invoke_workflow reconciler")
    assert other.trace != thread_id.hex
    assert "ada.park" not in str(spans)


async def test_a_model_that_is_asked_and_what_it_uses_are_in_the_conversations_trace(shop: Services) -> None:
    thread_id = uuid4()
    cancels = ("propose_cancel_order", {"order_id": W1002, "reason": "no longer needed"})
    answers = specialist("order_cancel", calls(("find_my_orders", {})), calls(cancels), completes(""))
    async with with_model(shop, answers) as stub:
        with traced() as spans:
            told = await say(Thread(customer_service, str(thread_id)), "the lamp one, I've no use for it")

    assert f"Cancel order {W1002}" in told
    chats = named(spans, "chat")
    assert [span.attributes["desk.purpose"] for span in chats] == ["triage", *["specialist"] * (len(stub.requests) - 1)]
    assert all(span.attributes["gen_ai.usage.output_tokens"] > 0 for span in chats)
    assert {span.attributes["gen_ai.request.model"] for span in chats} == {shop.settings.model}
    tools = [span for span in spans if span.attributes.get("gen_ai.operation.name") == "execute_tool"]
    assert [span.name for span in tools] == [f"execute_tool {name}" for name in ("find_my_orders", cancels[0])]
    assert {span.trace for span in chats + tools} == {thread_id.hex}
    [specialists] = named(spans, "specialist")
    assert {span.parent for span in tools} == {specialists.id}
    assert "the lamp one" not in str(spans)
    kinds = {"chat": "LLM", "execute_tool": "TOOL", "invoke_agent": "AGENT"}
    drawn = {(span.name.partition(" ")[0], span.attributes["openinference.span.kind"]) for span in spans}
    assert drawn == {(name, kinds.get(name, "CHAIN")) for name, _ in drawn}


async def test_a_model_that_fails_is_named_too(shop: Services) -> None:
    async with with_model(shop, lambda _: fails(500)):
        with traced() as spans:
            await say(Thread(customer_service, str(uuid4())), "the lamp one, I've no use for it")

    asked = named(spans, "chat")
    assert asked
    assert {(span.is_red, span.attributes["gen_ai.request.model"]) for span in asked} == {(True, shop.settings.model)}


async def test_a_call_that_fails_is_red_and_each_attempt_is_a_span(shop: Services) -> None:
    with traced() as spans:
        _, ended = await place(SMALL, order_id="N-1", method="ada_down")

    assert ended["processing_stage"] == "parked"
    attempts = named(spans, "charge")
    assert [span.attributes["desk.attempt"] for span in attempts] == list(range(1, len(attempts) + 1))
    assert all(span.is_red for span in attempts)
    assert any(span.is_red for span in named(spans, "call payment"))


async def test_nothing_is_traced_unless_somebody_asks(shop: Services) -> None:
    await place(SMALL, order_id="N-1")

    assert tracing.traceparent() is None
    assert await shop.database.read(lambda session: session.get_one(OrderRow, "N-1").traceparent) is None


OF_OTLP = """
import sys
from agent.observability import tracing
tracing.start(sys.argv[1])
for number in range(3_000):
    with tracing.span("node", None, number=number):
        tracing.mark("order.placed", {"order_id": "N-1"})
print("done", flush=True)
"""
OF_LANGSMITH = """
import os, sys
os.environ |= {"LANGSMITH_TRACING": "true", "LANGSMITH_API_KEY": "none", "LANGSMITH_ENDPOINT": sys.argv[1]}
from langsmith import RunTree
from agent.observability.langsmith_client import start_langsmith
client = start_langsmith()
for number in range(300):
    tree = RunTree(name="node", inputs={}, client=client)
    tree.post()
    tree.end()
    tree.patch()
print("done", flush=True)
"""


def exit_seconds(script: str, url: str) -> float:
    """From when a process is done until it has ended."""
    with subprocess.Popen(
        [sys.executable, "-c", script, url], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "done\n"
        began = time.monotonic()
        assert process.wait(timeout=60) == 0
        return time.monotonic() - began


@pytest.mark.thorough
@pytest.mark.parametrize("script", [OF_OTLP, OF_LANGSMITH], ids=["otlp", "langsmith"])
@pytest.mark.parametrize("how", ["refuses", "hangs"])
def test_an_exit_waits_for_a_dead_endpoint_three_seconds_at_most(script: str, how: str) -> None:
    with TraceSink() as sink:
        otherwise = exit_seconds(script, sink.url)
    with TraceSink(delay=60.0) as sink:
        url = sink.url if how == "hangs" else "http://127.0.0.1:1"
        assert exit_seconds(script, url) <= otherwise + 3.0
