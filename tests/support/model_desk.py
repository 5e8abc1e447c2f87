"""A desk whose model is a stub over HTTP: what it is asked, and answers by what it was asked for."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from pydantic import SecretStr

from agent import services as composition
from agent.assistant.chat_models import chat_models
from agent.assistant.models import RequestType, Topic, Understanding
from agent.assistant.tool_loop import ToolLoop
from agent.assistant.translation import Translator
from agent.assistant.understand import Understander
from agent.resilience import CircuitBreaker
from agent.services import Services
from tests.support.openai_stub import OpenAIStub, Step, understands

Json = dict[str, Any]
Answers = Callable[[Json], Step]


@asynccontextmanager
async def with_model(
    shop: Services, answers: Answers, *, second: Answers | None = None, **settings: Any
) -> AsyncIterator[OpenAIStub]:
    """The process's services with models that answer so; the stub of the first one."""
    with OpenAIStub(answers) as stub, OpenAIStub(second or answers) as other:
        async with with_models_at(shop, [stub.url, other.url][: 2 if second else 1], **settings):
            yield stub


@asynccontextmanager
async def with_models_at(shop: Services, urls: Sequence[str], **settings: Any) -> AsyncIterator[list[CircuitBreaker]]:
    """The process's services with models at these addresses, the first one and perhaps a second; their breakers."""
    config = shop.settings.model_copy(
        update={
            "openai_api_key": SecretStr("of-nobody"),
            "openai_base_url": urls[0],
            "second_model": "second" if len(urls) > 1 else "",
            "second_openai_base_url": urls[-1],
            **settings,
        }
    )
    breakers = [CircuitBreaker(name) for name in ("model", "second-model")[: len(urls)]]
    models = chat_models(config, breakers)
    loop = ToolLoop(models, config.model_steps)
    composition.replace(
        replace(shop, settings=config, understander=Understander(models), tool_loop=loop, translator=Translator(models))
    )
    try:
        yield breakers
    finally:
        composition.replace(shop)
        for model in models:
            assert model.http_async_client is not None
            await model.http_async_client.aclose()


def is_triage(request: Json) -> bool:
    """Whether a request is to read a message; else it is a specialist's."""
    return "response_format" in request


def last_words(request: Json) -> str:
    """What the customer said last."""
    return str([each["content"] for each in request["messages"] if each["role"] == "user"][-1])


def results(request: Json) -> list[str]:
    """What the tools gave so far."""
    return [str(each["content"]) for each in request["messages"] if each["role"] == "tool"]


def topic(request_type: RequestType, text: str, **known: Any) -> Step:
    """The answer of triage: one topic."""
    return understands(Understanding(act="request", topics=[Topic(request_type=request_type, text=text, **known)]))


def specialist(request_type: RequestType, *steps: Step) -> Answers:
    """A model that reads each message as of this type, and as its specialist gives one answer after the other, of which
    the last is repeated; each conversation's next message begins anew."""

    def answer(request: Json) -> Step:
        if is_triage(request):
            return topic(request_type, last_words(request))
        asked = sum(bool(each.get("tool_calls")) for each in request["messages"])
        step: Step = steps[min(asked, len(steps) - 1)]
        return step

    return answer
