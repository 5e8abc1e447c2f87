"""What the shop tells everybody: its articles, and finding the ones that answer a question.

Only text lives here; nothing about a customer or an order. The articles lie in `articles/`, one file each.
"""

import asyncio
import re
import sqlite3
from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from typing import Self

TERMS_LIMIT = 24
"""Words of a question that are looked for; the rest of a longer one is left out."""

TERMS_KEPT = 4_000
"""Words whose rows are remembered; a new one takes the place of the oldest."""

_FILE = re.compile(
    r"---\ntitle: (?P<title>.+)\nquestions:\n(?P<questions>(?:- .+\n)+)---\n(?P<text>(?s:.+))",
)
_WORD = re.compile(r"[^\W\d_]{2,}")
_APOSTROPHE = re.compile(r"['’]")
_STOP_WORDS = frozenset(
    word
    for line in (
        "about actually after again all already also always am an and any anything are as at be because been before",
        "being best bit but by can cannot cant could couldnt did didnt do does doesnt doing done dont either else",
        "even ever few for from get gets getting give given go goes going got had has hasnt have havent having hello",
        "help hey hi id if ill im in into is isnt it its ive just know let lets like longer look looking may maybe me",
        "might more most must my need needed needs no not nothing now of oh ok on once one ones only or other our out",
        "over part please possible possibly quite rather really right said say says see seems shall should since so",
        "some someone something sort still such sure tell than thank thanks that thats the their them then there",
        "theres these they thing things think this those time times to too until up us using very want wanted wants",
        "was wasnt way we well went were weve whats which will with wont would wouldnt yes yet you your youre yours",
    )
    for word in line.split()
)
"""Words that tell no question from another."""
_ASKING = frozenset(("how", "long", "many", "much", "what", "when", "where", "who", "why", "take", "work"))
"""Words that say which of several articles is meant, and not that any is."""

_ROWS_OF = "SELECT rowid, -bm25(articles, 2.0, 1.0) FROM articles WHERE articles MATCH ?"
"""The rows that hold a term, and how well it fits there; a word in the title counts twice."""

_Rows = list[tuple[int, float]]


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
    """The articles under a full-text index in memory: a row for each example question, and one for the text."""

    def __init__(self, articles: dict[Article, list[str]]) -> None:
        """Index the articles, each with the questions that it answers."""
        self._lock = Lock()  # one connection, several threads
        self._known: dict[str, _Rows] = {}
        self._index = sqlite3.connect(":memory:", check_same_thread=False)
        self._index.execute("CREATE VIRTUAL TABLE articles USING fts5(title, body, tokenize='porter unicode61')")
        rows = [(article, body) for article, questions in articles.items() for body in [*questions, article.text]]
        self._row_of = [article for article, _ in rows]
        self._index.executemany(
            "INSERT INTO articles (rowid, title, body) VALUES (?, ?, ?)",
            ((number, article.title, _plain(body)) for number, (article, body) in enumerate(rows)),
        )

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read and index every `*.md` of a folder. Blocks on files.

        Raises:
            ValueError: a file does not begin with `---`, `title:`, `questions:` and their list, `---`.
        """
        return cls(dict(read_article(path) for path in sorted(folder.glob("*.md"))))

    def close(self) -> None:
        """Free the index."""
        self._index.close()

    async def search(self, question: str, limit: int = 2) -> list[Article]:
        """The articles that answer a question, best first; none rather than a wrong one.

        An article must hold half of the question's telling words, and one alone must be all of them. Of those that do
        the best is the one of which an example question, or the text, is most like the question.

        Args:
            question: a customer's words, any characters.
            limit: at most so many.
        """
        words = dict.fromkeys(word.lower() for word in _WORD.findall(_plain(question)))
        terms = [word for word in words if word not in _STOP_WORDS][:TERMS_LIMIT]
        rows = {term: known for term in terms if (known := self._known.get(term)) is not None}
        if unknown := [term for term in terms if term not in rows]:
            rows |= await asyncio.to_thread(self._look_up, unknown)
        return self._best({term: rows[term] for term in terms})[:limit]

    def _look_up(self, terms: list[str]) -> dict[str, _Rows]:
        """The rows of each term, which is of letters only, and quoted: a question cannot speak FTS5's language."""
        with self._lock:
            found: dict[str, _Rows] = {term: self._index.execute(_ROWS_OF, (f'"{term}"',)).fetchall() for term in terms}
            self._known |= found
            for oldest in list(self._known)[:-TERMS_KEPT]:
                del self._known[oldest]
        return found

    def _best(self, rows: dict[str, _Rows]) -> list[Article]:
        """The articles that hold enough of the terms; the scores of a question's terms sum up, as in one query."""
        held: defaultdict[Article, set[str]] = defaultdict(set)
        scores: defaultdict[int, float] = defaultdict(float)
        for term, found in rows.items():
            for row, score in found:
                scores[row] += score
                if term not in _ASKING:
                    held[self._row_of[row]].add(term)
        telling = len(rows.keys() - _ASKING)
        enough = max((telling + 1) // 2, min(2, telling), 1)
        ranked = dict.fromkeys(self._row_of[row] for row in sorted(scores, key=lambda row: (-scores[row], row)))
        return [article for article in ranked if len(held[article]) >= enough]


def _plain(text: str) -> str:
    """A text in which "don't" is one word."""
    return _APOSTROPHE.sub("", text)


def read_article(path: Path) -> tuple[Article, list[str]]:
    found = _FILE.fullmatch(path.read_text(encoding="utf-8"))
    if found is None:
        raise ValueError(f"{path.name}: an article begins with ---, title:, questions: and their list, ---")
    questions = [line.removeprefix("- ") for line in found["questions"].splitlines()]
    paragraphs = (" ".join(paragraph.split()) for paragraph in found["text"].strip().split("\n\n"))
    return Article(path.stem, found["title"], "\n\n".join(paragraphs)), questions
