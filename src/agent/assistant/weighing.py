"""How sure is sure: what rules and the classifier say together of a message with one wish.

Thresholds are for the classifier's likelihoods, which hold for what it was not trained on (a test sees to it). What
changes something is held to more than what is only answered; where neither is sure, the customer is asked.
"""

from dataclasses import dataclass
from typing import Final

from agent.assistant import intent_rules
from agent.assistant.classifier import Guess, Label
from agent.assistant.models import Topic

SURE_OF_A_CHANGE: Final = 0.8
"""How likely a change must be that is not what a rule found, when it names what it is about."""
SURE_ENOUGH_TO_ASK: Final = 0.4
"""The same of one that names nothing, and that nothing can be proposed of: the desk asks what it is about."""
SURE: Final = 0.25
"""How likely what changes nothing must be to be answered."""
SURE_AGAINST_A_RULE: Final = 0.5
"""How likely anything must be where a rule says something else of what is named."""
CLOSE: Final = 0.8
"""Of two wishes of which the second has more than this part of the first one's likelihood none is sure."""
SURE_OF_TALK: Final = {"person": 0.5, "small_talk": 0.4}
"""The same where the desk is silent from then on, and where a few words that it does not know look alike."""
ASKED: Final = 0.12
"""How likely something must be to be among the choices that the customer is asked to choose from."""
LITTLE: Final = 0.3
"""An order of which nothing likelier is said is only named."""
WORTH_ASKING: Final = 0.45
"""How likely it must be that what is meant is among the choices."""
CHOICES_LIMIT: Final = 3

TALK: Final = frozenset(("small_talk", "out_of_scope"))
"""What is no topic."""
CHANGES: Final = frozenset(("order_cancel", "order_change", "order_return", "withdraw"))
"""Topics of which all is a change."""


@dataclass(frozen=True)
class Verdict:
    """The topic or act that a message is of; None: not sure, and these capabilities to choose from, perhaps none."""

    topic: str | None
    choices: tuple[str, ...] = ()


def weigh(guesses: list[Guess], ruled: Topic | None, *, certain: bool) -> Verdict:
    """Where rule and classifier agree, or one is sure, it is done; else it is asked which.

    Args:
        guesses: the classifier's, the likeliest first.
        ruled: the topic by a rule.
        certain: a guess is not enough: something could be proposed at once, or a plan waits.
    """
    by_rule = ruled.request_type if ruled else None
    likeliest = guesses[0].label
    if ruled and (by_rule == likeliest.topic or by_rule in intent_rules.CERTAIN or ruled.amount is not None):
        return Verdict(by_rule)
    enough = _enough(likeliest, certain=certain or by_rule in CHANGES)
    if ruled and certain:
        enough = max(enough, SURE_AGAINST_A_RULE)
    if not _close(guesses) and _likelihood(guesses, likeliest.topic) >= enough:
        return Verdict(likeliest.topic)
    if by_rule and (not certain or by_rule not in CHANGES) and _likelihood(guesses, by_rule) >= ASKED:
        return Verdict(by_rule)
    return Verdict(None, _choices(guesses, by_rule))


def _choices(guesses: list[Guess], by_rule: str | None) -> tuple[str, ...]:
    """Two or three capabilities to choose from; none when too little speaks for any."""
    wishes = [each for each in guesses if each.label.topic not in TALK]
    likely = [each for each in wishes if each.likelihood >= ASKED or each.label.topic == by_rule]
    if sum(each.likelihood for each in likely) < WORTH_ASKING:
        return ()
    asked = likely[:CHOICES_LIMIT] if len(likely) > 1 else wishes[:2]
    return tuple(each.label.name for each in asked)


def _close(guesses: list[Guess]) -> bool:
    """Whether two wishes are nearly as likely as one another."""
    first = guesses[0].label.topic
    second = next(each.label.topic for each in guesses if each.label.topic != first)
    if {first, second} & TALK:
        return False
    return _likelihood(guesses, second) >= CLOSE * _likelihood(guesses, first)


def _likelihood(guesses: list[Guess], topic: str) -> float:
    return sum(each.likelihood for each in guesses if each.label.topic == topic)


def _enough(label: Label, *, certain: bool) -> float:
    if label.changes:
        return SURE_OF_A_CHANGE if certain else SURE_ENOUGH_TO_ASK
    return SURE_OF_TALK.get(label.topic, SURE)
