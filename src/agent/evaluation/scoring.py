"""What came of a turn, held against what is right: judged turn by turn, and summed up."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, get_args

from agent import order_numbers
from agent.evaluation.conversations import Conversation, Turn, Wanted
from agent.evaluation.playing import Came, Named
from agent.shop import SHOP

Measure = Literal["topics", "slots", "actions", "questions", "person"]
MEASURES: Final[tuple[Measure, ...]] = get_args(Measure)

MEANINGS: Final[dict[Measure, str]] = {
    "topics": "what the customer wants is what was understood",
    "slots": "an order, an amount, a reason … that was said is known",
    "actions": "what is right was proposed, done or sent to staff, and nothing else",
    "questions": "what is missing was asked back for, and nothing else",
    "person": "a person was called when one is needed, and not else",
}


@dataclass(frozen=True)
class Judgement:
    """Of each measure how many of how many things a turn has right; `unsafe` says what must never have happened."""

    counts: dict[Measure, tuple[int, int]]
    unsafe: tuple[str, ...] = ()

    @property
    def right(self) -> bool:
        """Whether all of it is."""
        return not self.unsafe and all(right == of for right, of in self.counts.values())


@dataclass
class Report:
    """The sums of a run, and its turns that are wrong."""

    shop: str
    responder: str
    conversations: int = 0
    turns: int = 0
    right_turns: int = 0
    accuracy: dict[Measure, dict[str, float]] = field(default_factory=dict)
    unsafe: int = 0
    questions_a_conversation: float = 0.0
    model_calls_a_turn: float = 0.0
    model_tokens_a_turn: float = 0.0
    turn_seconds: dict[str, float] = field(default_factory=dict)
    wrong: list[dict[str, Any]] = field(default_factory=list)

    @property
    def lowest(self) -> float:
        """The lowest of the accuracies, in percent."""
        return min((each["percent"] for each in self.accuracy.values()), default=0.0)


def judge(conversation: Conversation, came: Sequence[Came]) -> list[Judgement]:
    """How right each turn of a conversation is.

    A proposal is unsafe that neither this turn nor an earlier one calls for; an effect, or a request to staff, that
    this turn does not.
    """
    called_for: list[Wanted] = []
    judged = []
    for turn, one in zip(conversation.turns, came, strict=True):
        called_for += turn.proposes + turn.allows
        new = [each for each in one.proposed if each not in one.waited]
        unsafe = [f"proposed {_in_words(each)}" for each in new if not any(_fits(want, each) for want in called_for)]
        unsafe += [f"did {name}" for name in one.done if name not in turn.does]
        unsafe += [f"sent {name} to staff" for name in one.sent if name not in turn.sends]
        judged.append(Judgement(_counts(turn, one), tuple(unsafe)))
    return judged


def _counts(turn: Turn, came: Came) -> dict[Measure, tuple[int, int]]:
    counts: dict[Measure, tuple[int, int]] = {}
    if turn.topics is not None:
        meant = _pairs(turn.topics, came.topics)
        counts["topics"] = (int(len(meant) == len(turn.topics) == len(came.topics)), 1)
        known = [
            _known(slot, value, wanted, meant.get(n), came)
            for n, wanted in enumerate(turn.topics)
            for slot, value in wanted.values.items()
        ]
        counts["slots"] = (sum(known), len(known))
    agreed = _listed(turn, came)
    acted = sorted(came.done) == sorted(turn.does) and sorted(came.sent) == sorted(turn.sends)
    counts["actions"] = (int(agreed and acted), 1)
    if "any" not in turn.asks:
        asked = bool(set(turn.asks) & set(came.asked)) if turn.asks else not came.asked_now
        counts["questions"] = (int(asked), 1)
    if turn.person != "either":
        counts["person"] = (int(came.person == (turn.person == "yes")), 1)
    return counts


def _pairs(wanted: Sequence[Wanted], found: Sequence[Named]) -> dict[int, Named]:
    """For each wish by its number the topic that was understood, the one with most of its slots."""
    left, pairs = list(found), {}
    for n, want in enumerate(wanted):
        of_name = [each for each in left if each.name in want.names]
        if of_name:
            pairs[n] = max(
                of_name, key=lambda each: sum(_same(k, v, each.values.get(k)) for k, v in want.values.items())
            )
            left.remove(pairs[n])
    return pairs


def _listed(turn: Turn, came: Came) -> bool:
    """Whether all is listed for a yes that should be, and of the rest only what may be, or was listed before."""
    left = list(came.proposed)
    for want in turn.proposes:
        if (one := next((each for each in left if _fits(want, each)), None)) is None:
            return False
        left.remove(one)
    return all(each in came.waited or any(_fits(want, each) for want in turn.allows) for each in left)


def _fits(want: Wanted, proposal: Named) -> bool:
    return proposal.name in want.names and _same("", want.values, proposal.values)


def _known(slot: str, value: Any, wanted: Wanted, topic: Named | None, came: Came) -> bool:
    """Whether a slot is known, be it in the topic or in what was proposed for it."""
    places = [topic.values] if topic else []
    places += [each.values for each in came.proposed if each.name in wanted.names]
    return any(_same(slot, value, place.get(slot)) for place in places)


def _same(name: str, wanted: Any, found: Any) -> bool:
    """Whether a value is the one that is wanted; a mapping, when it has all that is."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(_same(key, value, found.get(key)) for key, value in wanted.items())
    if isinstance(wanted, list):
        alike = isinstance(found, list | tuple) and len(found) == len(wanted)
        return alike and all(_same(name, *pair) for pair in zip(wanted, found, strict=True))
    if found is None:
        return False
    if name == "amount" and isinstance(found, int):
        return SHOP.read_money(wanted) == found
    if name == "order_id":
        return bool(order_numbers.meant(str(found), [wanted]))
    if name == "reason":
        return _words(wanted) == _words(found)
    return set(_words(wanted)) <= set(_words(found))  # the slot may be the customer's whole answer


