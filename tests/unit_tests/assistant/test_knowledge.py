"""The articles, and finding the right one or none."""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.assistant.knowledge import Knowledge

NO_LETTER = re.compile(r"[^a-zA-Z]+")
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
        ("How long does delivery take?", "delivery-time"),
        ("what are the shipping costs", "delivery-cost"),
        ("What is your return policy?", "return-item"),
        ("when do I get my money back?", "refund-time"),
        ("do you take PayPal", "payment-methods"),
        ("when will you charge my card?", "when-charged"),
        ("My lamp does not turn on!", "lamp-trouble"),
        ("how to clean my rugs", "care-textiles"),
        ("I forgot my password", "forgot-password"),
        ("how can I change my phone number", "change-email"),
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
    assert await knowledge.search(question) == await knowledge.search(NO_LETTER.sub(" ", question))


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


async def test_what_is_remembered_of_words_is_bounded_and_changes_no_answer(
    knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = "how long does shipping take"
    before = await knowledge.search(question)
    monkeypatch.setattr("agent.assistant.knowledge.TERMS_KEPT", 10)
    for number in range(50):
        await knowledge.search(f"w{chr(97 + number % 26)}{chr(97 + number // 26)} shipping")
    assert len(knowledge._known) <= 10
    assert await knowledge.search(question) == before


async def test_one_word_of_two_is_not_enough(tmp_path: Path) -> None:
    write(tmp_path, "one.md", "Vouchers", "How does a voucher work?", "Nothing more.")
    knowledge = Knowledge.load(tmp_path)
    assert await knowledge.search("a voucher") == await knowledge.search("how does a voucher work")
    assert await knowledge.search("a voucher for zeppelins") == []
    assert await knowledge.search("how does it work") == []
    knowledge.close()


def test_an_article_that_is_not_well_formed_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "draft.md").write_text("# Just a heading\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"draft\.md"):
        Knowledge.load(tmp_path)


async def test_an_article_survives_json(knowledge: Knowledge) -> None:
    (article, *_) = await knowledge.search("shipping costs")
    assert json.loads(json.dumps(article.as_dict())) == article.as_dict()
