"""The articles, and finding the right one or none."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.assistant.knowledge import Knowledge

ARTICLES = Path(__file__).resolve().parents[3] / "shops" / "home" / "articles"


@pytest.fixture(scope="module")
def knowledge() -> Iterator[Knowledge]:
    loaded = Knowledge.load(ARTICLES)
    yield loaded
    loaded.close()


def write(folder: Path, name: str, title: str, question: str, text: str) -> None:
    (folder / name).write_text(f"---\ntitle: {title}\nquestions:\n- {question}\n---\n{text}\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("question", "slug"),
    [
        ("How long does delivery take?", "shipping"),
        ("what are the shipping costs", "shipping"),
        ("What is your return and refund policy?", "returns-and-refunds"),
        ("how do refunds work", "returns-and-refunds"),
        ("when do I get my money back?", "returns-and-refunds"),
        ("do you take PayPal", "payment"),
        ("when will you charge my card?", "payment"),
        ("My lamp does not turn on!", "care-and-troubleshooting"),
        ("how to clean my rugs", "care-and-troubleshooting"),
        ("I forgot my password", "account-and-security"),
        ("how can I change my phone number", "account-and-security"),
    ],
)
async def test_a_question_finds_its_article(knowledge: Knowledge, question: str, slug: str) -> None:
    assert (await knowledge.search(question))[0].slug == slug


@pytest.mark.parametrize(
    "question",
    [
        "what is the capital of France",
        "who won the match yesterday",
        "how do I cook pasta",
        "what colour is the sky",
        "tell me a joke about payment",
        "what is the best phone to buy",
        "",
        "?!",
        "and the of",
        "料金はいくらですか",
    ],
)
async def test_a_question_that_no_article_answers_finds_none(knowledge: Knowledge, question: str) -> None:
    assert await knowledge.search(question) == []


@pytest.mark.parametrize(
    "question",
    [
        '"',
        'shipping"',
        "title:shipping",
        "shipping NOT delivery",
        "shipping AND AND",
        "NEAR(shipping delivery, 1)",
        "shipping*",
        "^shipping",
        "{title body}: shipping",
        "shipping' OR 1=1 --",
        "(((",
        "a\x00b shipping",
    ],
)
async def test_query_language_in_a_question_is_only_words(knowledge: Knowledge, question: str) -> None:
    assert {article.slug for article in await knowledge.search(question)} <= {"shipping"}


@given(st.text() | st.text(alphabet='abcshipn"*^(){}:+-. '))
def test_any_question_is_answered_or_not_but_never_fails(knowledge: Knowledge, question: str) -> None:
    found = asyncio.run(knowledge.search(question))
    assert len(found) <= 2


async def test_a_word_in_the_title_counts_more_than_one_in_the_text(tmp_path: Path) -> None:
    write(tmp_path, "a-text.md", "Sofas", "Something else entirely?", "A rug lies before it.")
    write(tmp_path, "b-title.md", "A rug", "Something else entirely?", "It lies before sofas.")
    knowledge = Knowledge.load(tmp_path)
    assert [article.slug for article in await knowledge.search("rug")] == ["b-title", "a-text"]
    assert [article.slug for article in await knowledge.search("rug", limit=1)] == ["b-title"]
    knowledge.close()


async def test_an_example_question_finds_its_article_but_is_not_in_its_text(tmp_path: Path) -> None:
    write(tmp_path, "one.md", "Vouchers", "What is a gizmo?", "Nothing more.")
    knowledge = Knowledge.load(tmp_path)
    assert [article.as_dict() for article in await knowledge.search("gizmo")] == [
        {"slug": "one", "title": "Vouchers", "text": "Nothing more."}
    ]
    knowledge.close()


async def test_many_searches_at_once_give_the_same_answers(knowledge: Knowledge) -> None:
    questions = ["how long does shipping take", "I forgot my password", "do you take PayPal"] * 10
    together = await asyncio.gather(*map(knowledge.search, questions))
    assert list(together) == [await knowledge.search(question) for question in questions]


def test_an_article_that_is_not_well_formed_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "draft.md").write_text("# Just a heading\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"draft\.md"):
        Knowledge.load(tmp_path)


def test_every_article_of_the_shop_is_short_and_json_friendly() -> None:
    paths = sorted(ARTICLES.glob("*.md"))
    assert paths
    assert all(len(path.read_text(encoding="utf-8")) < 2_000 for path in paths)


async def test_an_article_survives_json(knowledge: Knowledge) -> None:
    (article, *_) = await knowledge.search("shipping costs")
    assert json.loads(json.dumps(article.as_dict())) == article.as_dict()
