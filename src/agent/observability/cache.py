"""The node cache, counted and bounded: a hit leaves no span and does not run the node, so only the cache can tell.

The one that it is made of keeps what nobody asks for again, long past its time.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from langgraph.cache.base import FullKey, ValueT
from langgraph.cache.memory import InMemoryCache

from agent.observability.events import emit
from agent.observability.metrics import CACHE

MOST_ENTRIES: Final = 1_000
"""Of a namespace, which is a node. What the articles say on a question is some 2 kB."""


class CountingCache(InMemoryCache[Any]):
    """An in-memory node cache that emits `cache.hit`; it holds the `most` latest entries of a node at most, and none
    that is past its time once another one comes. `name` is what `desk_cache_total` calls it."""

    def __init__(self, name: str, most: int = MOST_ENTRIES) -> None:
        super().__init__()
        self._name = name
        self._most = most
        CACHE.announce((name,))

    async def aget(self, keys: Sequence[FullKey]) -> dict[FullKey, ValueT]:
        """Look keys up, and count those that were there and those that were not."""
        found: dict[FullKey, ValueT] = await super().aget(keys)
        for _ in found:
            emit("cache.hit", cache=self._name)
        CACHE.of(self._name, "miss").inc(len(keys) - len(found))
        return found

    def set(self, keys: Mapping[FullKey, tuple[ValueT, int | None]]) -> None:
        """Keep these; what is past its time, and what came first of what is too much, goes."""
        with self._lock:
            for namespace, key in keys:  # which is then the latest
                self._cache.get(namespace, {}).pop(key, None)
            super().set(keys)
            now = time.time()
            for entries in self._cache.values():
                for key in [key for key, (_, _, expiry) in entries.items() if expiry is not None and expiry <= now]:
                    del entries[key]
                for key in list(entries)[: max(0, len(entries) - self._most)]:
                    del entries[key]


def question_key(state: Mapping[str, Any]) -> str:
    """Cache key of a knowledge look-up: the questions' words and nothing of the customer.

    The state is empty when a graph is only drawn.
    """
    return "\n".join(" ".join(topic["slots"]["text"].lower().split()) for topic in state.get("topics", []))
