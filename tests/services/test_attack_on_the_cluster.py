"""The 26 ways round an approval gate, tried at two workers on one PostgreSQL and one Redis: each request goes to the
next of them. What is sent is in `attack.ways`; what came of it is read from the ledger and from the card network.

Each way is tried on an order or on a refund; `python -m tests.cluster --attack` tries it on both.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from attack.findings import Finding, find
from attack.ways import WAYS, Way
from tests.cluster.attacked import attacked

pytestmark = pytest.mark.timeout(400)  # all are tried for the first test that asks

UNSERVED = frozenset((10, 12, 13, 14, 20))
"""Ways that ask for what this engine does not serve here, and for nothing else: they count as withheld."""


@dataclass(frozen=True)
class Findings:
    """What came of all ways, and what is broken after them."""

    ours: list[Finding]
    broken: list[str]


@pytest.fixture(scope="module")
def findings(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Findings]:
    """The cluster is attacked once."""
    with attacked(tmp_path_factory.mktemp("attack"), sample=True) as house:
        yield Findings(find(house), house.books.broken())


@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way.number}-{way.act.__name__}")
def test_it_is_refused_or_harmless_by_a_rule_and_the_right_people_then_have_it_paid_once(
    way: Way, findings: Findings
) -> None:
    for finding in findings.ours:
        if finding.way is way:
            assert finding.held, finding
            assert way.rule or not finding.let_in, finding


def test_some_ways_lead_nowhere_since_the_engine_does_not_serve_what_they_ask_for(findings: Findings) -> None:
    served = {
        finding.way.number
        for finding in findings.ours
        if finding.let_in or any(refusal != "404 Not Found" for refusal in finding.refusals)
    }
    assert {way.number for way in WAYS} - served == UNSERVED


def test_the_books_balance_and_every_approval_is_proved_after_all_of_it(findings: Findings) -> None:
    assert findings.broken == []
