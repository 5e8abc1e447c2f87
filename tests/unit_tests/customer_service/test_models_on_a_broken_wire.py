"""A model that is cut, filtered, slow or silent, at whatever step: the next one answers, then the rules, openly.

Within the turn's time, with nothing lost of what was proposed, nothing done twice, and nothing left running.
"""

import asyncio
import json
import time
from typing import Any

import pytest

from agent.customer_service.reply_templates import OPENLY
from agent.services import Services
from agent.shop import SHOP
from tests.support.broken_wire import Answer, Json, broken_wire
from tests.support.conversations import conversation, say
from tests.support.goods import W1002
from tests.support.hostile_models import said_to
from tests.support.model_desk import Answers, is_triage, specialist, topic, with_models_at
from tests.support.openai_stub import Step, calls, completes
from tests.support.threads import events

pytestmark = pytest.mark.filterwarnings("ignore:Pydantic serializer warnings:UserWarning")  # of the model's library

thorough = pytest.mark.thorough
CANCEL = ("propose_cancel_order", {"order_id": W1002, "reason": "no longer needed"})
ASKED = f"cancel {W1002}, I no longer need it"
LISTED = f"This is what I would do:\n- Cancel order {W1002}"
SECONDS = 2.0
"""What one call of a model may take here; more than that for a byte now and then."""


def good_model(request: Json) -> Step:
    """A model that does what the customer wants."""
    if is_triage(request):
        return topic("order_cancel", ASKED, order_id=W1002, reason="no longer needed")
    return specialist("order_cancel", calls(CANCEL), completes(""))(request)


def written(step: Step) -> Answer:
    """A good answer."""
    return Answer(step.body or b"")


def changed(**message: Any) -> bytes:
    """A completion with something else in it."""
    completion = json.loads(completes(f"Order {W1002} is pending.").body or b"")
    completion["choices"][0] |= {name: value for name, value in message.items() if name == "finish_reason"}
    completion["choices"][0]["message"] |= {name: value for name, value in message.items() if name != "finish_reason"}
    return json.dumps(completion).encode()


def without(**parts: Any) -> bytes:
    """A completion of which the outer parts are something else."""
    return json.dumps(json.loads(completes("x").body or b"") | parts).encode()


def stream(*deltas: str, end: str = "") -> Answer:
    """A stream that nobody asked for."""
    chunks = [json.dumps({"choices": [{"index": 0, "delta": {"content": each}}]}) for each in deltas]
    return Answer(
        "".join(f"data: {each}\n\n" for each in chunks).encode() + end.encode(), media_type="text/event-stream"
    )


