"""Runs the ways against a house and measures what came of each: by the books, never by what was expected.

What is sent is in `ways`; how it is shown in `table`.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from attack.target import House, wait_until
from attack.ways import WAYS, Way


@dataclass(frozen=True)
class Finding:
    """What came of one way, tried on one kind of payment.

    `early` payments were made before everybody had said yes whose yes it takes; `paid` in all, when the right people
    had answered what they were asked. `record` is what is wrong with the record of their yeses, `harm` what else is.
    `refusals` are why requests were refused, `let_in` how many were not.
    """

    way: Way
    kind: str
    early: int
    paid: int
    record: str
    harm: str
    refusals: tuple[str, ...]
    let_in: int

    @property
    def safe(self) -> bool:
        """Never paid without everybody's yes, nor twice, and whoever said yes is on record."""
        return self.early <= 0 and self.paid <= 1 and not self.record

    @property
    def held(self) -> bool:
        """Safe, and the right people could have it paid afterwards."""
        return self.safe and self.paid == 1 and not self.harm

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "kind": self.kind,
            "held": self.held,
            "early": self.early,
            "paid": self.paid,
            "told": self.told,
            "let_in": self.let_in,
            "refusals": self.refusals,
        }

    @property
    def told(self) -> str:
        """What happened, in a few words."""
        if self.held:
            return (self.way.rule or "let in, and without effect") if self.let_in else "refused"
        if self.early > 0 and not self.way.paid:
            what = f"**paid without {self.way.lacked}**"
            what += f", {_times(self.paid)} in the end" if self.paid > 1 else ""
        elif self.paid > 1:
            what = f"**paid {_times(self.paid)}**"
        else:
            what = "" if self.paid else "**the approval is gone**, nobody is asked"
        return "; ".join(filter(None, (what, self.record, self.harm)))


def find(house: House, done: Callable[[], None] = lambda: None) -> list[Finding]:
    """Try all ways on all kinds of payments; those that need the house for themselves come last.

    Raises RuntimeError when a way sent nothing: then nothing would be shown by it.
    """

    def tried(way: Way, kind: str) -> Finding:
        finding = _tried(house, way, kind)
        done()
        return finding

    pairs = _pairs(house)
    with ThreadPoolExecutor(house.at_once) as pool:
        found = [pool.submit(tried, *pair) for pair in pairs if not pair[0].alone]
    return [*(each.result() for each in found), *(tried(*pair) for pair in pairs if pair[0].alone)]


def number_of_tries(house: House) -> int:
    """How many findings there will be."""
    return len(_pairs(house))


def _pairs(house: House) -> list[tuple[Way, str]]:
    return [(way, kind) for way in WAYS for kind in house.kinds_for(way.number, way.unless)]


def _tried(house: House, way: Way, kind: str) -> Finding:
    target = house.target(kind, way.number, steps=way.steps, slow=way.slow)
    if way.asks_first:
        target.begin()
        for _ in range(way.yeses):
            target.answer_inbox()
    harm = [way.act(target) or ""]
    if not target.replies:
        raise RuntimeError(f"way {way.number} sent nothing about {target.key}")
    wait_until(target.rests, f"way {way.number} to come to rest")
    early = target.effects() - way.paid
    try:
        target.settle()
    except TimeoutError as error:
        harm.append(str(error))
    paid = target.effects()
    refusals = tuple(dict.fromkeys(reply.refused for reply in target.replies if reply.refused))
    return Finding(
        way=way,
        kind=kind,
        early=early,
        paid=paid,
        record=target.record() if paid else "",
        harm="; ".join(filter(None, harm)),
        refusals=refusals,
        let_in=sum(not reply.refused for reply in target.replies),
    )


def _times(number: int) -> str:
    return {2: "twice"}.get(number, f"{number} times")
