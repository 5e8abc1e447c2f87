"""The configured chat models, how they may fail, and what counts as an answer of one.

Each is called once (law 12), whole, within a turn's budget, behind its own breaker and a transport that bounds it.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import httpx
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from pydantic import SecretStr

from agent.assistant.turn_budget import BudgetSpentError
from agent.observability import tracing
from agent.observability.events import emit
from agent.resilience import CircuitBreaker, CircuitOpenError, FallbackTaken
from agent.resilience.transport import ClientWire, ResilientTransport, TransportConfig
from agent.settings import Settings

if TYPE_CHECKING:
    from langchain_openai import ChatOpenAI

ANSWER_TOKENS = 1_000
"""The longest answer that a model is asked for."""

LONGEST_ANSWER = 20_000
"""Characters of an answer, its calls included; a longer one did not keep to `ANSWER_TOKENS`."""

FINISHED = frozenset(("stop", "tool_calls", "function_call"))
"""Why a model stopped when its answer is whole; without a reason it was cut on the way."""

NO_COMPLETION = (ValueError, TypeError, LookupError, AttributeError, RecursionError)
"""What the libraries raise, each in its own way, for an answer that is no completion, or not in the form asked for."""


class ModelAnswerError(Exception):
    """The model answered, but not in the form that it was asked for."""


def model_failures() -> tuple[type[Exception], ...]:
    """How a model can fail to answer. Without a model its library, which takes a second to import, is not needed."""
    import openai  # noqa: PLC0415
    from langchain_core.exceptions import LangChainException  # noqa: PLC0415
    from langchain_openai.chat_models.base import OpenAIRefusalError  # noqa: PLC0415

    return (
        openai.OpenAIError,
        OpenAIRefusalError,
        LangChainException,
        httpx.HTTPError,
        CircuitOpenError,
        OSError,
        ModelAnswerError,
        BudgetSpentError,
    )


def whole(answer: BaseMessage) -> AIMessage:
    """An answer that its model finished, as asked. Raises `ModelAnswerError` for a cut, filtered, refused or endless
    one."""
    if not isinstance(answer, AIMessage):
        raise ModelAnswerError(type(answer).__name__)
    reason = answer.response_metadata.get("finish_reason")
    if reason not in FINISHED or answer.additional_kwargs.get("refusal"):
        raise ModelAnswerError(str(reason)[:40])
    calls = (*answer.tool_calls, *answer.invalid_tool_calls)
    length = len(answer.text) + sum(len(str(part)) for call in calls for part in (call["name"], call["args"]))
    if length > LONGEST_ANSWER:
        raise ModelAnswerError("too long")
    return answer


def chat_models(settings: Settings, breakers: Sequence[CircuitBreaker]) -> "list[ChatOpenAI]":
    """The configured models, first the one to ask first, each behind its breaker; none without a key.

    Imports their library and reads certificates: build them off the event loop.
    """
    key, seconds = settings.openai_api_key, settings.model_timeout_seconds
    if key is None:
        return []
    second_key = settings.second_openai_api_key or key
    named = [
        (settings.model, key, settings.openai_base_url),
        (settings.second_model, second_key, settings.second_openai_base_url or settings.openai_base_url),
    ]
    return [_chat_model(*model, seconds, breaker) for model, breaker in zip(named, breakers, strict=False)]


def _chat_model(model: str, key: SecretStr, url: str | None, seconds: float, breaker: CircuitBreaker) -> "ChatOpenAI":
    """It never retries by itself (law 12)."""
    from langchain_openai import ChatOpenAI  # noqa: PLC0415

    bounds = TransportConfig(name=breaker.name, timeout=seconds, media_type="application/json")
    wire = ClientWire(httpx.AsyncClient(timeout=seconds))
    return ChatOpenAI(
        model=model,
        api_key=key,
        base_url=url,
        timeout=seconds,
        max_retries=0,
        disable_streaming=True,
        http_async_client=httpx.AsyncClient(transport=ResilientTransport(wire, bounds, breaker)),
        use_responses_api=False,
        callbacks=[_NameOnSpan(model)],
    )


class _NameOnSpan(BaseCallbackHandler):
    """Names the model that is asked on the span of the call, whether it answers or not."""

    run_inline = True

    def __init__(self, model: str) -> None:
        self._about = {"gen_ai.request.model": model, "gen_ai.provider.name": "openai"}

    def on_chat_model_start(self, *_: Any, **__: Any) -> None:
        """A call begins."""
        tracing.describe(**self._about)


def fell_back(fell: FallbackTaken) -> None:
    """Record a step down a chain of models."""
    emit("assistant.fallback", chain=fell.chain, failed=fell.failed, next_step=fell.next_step, reason=fell.reason)


def by_rank(models: Sequence[BaseChatModel]) -> list[tuple[str, BaseChatModel]]:
    """The models by the names that they have in chains and events: primary, and secondary."""
    return list(zip(("primary", "secondary"), models, strict=False))