WHOLE = completes(f"Order {W1002} is pending.").body or b""
BROKEN = {
    "a stream without an end": stream(f"Order {W1002}", " is"),
    "a stream with its end": stream(f"Order {W1002} is pending.", end="data: [DONE]\n\n"),
    "half a JSON": Answer(WHOLE[: len(WHOLE) // 2]),
    "half of what was promised": Answer(WHOLE[:40], length=len(WHOLE)),
    "no body": Answer(),
    "a body of null": Answer(b"null"),
    "a list": Answer(b"[]"),
    "a number": Answer(b"7"),
    "a refusal": Answer(changed(content=None, refusal="I can't help with that.")),
    "a filtered answer": Answer(changed(finish_reason="content_filter")),
    "a cut answer": Answer(changed(finish_reason="length")),
    "an answer that never ended": Answer(changed(finish_reason=None)),
    "an end that nobody knows": Answer(changed(finish_reason="tired")),
    "an empty answer": Answer(changed(content="")),
    "no answer": Answer(changed(content=None)),
    "no choices": Answer(without(choices=[])),
    "choices of null": Answer(without(choices=None)),
    "choices of another kind": Answer(without(choices={"a": 1})),
    "a choice without a message": Answer(without(choices=[{"index": 0, "finish_reason": "stop"}])),
    "content of another kind": Answer(changed(content={"a": 1})),
    "calls of another kind": Answer(changed(tool_calls="find_my_orders", finish_reason="tool_calls")),
    "calls without a function": Answer(
        changed(tool_calls=[{"id": "a", "type": "function"}], finish_reason="tool_calls")
    ),
    "an error with 200": Answer(b'{"error": {"message": "overloaded", "type": "server_error"}}'),
    "a page with 200": Answer(b"<html><h1>Welcome</h1></html>", media_type="text/html"),
    "a page that says it is JSON": Answer(b"<html><h1>Welcome</h1></html>"),
    "no text at all": Answer(b"\xff\xfe\x00"),
    "401": Answer(b'{"error": {"message": "key"}}', status=401),
    "404": Answer(b"{}", status=404),
    "500": Answer(b"oops", status=500, media_type="text/plain"),
    "a redirect to nowhere": Answer(status=302, headers={"location": "http://127.0.0.1:9/"}),
    "too many, come back at once": Answer(b"{}", status=429, headers={"retry-after": "0"}),
    "too many, come back in two minutes": Answer(b"{}", status=429, headers={"retry-after": "120"}),
    "a byte now and then": Answer(WHOLE, pace=0.1),
    "a head, and then nothing": Answer(length=500, hangs=True),
    "nothing": Answer(head=False, hangs=True),
    "a closed connection": Answer(head=False),
}


def at_step(broken: Answer, step: str, good: Answers = good_model) -> Any:
    """Answers that are good but for one step: of triage, the first of the specialist's, or the one after a proposal."""

    def answer(request: Json) -> Answer:
        asked = any(each.get("tool_calls") for each in request["messages"])
        here = "triage" if is_triage(request) else "after" if asked else "first"
        return broken if here == step else written(good(request))

    return answer


def others() -> set[asyncio.Task[Any]]:
    """Tasks that run beside the test."""
    return {each for each in asyncio.all_tasks() if each is not asyncio.current_task() and not each.done()}


@pytest.mark.parametrize("step", ["triage", pytest.param("first", marks=thorough), "after"])
@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
async def test_the_second_model_answers_and_the_plan_is_made_once(shop: Services, broken: Answer, step: str) -> None:
    thread, bounds = conversation(), {"model_timeout_seconds": SECONDS, "model_turn_seconds": 8 * SECONDS}
    fine = step == "after" and broken in (
        BROKEN["an empty answer"],
        BROKEN["no answer"],
    )  # it has proposed, and is done
    async with (
        broken_wire(at_step(broken, step)) as wire,
        broken_wire(lambda request: written(good_model(request))) as second,
        with_models_at(shop, [wire.url, second.url], **bounds),
    ):
        told = await say(thread, ASKED)
        asked = len(wire.requests), len(second.requests)
        done = await say(thread, "yes")
        assert (len(wire.requests), len(second.requests)) == asked  # a yes is read by no model
    assert told.startswith(LISTED)
    assert told.count("Cancel order") == 1
    assert bool(asked[1]) is not fine
    assert asked[0] + asked[1] <= 6  # nobody is asked again for the same
    assert f"{W1002} is cancelled" in done
    assert (await shop.queries.get(W1002))["status"] == "cancelled"


@pytest.mark.parametrize(
    "step", [pytest.param("triage", marks=thorough), "first", pytest.param("after", marks=thorough)]
)
@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
async def test_without_a_second_model_the_rules_answer_openly(shop: Services, broken: Answer, step: str) -> None:
    bounds = {"model_timeout_seconds": SECONDS, "model_turn_seconds": 4 * SECONDS}
    fine = step == "after" and broken in (BROKEN["an empty answer"], BROKEN["no answer"])
    async with broken_wire(at_step(broken, step)) as wire, with_models_at(shop, [wire.url], **bounds):
        began, before = time.monotonic(), others()
        told = await say(conversation(), ASKED)
        assert time.monotonic() - began < 40  # generous: a turn has 8 s of models
        await asyncio.sleep(0)  # what was cancelled ends
        assert {each for each in others() - before if "serve" not in repr(each)} == set()
    assert told.count(OPENLY["degraded"]) == (0 if fine else 1)
    assert LISTED in told
    assert told.count("Cancel order") == 1


async def test_what_neither_a_model_nor_the_rules_can_read_is_for_a_person(shop: Services) -> None:
    async with broken_wire(lambda _: Answer(status=500)) as wire, with_models_at(shop, [wire.url]):
        told = await say(conversation(), "hm, those two and I must part")
    assert told.startswith(OPENLY["person"])
    assert "passed your message on" in told


async def test_a_server_that_asks_for_two_minutes_is_left_alone(shop: Services) -> None:
    away = Answer(b"{}", status=429, headers={"retry-after": "120"})
    async with broken_wire(lambda _: away) as wire, with_models_at(shop, [wire.url]) as [breaker]:
        began = time.monotonic()
        for number in range(3):
            assert OPENLY["degraded"] in await say(conversation(f"chat-{number}"), f"where is {W1002}?")
        assert time.monotonic() - began < 60
        opened = breaker.snapshot()
    assert opened.state == "open"
    assert len(wire.requests) < 3


async def test_a_turn_ends_at_its_deadline_however_many_topics_hang(shop: Services) -> None:
    hangs = Answer(head=False, hangs=True)
    bounds = {"model_timeout_seconds": 30.0, "model_turn_seconds": 1.0}
    async with (
        broken_wire(at_step(hangs, "after")) as wire,
        broken_wire(lambda _: hangs) as second,
        with_models_at(shop, [wire.url, second.url], **bounds),
    ):
        late = events("model.call")
        left = await said_to(conversation(), ASKED)
        assert events("model.call") - late == len(wire.requests) == 3
    assert [each for each in left if each.startswith(LISTED)]  # what was proposed before is not lost
    assert not second.requests


async def test_words_that_the_server_trickled_do_not_leave(shop: Services) -> None:
    told = completes(f"Your refund of {SHOP.money(500_00)} has been paid.").body or b""
    broken = Answer(told[:-40], length=len(told), hangs=True)
    async with (
        broken_wire(at_step(broken, "first")) as wire,
        with_models_at(shop, [wire.url], model_timeout_seconds=SECONDS),
    ):
        left = await said_to(conversation(), ASKED)
    assert not [each for each in left if "500.00" in each]
