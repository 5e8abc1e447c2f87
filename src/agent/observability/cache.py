"""The node cache, counted: a hit leaves no span and does not run the node, so only the cache can tell."""

from collections.abc import Mapping, Sequence
from typing import Any

from langgraph.cache.base import FullKey, ValueT
from langgraph.cache.memory import InMemoryCache

from agent.observability.events import emit


class CountingCache(InMemoryCache[Any]):
    """An in-memory node cache that emits `cache.hit`."""

    async def aget(self, keys: Sequence[FullKey]) -> dict[FullKey, ValueT]:
        """Look keys up, and count those that were there."""
        found: dict[FullKey, ValueT] = await super().aget(keys)
        for _ in found:
            emit("cache.hit")
        return found


def question_key(state: Mapping[str, Any]) -> str:
    """Cache key of a knowledge look-up: the questions' words and nothing of the customer.

    The state is empty when a graph is only drawn.
    """
    return "\n".join(" ".join(topic["text"].lower().split()) for topic in state.get("topics", []))
