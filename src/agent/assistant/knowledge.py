"""What the shop tells everybody: its articles, and finding the ones that answer a question.

Only text lives here; nothing about a customer or an order. The articles lie in `articles/`, one file each.
"""

import asyncio
import re
import sqlite3
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from typing import Self

TERMS_LIMIT = 24
"""Words of a question that are looked for; the rest of a longer one is left out."""

_FILE = re.compile(
    r"---\ntitle: (?P<title>.+)\nquestions:\n(?P<questions>(?:- .+\n)+)---\n(?P<text>(?s:.+))",
)
_WORD = re.compile(r"[^\W\d_]{2,}")
_STOP_WORDS = frozenset(
    word
    for line in (
        "about after again all also am an and any are as at be been but by can could did do does done for from get",
        "got had has have hello help hi how if in is it its just know like long may me much my need no not of on one",
        "or our out please should so some tell than thank thanks that the their them then there these they thing this",
        "those to too until us use want was we were what when where which while who why will with work would you your",
        "don doesn didn isn won can ve ll re",
    )
    for word in line.split()
)


@dataclass(frozen=True)
class Article:
    """One article. `slug` is its file's name without the ending; paragraphs of `text` have a blank line between."""

    slug: str
    title: str
    text: str

    def as_dict(self) -> dict[str, str]:
        """The article in the form that state and caches keep."""
        return asdict(self)


class Knowledge:
    """The articles under a full-text index in memory."""

    def __init__(self, articles: dict[Article, list[str]]) -> None:
        """Index the articles, each with the questions that it answers."""
        self._articles = list(articles)
        self._lock = Lock()  # one connection, several threads
        self._index = sqlite3.connect(":memory:", check_same_thread=False)
        self._index.execute("CREATE VIRTUAL TABLE articles USING fts5(title, body, tokenize='porter unicode61')")
        self._index.executemany(
            "INSERT INTO articles (rowid, title, body) VALUES (?, ?, ?)",
            (
                (number, article.title, "\n".join([*questions, article.text]))
                for number, (article, questions) in enumerate(articles.items())
            ),
        )

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read and index every `*.md` of a folder. Blocks on files.

        Raises:
            ValueError: a file does not begin with `---`, `title:`, `questions:` and their list, `---`.
        """
        return cls(dict(_read(path) for path in sorted(folder.glob("*.md"))))

    def close(self) -> None:
        """Free the index."""
        self._index.close()

    async def search(self, question: str, limit: int = 2) -> list[Article]:
        """The articles that answer a question, best first; none rather than a wrong one.

        An article must hold more than half of the question's telling words; words in its title count twice.

        Args:
            question: a customer's words, any characters.
            limit: at most so many.
        """
        return await asyncio.to_thread(self._search, question, limit)

    def _search(self, question: str, limit: int) -> list[Article]:
        # Only letters are left of each term, and it is quoted: a question cannot speak FTS5's query language.
        words = dict.fromkeys(word.lower() for word in _WORD.findall(question))
        terms = [f'"{word}"' for word in words if word not in _STOP_WORDS][:TERMS_LIMIT]
        if not terms:
            return []
        with self._lock:
            said = Counter(row for term in terms for row in self._rows(term))
            ranked = self._rows(" OR ".join(terms))
        return [self._articles[row] for row in ranked if said[row] * 2 > len(terms)][:limit]

    def _rows(self, query: str) -> list[int]:
        best_first = "SELECT rowid FROM articles WHERE articles MATCH ? ORDER BY bm25(articles, 2.0, 1.0)"
        return [row for (row,) in self._index.execute(best_first, (query,))]


def _read(path: Path) -> tuple[Article, list[str]]:
    found = _FILE.fullmatch(path.read_text(encoding="utf-8"))
    if found is None:
        raise ValueError(f"{path.name}: an article begins with ---, title:, questions: and their list, ---")
    questions = [line.removeprefix("- ") for line in found["questions"].splitlines()]
    paragraphs = (" ".join(paragraph.split()) for paragraph in found["text"].strip().split("\n\n"))
    return Article(path.stem, found["title"], "\n\n".join(paragraphs)), questions
