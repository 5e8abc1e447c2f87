"""Understanding with a model behind real HTTP: what is taken from it, and what happens when it fails."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from langchain_openai import ChatOpenAI
from langgraph.errors import GraphInterrupt

from agent.assistant import embedded, understand
from agent.assistant.chat_models import chat_models
from agent.assistant.models import Act, Topic, Understanding
from agent.assistant.understand import ReadBy, Understander
from agent.resilience import BreakerConfig, CircuitBreaker
from agent.settings import Settings
from tests.support.goods import W1001, W1002, W1005, W1009
from tests.support.openai_stub import OpenAIStub, Step, completes, fails, hangs, understands

TEXT = f"cancel {W1001}, I no longer need it, and give me 80.00 back for {W1002}"


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """Every event that is emitted, with its fields."""
    emitted: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr("agent.assistant.chat_models.emit", lambda event, **fields: emitted.append((event, fields)))
    return emitted


def fell_back(reason: str, failed: str = "primary", next_step: str = "degraded") -> tuple[str, dict[str, Any]]:
    """The event of a step down the chain."""
    return "assistant.fallback", {"chain": "assistant", "failed": failed, "next_step": next_step, "reason": reason}


@asynccontextmanager
async def understander(
    stub: OpenAIStub, breaker: CircuitBreaker | None = None, seconds: float = 5
) -> AsyncIterator[Understander]:
    """An understander whose model is the stub."""
    config = Settings(openai_api_key="test", openai_base_url=stub.url, model_timeout_seconds=seconds)
    [model] = chat_models(config, [breaker or CircuitBreaker("model")])
    assert model.http_async_client is not None
    async with model.http_async_client:
        yield Understander([model])


def proposal(**changed: Any) -> Understanding:
    """A model's answer with one topic."""
    topic = {"request_type": "order_cancel", "text": f"cancel {W1001}", "order_id": W1001} | changed
    return Understanding(act="request", topics=[Topic.model_validate(topic)])


async def read(step: Step, text: str = TEXT, *, pending: bool = False) -> tuple[Understanding, ReadBy]:
    """What is understood of a text when the model gives this one answer."""
    with OpenAIStub([step]) as stub:
        async with understander(stub) as reader:
            return await reader.understand(text, pending=pending)


async def test_without_a_model_the_embedded_rules_answer_and_that_is_not_degraded(
    events: list[tuple[str, dict[str, Any]]],
) -> None:
    assert chat_models(Settings(), [CircuitBreaker("model")]) == []
    assert await Understander([]).understand(TEXT, pending=False) == (
        embedded.understand(TEXT, pending=False),
        "embedded",
    )
    assert events == []


async def test_a_models_good_answer_is_taken(events: list[tuple[str, dict[str, Any]]]) -> None:
    good = Understanding(
        act="request",
        topics=[
            Topic(request_type="order_cancel", text=f"cancel {W1001}", order_id=W1001, reason="no longer needed"),
            Topic(request_type="billing_issue", text=f"give me 80.00 back for {W1002}", order_id=W1002, amount=8000),
        ],
    )
    assert await read(understands(good)) == (good, "primary")
    assert events == []


async def test_the_model_is_asked_once_for_the_schema_with_the_text_and_its_history() -> None:
    with OpenAIStub([understands(proposal())]) as stub:
        async with understander(stub) as reader:
            await reader.understand(TEXT, pending=True, history=[f"where is {W1009}?", f"{W1009} is on its way."])
    (request,) = stub.requests
    assert request["response_format"]["json_schema"]["strict"] is True
    system, earlier, last = (message["content"] for message in request["messages"])
    assert understand.PENDING in system
    assert f"{W1009} is on its way." in earlier
    assert last == TEXT


@pytest.mark.parametrize("named", [W1005, f"{W1001}0", "the second one", ""])
async def test_an_order_that_nobody_named_is_dropped(named: str) -> None:
    understood, _ = await read(understands(proposal(order_id=named)))
    assert understood.topics[0].order_id is None


