"""The node cache is counted, and its key holds the question and nothing of the customer."""

import sqlite3
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agent.customer_service.graph import graph
from agent.observability.cache import CountingCache, KeptCache, node_cache, question_key
from tests.support.threads import events

KEY = (("knowledge",), "returns")


def question(*texts: str, **more: Any) -> dict[str, Any]:
    return {"topics": [{"slots": {"text": text}} | more for text in texts]}


async def test_a_hit_is_counted_and_a_miss_is_not() -> None:
    cache, before = CountingCache("test"), events("cache.hit")

    assert await cache.aget([KEY]) == {}
    assert events("cache.hit") == before

    await cache.aset({KEY: ("article", 60)})
    assert await cache.aget([KEY, (("knowledge",), "shipping")]) == {KEY: "article"}
    assert events("cache.hit") == before + 1


def test_one_question_has_one_key_however_it_is_typed() -> None:
    assert question_key(question("How do  RETURNS\nwork? ")) == question_key(question("how do returns work?"))


def test_who_asks_is_not_in_the_key() -> None:
    asked = question("how do returns work?", order_id="W-1001", reason="scratched") | {"customer_id": "ada_park"}

    assert question_key(asked) == question_key(question("how do returns work?"))


TEXTS = st.lists(st.text(max_size=30), min_size=1, max_size=4)


@given(TEXTS, TEXTS)
def test_different_questions_have_different_keys(first: list[str], second: list[str]) -> None:
    def words(texts: list[str]) -> list[list[str]]:
        return [text.lower().split() for text in texts]

    same = words(first) == words(second)
    assert (question_key(question(*first)) == question_key(question(*second))) == same


def test_a_graph_that_is_only_drawn_asks_nothing() -> None:
    assert question_key({}) == ""


def entries(cache: CountingCache) -> list[str]:
    return [key for namespace in cache._cache.values() for key in namespace]


async def test_of_twenty_thousand_questions_the_latest_are_kept() -> None:
    cache = CountingCache("test", most=100)
    for number in range(20_000):
        await cache.aset({(("knowledge",), f"question {number}"): ("article", 3600)})

    assert entries(cache) == [f"question {number}" for number in range(19_900, 20_000)]


async def test_many_at_once_are_bounded_too_and_each_node_for_itself() -> None:
    cache = CountingCache("test", most=3)
    await cache.aset({((node,), str(n)): ("article", None) for node in ("one", "other") for n in range(10)})

    assert entries(cache) == ["7", "8", "9", "7", "8", "9"]


async def test_one_that_is_kept_again_is_the_latest() -> None:
    cache = CountingCache("test", most=2)
    for key in ("first", "second", "first", "third"):
        await cache.aset({(("knowledge",), key): (key, None)})

    assert entries(cache) == ["first", "third"]


async def test_what_is_past_its_time_goes_when_another_comes() -> None:
    cache = CountingCache("test")
    await cache.aset({(("knowledge",), "old"): ("article", 0), (("knowledge",), "older"): ("article", -5)})
    await cache.aset({(("knowledge",), "new"): ("article", 60)})

    assert entries(cache) == ["new"]


def test_the_desk_caches_in_it() -> None:
    assert isinstance(graph.cache, CountingCache)


def kept(file: Path) -> list[str]:
    with sqlite3.connect(file) as connection:
        return [key for [key] in connection.execute("SELECT key FROM cache ORDER BY rowid")]


async def test_a_cache_on_disk_outlives_its_process_and_keeps_the_latest(tmp_path: Path) -> None:
    file, before = tmp_path / "made" / "nodes.db", events("cache.hit")
    cache = node_cache("test", file)
    assert isinstance(cache, KeptCache)
    await cache.aset({KEY: ("article", 60)})
    assert await node_cache("test", file).aget([KEY]) == {KEY: "article"}
    assert events("cache.hit") == before + 1

    small = KeptCache("test", file, most=3)
    for number in range(10):
        await small.aset({(("knowledge",), str(number)): ("article", 60)})
    await small.aset({(("other",), "1"): ("article", None)})
    assert kept(file) == ["7", "8", "9", "1"], "each node for itself"


async def test_what_is_past_its_time_goes_from_the_disk_with_the_next_that_comes(tmp_path: Path) -> None:
    cache = KeptCache("test", tmp_path / "nodes.db")
    await cache.aset({KEY: ("article", -1)})
    await cache.aset({(("knowledge",), "later"): ("article", 60)})
    assert kept(tmp_path / "nodes.db") == ["later"]


async def test_a_file_that_is_no_cache_costs_a_look_up_and_no_more(tmp_path: Path) -> None:
    before = events("cache.failed")
    (tmp_path / "nodes.db").write_bytes(b"no database at all " * 100)
    assert isinstance(node_cache("test", tmp_path / "nodes.db"), CountingCache)
    assert events("cache.failed") == before + 1

    cache = KeptCache("test", tmp_path / "other.db")
    cache._conn.execute("DROP TABLE cache")
    await cache.aset({KEY: ("article", 60)})
    assert await cache.aget([KEY]) == {}
    assert events("cache.failed") == before + 3
