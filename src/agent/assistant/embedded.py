"""The embedded responder: understands a message by rules and a small classifier, without a model or the network.

It answers when there is no model or the model fails, and it has the last word on a yes (CONFIRM-FIRST). The phrases
are in `intent_rules`, ids and amounts in `entities`, the classifier in `classifier`; nothing is looked up or decided
here. Rules say what is certain, and how many wishes there are; which one it is, rules and classifier say together.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final, cast

from agent.assistant import dialogue_phrases, intent_rules
from agent.assistant.answers import ANSWERS, says_more, yes_or_no
from agent.assistant.classifier import classifier
from agent.assistant.entities import (
    REASON_LIMIT,
    amount,
    bare_words,
    cancel_reason,
    numbers_as_amounts,
    order_ids,
    plain,
    stated_reason,
    without_emails,
)
from agent.assistant.intent_rules import RULES, Rule
from agent.assistant.models import RequestType, Topic, Understanding
from agent.assistant.weighing import LITTLE, TALK, weigh

TOPICS_LIMIT = 5
"""Topics of one message that are taken up: the first ones. The reply lists them, so nobody is misled."""

_CLAUSE_END = re.compile(r"[.!?;:](?=\s|$)|,(?=\s)|\n|\s(?:and|but|plus|so|then|also|&)(?=\s)", re.IGNORECASE)
_WORD = re.compile(r"\w[\w']*")
_LETTERS: Final = re.compile(r"[A-Za-z]{2}")
_NAMES: Final = re.compile(r"[\d@]")
"""What an order, an amount, an address of any kind has."""
_BARE_CANCEL = re.compile(r"\W*(?:please )?cancel(?: (?:it|that|this))?(?: please)?\W*", re.IGNORECASE)
_ORDER_WORDS = frozenset(("my", "the", "order", "orders", "number", "also", "for", "please", "both", "too", "it's"))
_ABOUT_AN_ORDER: frozenset[RequestType] = frozenset(
    ("order_status", "order_cancel", "order_change", "order_return", "billing_issue", "technical_issue")
)


@dataclass(frozen=True)
class Reading:
    """A message as it was understood; when it was not, what it may be: names of capabilities, the likeliest first."""

    understood: Understanding
    choices: tuple[str, ...] = ()


def understand(text: str, *, pending: bool) -> Understanding:
    """Read one message.

    Args:
        text: the customer's words, any characters.
        pending: the desk's last message listed a plan and asked for a yes; only then is there a yes or no.

    Returns:
        What the message does, and for a request its topics in the order in which they were said.
    """
    return read(text, pending=pending).understood


def read(text: str, *, pending: bool) -> Reading:
    """As `understand`, with what may be meant by a message that is unclear."""
    words = " ".join(plain(text).split())
    if pending and _BARE_CANCEL.fullmatch(words):
        return Reading(Understanding(act="unclear"))  # the plan, or an order?
    if pending and (answer := yes_or_no(words)):
        return Reading(answer)
    if not says_more(words, *ANSWERS):
        polite = dialogue_phrases.SMALL_TALK.search(words)
        return Reading(Understanding(act="small_talk" if polite else "unclear"))
    if dialogue_phrases.PERSON.search(words) and not says_more(words, dialogue_phrases.PERSON, *ANSWERS):
        return Reading(_done([], "person", text))
    talk = _talk(words)
    drafts = list(_drafts(text, talk))
    topics = _topics(text, drafts)
    by_rule = any(draft.rule for draft in drafts)
    only_named = not by_rule and all(draft.bare for draft in drafts)
    types = {topic.request_type for topic in topics}
    if topics and (only_named or len(types) > 1 or (len(topics) > 1 and types == {"question"})):
        return Reading(Understanding(act="request", topics=topics))
    chats = "small_talk" in talk and not says_more(words, dialogue_phrases.SMALL_TALK, dialogue_phrases.FILLER)
    if chats and not topics:
        return Reading(Understanding(act="small_talk"))
    if not topics and "other_shop" in talk:
        return Reading(Understanding(act="out_of_scope"))
    if not topics and not _LETTERS.search(without_emails(words)):
        return Reading(Understanding(act="unclear"))
    certain = pending or bool(_NAMES.search(words))
    ruled = topics if by_rule else []
    guesses = classifier().guesses(_wish(words), _names(drafts, talk))
    verdict = weigh(guesses, ruled[0] if ruled else None, certain=certain)
    if verdict.topic and not (topics and verdict.topic in TALK):
        return Reading(_done(ruled, verdict.topic, text))
    if topics and not by_rule and not (verdict.choices and guesses[0].likelihood >= LITTLE):  # it is only named: shown
        return Reading(Understanding(act="request", topics=topics))
    return Reading(Understanding(act="unclear"), verdict.choices)


def _wish(words: str) -> str:
    """The words without what the customer says not to want."""
    negated = "negated" in intent_rules.BY_WORDS.candidates(words)
    return intent_rules.NEGATED.sub(" ", words) if negated else words


def rule_names(text: str) -> list[str]:
    """Names of all rules that match a text: the classifier weighs them with the words."""
    talk = _talk(" ".join(plain(text).split()))
    return _names(list(_drafts(text, talk)), talk)


def _names(drafts: Sequence["_Draft"], talk: Sequence[str]) -> list[str]:
    return sorted({draft.rule.name for draft in drafts if draft.rule}.union(talk) or {"none"})


def _talk(words: str) -> list[str]:
    """Which of what is no wish of this shop is said."""
    may_match = dialogue_phrases.BY_WORDS.candidates(words)
    return [name for name in may_match if dialogue_phrases.NO_WISH[name].search(words)]


def _done(topics: list[Topic], topic: str, text: str) -> Understanding:
    """What the topic says that it is, of the topics by a rule or of the whole message."""
    if topic in TALK:
        return Understanding(act=topic)
    if topics and topics[0].request_type == topic:
        return Understanding(act="request", topics=topics)
    of_that = [each.model_copy(update={"request_type": topic}) for each in topics]
    return Understanding(act="request", topics=of_that or [_whole(text, topic)])


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
    return bool(plainly) or another or (not says_yes_or_no and yes_or_no(words) is not None)


def whole_clauses(text: str, excerpt: str) -> str:
    """An excerpt of a text with the rest of the clauses that it begins and ends in: a "not" may be there."""
    start = text.index(excerpt)
    end = start + len(excerpt)
    touched = [(first, last) for first, last in _clauses(plain(text)) if first < end and last > start]
    firsts, lasts = zip(*touched, (start, end), strict=True)
    return text[min(firsts) : max(lasts)].strip()


def _wishes(text: str, only: frozenset[str] | None = None) -> set[RequestType]:
    """The topics that a text has rules for, perhaps only by those rules."""
    rules = (draft.rule for draft in _drafts(text, _talk(" ".join(plain(text).split()))) if draft.rule)
    return {rule.request_type for rule in rules if only is None or rule.name in only}


@dataclass
class _Draft:
    """A topic in the making: where it stands, the rule that named it, the complaint it answers."""

    start: int
    end: int
    rule: Rule | None
    order_id: str | None
    bare: bool = False  # says an order's id and nothing else
    complaint: str | None = None


def _whole(text: str, request_type: str) -> Topic:
    """A topic that is all of the message."""
    ids = order_ids(text)
    draft = _Draft(0, len(text), None, ids[0] if len(ids) == 1 else None)
    return _topic_of(draft, text, cast(RequestType, request_type), None)


def _topics(text: str, found: Sequence["_Draft"]) -> list[Topic]:
    drafts: list[_Draft] = []
    for each in found:
        draft = replace(each)
        if not (drafts and _take_in(drafts[-1], draft, text)):
            drafts.append(draft)
    ids = order_ids(text)
    only_id = ids[0] if len(ids) == 1 else None
    topics = (topic for draft in drafts if (topic := _topic(draft, text, only_id)))
    return list(islice(topics, TOPICS_LIMIT))


def _drafts(text: str, talk: Sequence[str]) -> Iterator[_Draft]:
    """One draft for each clause that says something, and for each order that it names; `talk` is the whole text's."""
    for start, end in _clauses(plain(text)):
        clause = text[start:end]
        ids = order_ids(clause)
        words = bare_words(clause)
        if not ids and not says_more(words, dialogue_phrases.SMALL_TALK, dialogue_phrases.FILLER):
            continue
        rule = _rule(words, names_order=bool(ids), talks=bool(talk))
        bare = bool(ids) and all(word.lower() in _ORDER_WORDS for word in _WORD.findall(words))
        yield from (_Draft(start, end, rule, order_id, bare) for order_id in ids or (None,))


