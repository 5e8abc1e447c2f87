"""The embedded responder: understands a message with rules alone, without a model or the network.

It answers when there is no model or the model fails, and it has the last word on a yes (CONFIRM-FIRST). The
phrases are in `intent_rules`, ids and amounts in `entities`; nothing is looked up or decided here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from agent.assistant import dialogue_phrases, intent_rules
from agent.assistant.entities import (
    REASON_LIMIT,
    amount,
    bare_words,
    cancel_reason,
    numbers_as_amounts,
    order_ids,
    plain,
    stated_reason,
)
from agent.assistant.intent_rules import RULES, Rule
from agent.assistant.models import RequestType, Topic, Understanding

TOPICS_LIMIT = 5
"""Topics of one message that are taken up: the first ones. The reply lists them, so nobody is misled."""

_CLAUSE_END = re.compile(r"[.!?;:](?=\s|$)|,(?=\s)|\n|\s(?:and|but|plus|so|then|also|&)(?=\s)", re.IGNORECASE)
_WORD = re.compile(r"\w[\w']*")
_BARE_CANCEL = re.compile(r"\W*(?:please )?cancel(?: (?:it|that|this))?(?: please)?\W*", re.IGNORECASE)
_ORDER_WORDS = frozenset(("my", "the", "order", "orders", "number", "also", "for", "please", "both", "too", "it's"))
_ABOUT_AN_ORDER: frozenset[RequestType] = frozenset(
    ("order_status", "order_cancel", "order_change", "order_return", "billing_issue", "technical_issue")
)


def understand(text: str, *, pending: bool) -> Understanding:
    """Read one message.

    Args:
        text: the customer's words, any characters.
        pending: the desk's last message listed a plan and asked for a yes; only then is there a yes or no.

    Returns:
        What the message does, and for a request its topics in the order in which they were said.
    """
    words = " ".join(plain(text).split())
    if pending and _BARE_CANCEL.fullmatch(words):
        return Understanding(act="unclear")  # the plan, or an order?
    if pending and (answer := _yes_or_no(words)):
        return answer
    if topics := _topics(text):
        return Understanding(act="request", topics=topics)
    if dialogue_phrases.OUT_OF_SCOPE.search(words):
        return Understanding(act="out_of_scope")
    if dialogue_phrases.SMALL_TALK.search(words) and not _says_more(
        words, dialogue_phrases.SMALL_TALK, dialogue_phrases.FILLER
    ):
        return Understanding(act="small_talk")
    return Understanding(act="unclear")


def answer_to(asked: Topic, text: str) -> Topic | None:
    """The unfinished topic, completed by the customer's answer to the desk's question about it.

    Args:
        asked: the topic, in which an order, an amount or a reason is missing.
        text: the customer's words.

    Returns:
        The topic with what the answer adds; None when it adds nothing or has a wish of its own.
    """
    if _wishes(text) - {asked.request_type}:
        return None
    ids, numbers = order_ids(text), numbers_as_amounts(text)
    cancels = asked.request_type == "order_cancel"
    added = {
        "order_id": ids[0] if len(ids) == 1 else None,
        "amount": numbers.pop() if len(numbers) == 1 and not cancels else None,
        "reason": cancel_reason(text) if cancels else stated_reason(text),
    }
    news = {field: value for field, value in added.items() if value is not None}
    return asked.model_copy(update=news) if news else None


def other_wish(text: str, asked: Topic, *, says_yes_or_no: bool) -> bool:
    """Whether a customer who was asked for words of their own has something else to say: a wish, an order, a yes or no.

    What they describe may sound like much; only what can't be meant as an answer is another wish.
    """
    words = " ".join(plain(text).split())
    plainly = _wishes(text, only=intent_rules.PLAINLY) - {asked.request_type}
    another = bool(set(order_ids(text)) - {asked.order_id}) and asked.order_id is not None
    return bool(plainly) or another or (not says_yes_or_no and _yes_or_no(words) is not None)


def whole_clauses(text: str, excerpt: str) -> str:
    """An excerpt of a text with the rest of the clauses that it begins and ends in: a "not" may be there."""
    start = text.index(excerpt)
    end = start + len(excerpt)
    touched = [(first, last) for first, last in _clauses(plain(text)) if first < end and last > start]
    firsts, lasts = zip(*touched, (start, end), strict=True)
    return text[min(firsts) : max(lasts)].strip()


def _wishes(text: str, only: frozenset[str] | None = None) -> set[RequestType]:
    """The topics that a text has rules for, perhaps only by those rules."""
    rules = (draft.rule for draft in _drafts(text) if draft.rule)
    return {rule.request_type for rule in rules if only is None or rule.name in only}


def _yes_or_no(words: str) -> Understanding | None:
    """A plain yes or no, which says nothing else and asks nothing; else None."""
    rest, refusals = dialogue_phrases.NO.subn(" ", words)
    agreements = len(dialogue_phrases.YES.findall(rest))
    if (
        "?" in words
        or bool(refusals) == bool(agreements)
        or _says_more(rest, dialogue_phrases.YES, dialogue_phrases.FILLER)
    ):
        return None
    return Understanding(act="no" if refusals else "yes")


def _says_more(words: str, *known: re.Pattern[str]) -> bool:
    for pattern in known:
        words = pattern.sub(" ", words)
    return bool(_WORD.search(words))


@dataclass
class _Draft:
    """A topic in the making: where it stands, the rule that named it, the complaint it answers."""

    start: int
    end: int
    rule: Rule | None
    order_id: str | None
    bare: bool = False  # says an order's id and nothing else
    complaint: str | None = None


def _topics(text: str) -> list[Topic]:
    drafts: list[_Draft] = []
    for draft in _drafts(text):
        if not (drafts and _take_in(drafts[-1], draft, text)):
            drafts.append(draft)
    ids = order_ids(text)
    only_id = ids[0] if len(ids) == 1 else None
    topics = (topic for draft in drafts if (topic := _topic(draft, text, only_id)))
    return list(islice(topics, TOPICS_LIMIT))


def _drafts(text: str) -> Iterator[_Draft]:
    """One draft for each clause that says something, and for each order that it names."""
    for start, end in _clauses(plain(text)):
        clause = text[start:end]
        ids = order_ids(clause)
        words = bare_words(clause)
        if not ids and not _says_more(words, dialogue_phrases.SMALL_TALK, dialogue_phrases.FILLER):
            continue
        rule = _rule(words, names_order=bool(ids))
        bare = bool(ids) and all(word.lower() in _ORDER_WORDS for word in _WORD.findall(words))
        yield from (_Draft(start, end, rule, order_id, bare) for order_id in ids or (None,))


def _clauses(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for found in _CLAUSE_END.finditer(text):
        yield start, found.start()
        start = found.end()
    yield start, len(text)


def _rule(words: str, *, names_order: bool) -> Rule | None:
    """The rule for one clause. A general question names no order, and is about the shop."""
    wish = intent_rules.NEGATED.sub(" ", words)
    if dialogue_phrases.OTHER_SHOP.search(wish):
        return None
    no_question = names_order or dialogue_phrases.OUT_OF_SCOPE.search(wish)
    candidates = (rule for rule in RULES if not (no_question and rule.request_type == "question"))
    return next((rule for rule in candidates if rule.pattern.search(wish)), None)


def _take_in(earlier: _Draft, later: _Draft, text: str) -> bool:
    """Join two drafts that are one topic, and say whether they were. A bare id shares its neighbour's wish."""
    first, second = earlier.rule, later.rule
    if earlier.order_id and later.order_id and earlier.order_id != later.order_id:
        if later.bare:
            later.rule = second or first
        if earlier.bare:
            earlier.rule = first or second
        return False
    if first is None or second is None:
        earlier.rule = first or second
    elif second.name in first.takes_in:
        earlier.complaint = text[later.start : later.end]
    elif first.name in second.takes_in:
        earlier.rule, earlier.complaint = second, text[earlier.start : earlier.end]
    elif first is not second:
        return False
    earlier.end = later.end
    earlier.order_id = earlier.order_id or later.order_id
    return True


def _topic(draft: _Draft, text: str, only_id: str | None) -> Topic | None:
    """The finished topic; None when nothing was recognised. An order named without a wish is shown."""
    if draft.rule is None and draft.order_id is None:
        return None
    request_type = draft.rule.request_type if draft.rule else "order_status"
    said = text[draft.start : draft.end].strip()
    if request_type == "order_cancel":
        reason = cancel_reason(said) or cancel_reason(text)
    else:
        reason = stated_reason(said) or (draft.complaint or "").strip()[:REASON_LIMIT] or None
    return Topic(
        request_type=request_type,
        text=said,
        order_id=draft.order_id or (only_id if request_type in _ABOUT_AN_ORDER else None),
        amount=amount(said),
        reason=reason,
    )
