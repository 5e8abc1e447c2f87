"""A model with tools, bounded: it looks things up, proposes, and says at last what it found. It changes nothing.

What a tool does, and what becomes of what it found, is for who asks; here are the limits. A model that fails is
followed by the next one, from the beginning, and the last by who can answer without.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolCall, ToolMessage
from langgraph.constants import TAG_NOSTREAM
from pydantic import BaseModel, ValidationError

from agent.assistant.chat_models import (
    ANSWER_TOKENS,
    NO_COMPLETION,
    ModelAnswerError,
    by_rank,
    fell_back,
    model_failures,
    whole,
)
from agent.assistant.turn_budget import BudgetSpentError, TurnBudget
from agent.observability import tracing
from agent.resilience import FallbackChain, FallbackStep
from agent.text import first_error

T = TypeVar("T")

CALLS_A_STEP: Final = 8
"""Tools that one answer may call; the rest of its calls is not looked at."""

RESULT_LIMIT: Final = 6_000
"""Characters of a tool's result that a model reads."""


@dataclass(frozen=True)
class Tool:
    """What a model may call: `form` are its arguments, `run` gives what the model reads of the result."""

    name: str
    does: str
    form: type[BaseModel]
    run: Callable[[Any], Awaitable[str]]

    def as_function(self) -> dict[str, Any]:
        """The tool in OpenAI's form."""
        schema = self.form.model_json_schema()
        return {"type": "function", "function": {"name": self.name, "description": self.does, "parameters": schema}}


Run = Callable[[Sequence[BaseMessage], Sequence[Tool], TurnBudget], Awaitable[str]]
"""A model at work: given what was said, its tools and what it may cost, what it says at last; nothing when a limit
stopped it before."""


class ToolLoop:
    """Asks the models in turn, and at last who can answer without one.

    Args:
        models: first the one to ask first.
        steps: calls of a model for one question.
    """

    def __init__(self, models: Sequence[BaseChatModel], steps: int) -> None:
        runs = [(name, partial(_run, model, steps)) for name, model in by_rank(models)]
        asked = [FallbackStep(name, partial(_by_model, run)) for name, run in runs]
        leads_on = model_failures() if asked else ()
        last = FallbackStep("degraded" if asked else "embedded", _without)
        self._chain: FallbackChain[[Callable[[Run], Awaitable[Any]], Callable[[], Awaitable[Any]]], Any] = (
            FallbackChain("specialist", [*asked, last], leads_on, listeners=[fell_back])
        )

    async def ask(self, by_model: Callable[[Run], Awaitable[T]], without: Callable[[], Awaitable[T]]) -> tuple[T, str]:
        """What `by_model` makes of the first model that does not fail, else what `without` gives; and whose it is."""
        return await self._chain.ask(by_model, without)


async def _by_model(run: Run, by_model: Callable[[Run], Awaitable[T]], _: Callable[[], Awaitable[T]]) -> T:
    return await by_model(run)


async def _without(_: Callable[[Run], Awaitable[T]], without: Callable[[], Awaitable[T]]) -> T:
    return await without()


async def _run(
    model: BaseChatModel, steps: int, messages: Sequence[BaseMessage], tools: Sequence[Tool], budget: TurnBudget
) -> str:
    asked = model.bind_tools([tool.as_function() for tool in tools]).with_config(tags=[TAG_NOSTREAM])
    by_name, said = {tool.name: tool for tool in tools}, list(messages)
    for step in range(steps):
        try:
            async with budget.call("specialist") as call:
                answer = whole(await asked.ainvoke(said, max_tokens=min(ANSWER_TOKENS, budget.tokens)))
                call.cost(said, answer)
        except BudgetSpentError:
            if step == 0:
                raise
            return ""
        except NO_COMPLETION as error:
            raise ModelAnswerError(type(error).__name__) from error
        calls = _calls_of(answer)
        if not (calls or step or answer.text.strip()):
            raise ModelAnswerError("empty")
        if not calls:
            return answer.text
        said.append(AIMessage(answer.text, tool_calls=calls))
        said += [ToolMessage(await _result(by_name, each), tool_call_id=str(each["id"])) for each in calls]
    return ""


def _calls_of(answer: AIMessage) -> list[ToolCall]:
    """The calls that are looked at. One whose arguments are no object is called with none, and told what it lacks."""
    wrong = [ToolCall(name=str(call["name"]), args={}, id=call["id"]) for call in answer.invalid_tool_calls]
    calls = [*answer.tool_calls, *wrong][:CALLS_A_STEP]
    return [
        ToolCall(name=call["name"], args=call["args"], id=call["id"] or f"call-{number}")
        for number, call in enumerate(calls)
    ]


async def _result(tools: Mapping[str, Tool], call: ToolCall) -> str:
    """What a model reads of a call. Wrong arguments are told, and nothing is done."""
    tool = tools.get(call["name"])
    if tool is None:
        return f"There is no tool of that name. There are: {', '.join(tools)}."
    try:
        form = tool.form.model_validate_json(json.dumps(call["args"]))  # JSON has no tuples
    except (ValueError, RecursionError) as error:
        why = (
            first_error(error, "arguments")
            if isinstance(error, ValidationError)
            else "the arguments are no JSON object"
        )
        return f"Not called: {why}"
    about = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": tool.name}
    with tracing.span(f"execute_tool {tool.name}", **about):
        return (await tool.run(form))[:RESULT_LIMIT]
