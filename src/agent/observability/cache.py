"""The node cache, counted and bounded: a hit leaves no span and does not run the node, so only the cache can tell.

Those that it is made of keep what nobody asks for again, long past its time.
"""

import sqlite3
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from langgraph.cache.base import BaseCache, FullKey, ValueT
from langgraph.cache.memory import InMemoryCache
from langgraph.cache.sqlite import SqliteCache

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
        _count(self._name, keys, found)
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


class KeptCache(SqliteCache[Any]):
    """The same on disk, so that it outlives the process. A file that fails is a miss, and an event."""

    def __init__(self, name: str, file: Path, most: int = MOST_ENTRIES) -> None:
        super().__init__(path=str(file))
        self._name = name
        self._most = most
        CACHE.announce((name,))

    async def aget(self, keys: Sequence[FullKey]) -> dict[FullKey, ValueT]:
        """Look keys up, and count those that were there and those that were not."""
        found: dict[FullKey, ValueT] = {}
        try:
            found = await super().aget(keys)
        except sqlite3.Error as error:
            emit("cache.failed", cache=self._name, error=type(error).__name__)
        _count(self._name, keys, found)
        return found

    def set(self, mapping: Mapping[FullKey, tuple[ValueT, int | None]]) -> None:
        """Keep these; what is past its time, and what came first of what is too much, goes."""
        try:
            super().set(mapping)
            with self._lock, self._conn:
                self._conn.execute("DELETE FROM cache WHERE expiry <= ?", [time.time()])
                self._conn.execute(_SURPLUS, [self._most])
        except sqlite3.Error as error:
            emit("cache.failed", cache=self._name, error=type(error).__name__)


_SURPLUS: Final = """DELETE FROM cache WHERE rowid IN (SELECT id FROM (
    SELECT rowid AS id, row_number() OVER (PARTITION BY ns ORDER BY rowid DESC) AS place FROM cache) WHERE place > ?)"""


def node_cache(name: str, file: Path | None) -> BaseCache[Any]:
    """The cache of a node: in this file, or in memory if there is none or it can't be used."""
    if file:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            return KeptCache(name, file)
        except (sqlite3.Error, OSError) as error:
            emit("cache.failed", cache=name, error=type(error).__name__)
    return CountingCache(name)


def _count(name: str, asked: Sequence[FullKey], found: Mapping[FullKey, Any]) -> None:
    for _ in found:
        emit("cache.hit", cache=name)
    CACHE.of(name, "miss").inc(len(asked) - len(found))


def question_key(state: Mapping[str, Any]) -> str:
    """Cache key of a knowledge look-up: the questions' words and nothing of the customer.

    The state is empty when a graph is only drawn.
    """
    return "\n".join(" ".join(topic["slots"]["text"].lower().split()) for topic in state.get("topics", []))
