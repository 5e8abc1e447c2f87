"""What the desk can do, in its own words: of each record what it says that it does."""

from collections.abc import Callable, Sequence

from agent.assistant.pattern_language import phrases
from agent.capabilities.base import Capability, Outcome, Slots
from agent.services import Services


def abilities(of: Callable[[], Sequence[Capability]]) -> Capability:
    """The capability that tells what those `of` can do."""

    async def propose(_: Services, __: str, ___: Slots) -> Outcome:
        return "I can\n" + "\n".join(f"- {each.does}" for each in of())

    return Capability(
        name="abilities",
        request_type="question",
        does="tell you what I can do",
        wants=phrases("what can you/i do/ask/help", "how can you help", "what do you do", "what are you able to"),
        propose=propose,
        reach="anybody",
    )
