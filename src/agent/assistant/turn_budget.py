"""What models may cost one turn of a conversation: until when, and how many tokens. Each call is an event."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

from langchain_core.messages import AIMessage
from typing_extensions import TypedDict  # with typing's own, Python 3.11 serves no schema of the graph

from agent.observability import tracing
from agent.observability.events import emit

Purpose = Literal["triage", "specialist", "translation"]


class Allowance(TypedDict):
    """What is left of a turn's budget, as state carries it: until (seconds since 1970), and tokens."""

    until: float
    tokens: int


class BudgetSpentError(Exception):
    """A turn has had its time, or its tokens."""


class TurnBudget:
    """Counts what models cost a turn, and refuses the call that would begin past its end."""

    def __init__(self, until: float, tokens: int) -> None:
        self._until = until
        self._tokens = tokens

    @classmethod
    def of(cls, allowance: Allowance) -> "TurnBudget":
        """What a node was sent."""
        return cls(allowance["until"], allowance["tokens"])

    @classmethod
    def starting(cls, seconds: float, tokens: int) -> "TurnBudget":
        """A new turn's."""
        return cls(time.time() + seconds, tokens)

    @property
    def tokens(self) -> int:
        """How many are left."""
        return max(0, self._tokens)

    def shared(self, by: int) -> Allowance:
        """What is left, for each of so many."""
        return Allowance(until=self._until, tokens=self.tokens // max(1, by))

    @asynccontextmanager
    async def call(self, purpose: Purpose) -> AsyncIterator["Call"]:
        """One call of a model. Raises `BudgetSpentError` when there is nothing left for it, or time is up during it."""
        left = self._until - time.time()
        if left <= 0 or self._tokens <= 0:
            emit("model.call", purpose=purpose, outcome="refused", tokens=0)
            raise BudgetSpentError("time" if left <= 0 else "tokens")
        call, outcome = Call(), "failed"
        try:
            with tracing.span("chat", **{"gen_ai.operation.name": "chat", "desk.purpose": purpose}):
                async with asyncio.timeout(left):
                    yield call
                tracing.describe(**call.about)
            outcome = "answered"
        except TimeoutError as error:
            outcome = "late"
            raise BudgetSpentError("time") from error
        finally:
            self._tokens -= call.tokens
            emit("model.call", purpose=purpose, outcome=outcome, tokens=call.tokens)


class Call:
    """What one call cost so far."""

    def __init__(self) -> None:
        self.tokens = 0
        self.about: dict[str, str | int] = {}

    def cost(self, asked: object, answer: object) -> None:
        """Count an answer's tokens; where the server tells of none, a quarter of the characters."""
        usage = answer.usage_metadata if isinstance(answer, AIMessage) else None
        if usage and isinstance(answer, AIMessage):
            self.about = {
                "gen_ai.response.model": str(answer.response_metadata.get("model_name", "")),
                "gen_ai.usage.input_tokens": usage["input_tokens"],
                "gen_ai.usage.output_tokens": usage["output_tokens"],
            }
        told = usage["total_tokens"] if usage else 0
        self.tokens += told if told > 0 else (len(str(asked)) + len(str(answer))) // 4