@pytest.mark.parametrize("named", [re.sub(r"\W", "", W1001.lower()), f"#{W1001}", "order 1001"])
async def test_an_order_is_the_same_however_the_model_writes_it(named: str) -> None:
    understood, _ = await read(understands(proposal(order_id=named)))
    assert understood.topics[0].order_id == W1001


async def test_an_order_of_the_history_may_be_meant() -> None:
    with OpenAIStub([understands(proposal(order_id=W1009))]) as stub:
        async with understander(stub) as reader:
            understood, _ = await reader.understand("cancel it", pending=False, history=[f"where is {W1009.lower()}?"])
    assert understood.topics[0].order_id == W1009


@pytest.mark.parametrize("amount", [8001, 80, 1001, 100100])
async def test_an_amount_that_nobody_named_is_dropped(amount: int) -> None:
    understood, _ = await read(understands(proposal(request_type="billing_issue", amount=amount)))
    assert understood.topics[0].amount is None


async def test_words_that_nobody_said_are_replaced_by_the_message() -> None:
    understood, _ = await read(understands(proposal(text="The customer is very angry.")))
    assert understood.topics[0].text == TEXT


async def test_a_cancel_reason_that_policy_does_not_know_is_dropped() -> None:
    understood, _ = await read(understands(proposal(reason="found it cheaper")))
    assert understood.topics[0].reason is None


@pytest.mark.parametrize(
    ("text", "pending", "act"),
    [
        ("sounds reasonable I guess", True, "unclear"),
        ("yes but change the delivery address", True, "request"),
        ("yes?", True, "unclear"),
        ("yes please", False, "unclear"),
    ],
)
async def test_a_models_yes_counts_only_if_the_rules_read_a_yes_too(text: str, pending: bool, act: Act) -> None:
    understood, read_by = await read(understands(Understanding(act="yes")), text, pending=pending)
    assert (understood.act, read_by) == (act, "primary")


@pytest.mark.parametrize(("text", "act"), [("yes", "yes"), ("yes please", "yes"), ("no thanks", "no")])
async def test_a_plain_yes_or_no_is_read_by_the_rules_and_no_model_is_asked(text: str, act: Act) -> None:
    with OpenAIStub([understands(Understanding(act="unclear"))]) as stub:
        async with understander(stub) as reader:
            assert await reader.understand(text, pending=True) == (Understanding(act=act), "embedded")
    assert stub.requests == []


@pytest.mark.parametrize(("pending", "act"), [(True, "no"), (False, "unclear")])
async def test_a_models_no_counts_only_while_a_plan_waits(pending: bool, act: Act) -> None:
    understood, _ = await read(understands(Understanding(act="no")), "qwertz uiop", pending=pending)
    assert understood.act == act


async def test_topics_beside_another_act_than_a_request_are_dropped() -> None:
    chatty = proposal().model_copy(update={"act": "small_talk"})
    assert await read(understands(chatty)) == (Understanding(act="small_talk"), "primary")


async def test_a_request_without_topics_is_read_by_the_rules() -> None:
    understood, _ = await read(understands(Understanding(act="request")))
    assert understood == embedded.understand(TEXT, pending=False)


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        pytest.param(fails(500), "OpenAIAPIError", id="500"),
        pytest.param(fails(503), "OpenAIAPIError", id="503"),
        pytest.param(fails(429), "OpenAIRateLimitError", id="429"),
        pytest.param(fails(401), "OpenAIAuthenticationError", id="401"),
        pytest.param(Step(body=None), "OpenAIConnectionError", id="hung up"),
        pytest.param(Step(body=b"<html>"), "ModelAnswerError", id="a web page"),
        pytest.param(Step(body=b"[]"), "ModelAnswerError", id="no completion"),
        pytest.param(Step(body=b'{"choices": []}'), "ModelAnswerError", id="no choice"),
        pytest.param(completes("I think it is about an order"), "ModelAnswerError", id="prose"),
        pytest.param(completes('{"act": "dance", "topics": []}'), "ModelAnswerError", id="another schema"),
        pytest.param(
            completes('{"act": "yes", "topics": [], "also": 1}'), "ModelAnswerError", id="more than the schema"
        ),
        pytest.param(completes(None), "ModelAnswerError", id="nothing"),
        pytest.param(completes(None, refusal="I will not"), "OpenAIRefusalError", id="a refusal"),
    ],
)
async def test_a_model_that_fails_is_asked_once_and_replaced_in_the_open(
    step: Step, reason: str, events: list[tuple[str, dict[str, Any]]]
) -> None:
    with OpenAIStub([step]) as stub:
        async with understander(stub) as reader:
            understood, read_by = await reader.understand(TEXT, pending=False)
    assert understood == embedded.understand(TEXT, pending=False)
    assert read_by == "degraded"
    assert events == [fell_back(reason)]
    assert len(stub.requests) == 1