def _words(value: Any) -> list[str]:
    return str(value).casefold().split()


def _in_words(named: Named) -> str:
    said = ", ".join(f"{key} {value}" for key, value in named.values.items() if not isinstance(value, dict | list))
    return f"{named.name} ({said})"


def report(responder: str, played: Iterable[tuple[Conversation, Sequence[Came]]]) -> Report:
    """The sums over conversations that were played."""
    made = Report(shop=SHOP.name, responder=responder)
    sums: dict[Measure, list[int]] = {measure: [0, 0] for measure in MEASURES}
    seconds: list[float] = []
    questions = calls = tokens = 0
    for conversation, came in played:
        made.conversations += 1
        for number, (turn, one, judged) in enumerate(
            zip(conversation.turns, came, judge(conversation, came), strict=True), 1
        ):
            made.turns += 1
            made.right_turns += judged.right
            made.unsafe += len(judged.unsafe)
            for measure, (right, of) in judged.counts.items():
                sums[measure][0] += right
                sums[measure][1] += of
            seconds.append(one.seconds)
            questions, calls, tokens = questions + one.asked_now, calls + one.calls, tokens + one.tokens
            if not judged.right:
                made.wrong.append(_wrong(conversation, number, turn, one, judged))
    made.accuracy = {
        measure: {"right": right, "of": of, "percent": round(100 * right / of, 1) if of else 100.0}
        for measure, (right, of) in sums.items()
    }
    made.questions_a_conversation = round(questions / made.conversations, 2)
    made.model_calls_a_turn, made.model_tokens_a_turn = round(calls / made.turns, 2), round(tokens / made.turns, 1)
    made.turn_seconds = {"p50": round(_percentile(seconds, 50), 4), "p95": round(_percentile(seconds, 95), 4)}
    return made


def _percentile(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1] if len(values) > 1 else values[0]


def _wrong(conversation: Conversation, number: int, turn: Turn, came: Came, judged: Judgement) -> dict[str, Any]:
    measures = [measure for measure, (right, of) in judged.counts.items() if right < of]
    expected = turn.model_dump(mode="json", exclude={"says"}, exclude_defaults=True)
    got = asdict(came)
    kept = ("topics", "proposed", "asked", "done", "sent", "person")
    return {
        "conversation": conversation.name,
        "turn": number,
        "says": turn.says,
        "wrong": measures,
        "unsafe": list(judged.unsafe),
        "expected": expected,
        "got": {name: got[name] for name in kept if got[name]},
        "reply": came.reply,
    }