def _clauses(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for found in _CLAUSE_END.finditer(text):
        yield start, found.start()
        start = found.end()
    yield start, len(text)


def _rule(words: str, *, names_order: bool, talks: bool) -> Rule | None:
    """The rule for one clause. A general question names no order, and is about the shop."""
    may_match = intent_rules.BY_WORDS.candidates(words)
    wish = intent_rules.NEGATED.sub(" ", words) if "negated" in may_match else words
    talk = _talk(wish) if talks else []
    if "other_shop" in talk:
        return None
    no_question = names_order or "out_of_scope" in talk
    candidates = (rule for rule in RULES if rule.name in may_match)
    candidates = (rule for rule in candidates if not (no_question and rule.request_type == "question"))
    return next((rule for rule in candidates if rule.pattern.search(wish)), None)


def _take_in(earlier: _Draft, later: _Draft, text: str) -> bool:
    """Join two drafts that are one topic, and say whether they were. A bare id shares its neighbour's wish."""
    if earlier.rule and earlier.rule.request_type == "question" and _asks(earlier, text) and _asks(later, text):
        later.rule = later.rule or earlier.rule  # each question has an answer of its own
        return False
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


def _asks(draft: _Draft, text: str) -> bool:
    return text[draft.end : draft.end + 1] == "?" and draft.order_id is None


def _topic(draft: _Draft, text: str, only_id: str | None) -> Topic | None:
    """The finished topic; None when nothing was recognised. An order named without a wish is shown."""
    if draft.rule is None and draft.order_id is None:
        return None
    return _topic_of(draft, text, draft.rule.request_type if draft.rule else "order_status", only_id)


def _topic_of(draft: _Draft, text: str, request_type: RequestType, only_id: str | None) -> Topic:
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