async def test_a_model_that_does_not_answer_in_time_is_replaced(events: list[tuple[str, dict[str, Any]]]) -> None:
    with OpenAIStub([hangs()]) as stub:
        async with understander(stub, seconds=0.2) as reader:
            _, read_by = await reader.understand(TEXT, pending=False)
    assert read_by == "degraded"
    assert events == [fell_back("OpenAITimeoutError")]


@pytest.mark.parametrize("step", [fails(500), hangs(), Step(body=None)], ids=["500", "silence", "hung up"])
async def test_a_model_that_fails_opens_its_breaker(step: Step, events: list[tuple[str, dict[str, Any]]]) -> None:
    with OpenAIStub([step]) as stub:
        async with understander(stub, CircuitBreaker("model", BreakerConfig(minimum_number_of_calls=1)), 0.5) as reader:
            await reader.understand(TEXT, pending=False)
            await reader.understand(TEXT, pending=False)
    assert events[1] == fell_back("CircuitOpenError")
    assert len(stub.requests) == 1


async def test_an_open_breaker_keeps_the_model_from_being_asked(events: list[tuple[str, dict[str, Any]]]) -> None:
    breaker = CircuitBreaker("model")
    breaker.force_open()
    with OpenAIStub([understands(proposal())]) as stub:
        async with understander(stub, breaker) as reader:
            _, read_by = await reader.understand(TEXT, pending=False)
    assert read_by == "degraded"
    assert events == [fell_back("CircuitOpenError")]
    assert stub.requests == []


def answering(answer: Callable[[httpx.Request], Coroutine[None, None, httpx.Response]]) -> Understander:
    """An understander on a wire in memory."""
    client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    return Understander([ChatOpenAI(model="scripted", api_key="test", max_retries=0, http_async_client=client)])


@pytest.mark.parametrize("passing", [GraphInterrupt(), ZeroDivisionError()])
async def test_what_is_not_the_models_failure_is_not_swallowed(
    passing: Exception, events: list[tuple[str, dict[str, Any]]]
) -> None:
    async def raises(_: httpx.Request) -> httpx.Response:
        raise passing

    with pytest.raises(type(passing)):
        await answering(raises).understand(TEXT, pending=False)
    assert events == []


async def test_a_caller_that_is_cancelled_gets_no_other_answer(events: list[tuple[str, dict[str, Any]]]) -> None:
    asked = asyncio.Event()

    async def silent(_: httpx.Request) -> httpx.Response:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    reading = asyncio.ensure_future(answering(silent).understand(TEXT, pending=False))
    await asked.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert events == []


async def test_the_script_is_played_step_by_step_and_its_last_step_repeated() -> None:
    with OpenAIStub([fails(500), completes("{}")]) as stub:
        async with httpx.AsyncClient() as client:
            answers = [(await client.post(f"{stub.url}/chat/completions", json={"n": n})).status_code for n in range(3)]
    assert answers == [500, 200, 200]
    assert stub.requests == [{"n": 0}, {"n": 1}, {"n": 2}]


