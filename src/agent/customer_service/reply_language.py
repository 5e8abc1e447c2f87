"""A reply in the language that the customer wrote in, where a model read them; the desk's own words follow."""

from typing import Final

from langchain_core.messages import HumanMessage

from agent.assistant.languages import LANGUAGES, foreign
from agent.assistant.turn_budget import TurnBudget
from agent.customer_service.state import DeskState
from agent.services import Services

WHAT_COUNTS: Final = "(In English, which is what counts:)"


async def in_their_language(shop: Services, state: DeskState, text: str) -> str:
    """The reply as the customer reads it; where it can't be translated, with a sentence in their language before it."""
    said, allowance = state["messages"][-1:], state.get("allowance")
    language = foreign(said[0].text) if said and isinstance(said[0], HumanMessage) and allowance else None
    if language is None or allowance is None:
        return text
    translation = await shop.translator.translated(text, language, TurnBudget.of(allowance))
    return f"{translation}\n\n{WHAT_COUNTS}\n\n{text}" if translation else f"{LANGUAGES[language].answer}\n\n{text}"
