"""The node cache is counted, and its key holds the question and nothing of the customer."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agent.observability.cache import CountingCache, question_key
from tests.unit_tests.threads import events

KEY = (("knowledge",), "returns")


def question(*texts: str, **more: Any) -> dict[str, Any]:
    return {"topics": [{"text": text} | more for text in texts]}


async def test_a_hit_is_counted_and_a_miss_is_not() -> None:
    cache, before = CountingCache(), events("cache.hit")

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