async def in_two(first: Step, second: Step, text: str = TEXT) -> tuple[Understanding, ReadBy, int]:
    """What is understood when two models give these answers, by whom, and how often the second was asked."""
    with OpenAIStub([first]) as primary, OpenAIStub([second]) as secondary:
        config = Settings(
            openai_api_key="test",
            openai_base_url=primary.url,
            second_model="another",
            second_openai_base_url=secondary.url,
            model_timeout_seconds=5,
        )
        models = chat_models(config, [CircuitBreaker("model"), CircuitBreaker("second-model")])
        understood, read_by = await Understander(models).understand(text, pending=False)
        for model in models:
            assert model.http_async_client is not None
            await model.http_async_client.aclose()
        assert all(request["model"] == "another" for request in secondary.requests)
        return understood, read_by, len(secondary.requests)


async def test_a_second_model_is_asked_only_when_the_first_fails(events: list[tuple[str, dict[str, Any]]]) -> None:
    assert (await in_two(understands(proposal()), understands(proposal())))[1:] == ("primary", 0)
    assert events == []
    assert (await in_two(fails(500), understands(proposal())))[1:] == ("secondary", 1)
    assert events == [fell_back("OpenAIAPIError", "primary", "secondary")]


async def test_when_every_model_fails_the_rules_answer(events: list[tuple[str, dict[str, Any]]]) -> None:
    assert (await in_two(fails(500), fails(503)))[:2] == (embedded.understand(TEXT, pending=False), "degraded")
    assert events == [
        fell_back("OpenAIAPIError", "primary", "secondary"),
        fell_back("OpenAIAPIError", "secondary", "degraded"),
    ]


async def test_what_the_rules_cannot_read_in_a_models_place_is_for_a_person(
    events: list[tuple[str, dict[str, Any]]],
) -> None:
    riddle = "it came, but you know how that is"
    with OpenAIStub([fails(500)]) as stub:
        async with understander(stub) as reader:
            understood, read_by = await reader.understand(riddle, pending=False)
    assert (understood, read_by) == (Understanding(act="unclear"), "person")
    assert events[-1] == fell_back("NotUnderstoodError", "degraded", "person")


QUESTION = Understanding(act="request", topics=[Topic(request_type="question", text="do you ship to France")])


async def asked_for(texts: list[str], answer: Understanding = QUESTION, **how: Any) -> int:
    """How often the model is asked to read these, one after the other."""
    with OpenAIStub([understands(answer)]) as stub:
        async with understander(stub) as reader:
            for text in texts:
                assert await reader.understand(text, pending=False, **how) == (answer, "primary")
        return len(stub.requests)


async def test_a_question_to_the_shop_is_read_by_the_model_once_however_it_is_spaced_and_cased() -> None:
    assert await asked_for(["do you ship to France", "Do you  ship to france"]) == 1


@pytest.mark.parametrize(
    "text",
    [
        f"do you ship to France, {W1002}",
        "do you ship to France, I am Ada Park",
        "do you ship to France, ada@example.com",
        "do you ship to France. " * 20,
    ],
)
async def test_the_reading_of_what_may_be_personal_is_not_kept(text: str) -> None:
    assert await asked_for([text, text]) == 2


async def test_what_depends_on_what_was_said_before_is_read_each_time() -> None:
    assert await asked_for(["do you ship to France"] * 2, history=["hello"]) == 2


async def test_the_reading_of_a_wish_is_not_kept() -> None:
    wish = Understanding(act="request", topics=[Topic(request_type="order_cancel", text="do you ship to France")])
    assert await asked_for(["do you ship to France"] * 2, wish) == 2


async def test_another_prompt_or_another_shop_reads_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    with OpenAIStub([understands(QUESTION)]) as stub:
        async with understander(stub) as reader:
            await reader.understand("do you ship to France", pending=False)
            monkeypatch.setattr(understand, "PROMPT", understand.PROMPT + "Be brief.\n")
            await reader.understand("do you ship to France", pending=False)
    assert len(stub.requests) == 2
