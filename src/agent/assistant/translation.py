"""A reply in the customer's language, by a model: line for line, with every number and id where it was.

The desk's own words follow it, since they are what counts: a model may turn a meaning, which no look at numbers tells.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage, SystemMessage
from langgraph.constants import TAG_NOSTREAM

from agent.assistant.chat_models import ANSWER_TOKENS, NO_COMPLETION, ModelAnswerError, model_failures, whole
from agent.assistant.turn_budget import TurnBudget
from agent.observability.events import emit

PROMPT: Final = """\
Translate the message of a shop to its customer into the language with the ISO 639-1 code {language}. Line for line, as
many lines as there are, nothing added. Leave numbers, amounts, ids, e-mail addresses and names of products as they are.
"""
_EDGES: Final = " \t.,;:!?()\"'“”"


class Translator:
    """Translates with the first of the models; without one it translates nothing."""

    def __init__(self, models: Sequence[BaseChatModel]) -> None:
        self._model = models[0].with_config(tags=[TAG_NOSTREAM]) if models else None
        self._failures: tuple[type[Exception], ...] = (*model_failures(), *NO_COMPLETION) if models else ()

    async def translated(self, text: str, language: str, budget: TurnBudget) -> str | None:
        """The text in another language; None when it can't be had, or does not say the same numbers and ids."""
        if self._model is None:
            return None
        asked = [SystemMessage(PROMPT.format(language=language)), HumanMessage(text)]
        try:
            async with budget.call("translation") as call:
                answer = whole(await self._model.ainvoke(asked, max_tokens=ANSWER_TOKENS))
                call.cost(asked, answer)
        except self._failures as error:
            emit("assistant.fallback", failed="translation", next_step="english", reason=type(error).__name__)
            return None
        if not _says_the_same(text, answer.text.strip()):
            emit("assistant.fallback", failed="translation", next_step="english", reason=ModelAnswerError.__name__)
            return None
        return answer.text.strip()


def _says_the_same(text: str, translation: str) -> bool:
    """Whether each line has the numbers and ids of its original, as often, and the lines are as many."""
    lines, translated = text.split("\n"), translation.split("\n")
    return len(lines) == len(translated) and all(
        _figures(line) == _figures(other) for line, other in zip(lines, translated, strict=True)
    )


def _figures(line: str) -> Counter[str]:
    return Counter(word.strip(_EDGES) for word in line.split() if any(each.isdigit() for each in word))
