"""26 ways round an approval gate, on three live servers: ours, ours without its auth handlers, and an ordinary gate.

What is sent is in `attack.ways`; what must come of it is here.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass

import pytest

from agent.approvals.models import decision_payload
from attack.findings import Finding, find
from attack.ours import OurHouse
from attack.table import rows
from attack.target import House
from attack.theirs import OrdinaryHouse
from attack.ways import WAYS, Way, replay_checkpoints
from tests.support.live_server import ROOT

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(400)]  # all are tried for the first test that asks

each_way = pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way.number}-{way.act.__name__}")


@dataclass(frozen=True)
class Findings:
    """What came of all ways; what of ours is broken after them; our server without handlers, which still runs."""

    ours: list[Finding]
    without_handlers: list[Finding]
    ordinary: list[Finding]
    broken: list[str]
    open_house: OurHouse


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Findings]:
    """Each server is attacked once, all three at the same time."""
    folder = tmp_path_factory.mktemp("attack")

    def attacked(house: House) -> list[Finding]:
        house.wait()
        return find(house)

    with ThreadPoolExecutor(3) as pool, ExitStack() as houses:
        ours = houses.enter_context(closing(OurHouse(folder / "ours")))
        without_handlers = houses.enter_context(closing(OurHouse(folder / "without_handlers", handlers=False)))
        ordinary = houses.enter_context(closing(OrdinaryHouse(folder / "ordinary")))
        first, second, third = pool.map(attacked, (ours, without_handlers, ordinary))
        broken = [*ours.books.broken(), *without_handlers.books.broken()]
        yield Findings(first, second, third, broken, without_handlers)


def of(way: Way, found: list[Finding]) -> list[Finding]:
    """What came of one way, on each kind of payment."""
    return [finding for finding in found if finding.way is way]


@each_way
def test_it_is_refused_or_harmless_by_a_rule_and_the_right_people_then_have_it_paid_once(
    way: Way, findings: Findings
) -> None:
    for finding in of(way, findings.ours):
        assert finding.held, finding
        assert way.rule or not finding.let_in, finding


@each_way
def test_without_any_auth_handler_it_is_paid_at_most_once_and_with_everybodys_yes_on_record(
    way: Way, findings: Findings
) -> None:
    for finding in of(way, findings.without_handlers):
        assert finding.safe, finding


@each_way
def test_the_same_requests_get_round_an_ordinary_gate(way: Way, findings: Findings) -> None:
    assert not any(finding.held for finding in of(way, findings.ordinary))


def test_the_books_balance_and_every_approval_is_proved_after_all_of_it(findings: Findings) -> None:
    assert findings.broken == []


@pytest.mark.parametrize("kind", OurHouse.kinds)
def test_a_rejection_stands_whatever_checkpoint_before_it_is_gone_back_to(kind: str, findings: Findings) -> None:
    target = findings.open_house.target(kind, len(WAYS) + 1, steps=1, slow=False)
    target.begin()
    target.answer(target.first, command={"resume": decision_payload("reject", name=target.action, note="no")})
    replay_checkpoints(target)
    assert any(not reply.refused for reply in target.replies)
    assert target.effects() == 0
    assert findings.open_house.books.count("approvals", "id = ? AND status = 'rejected'", target.request()) == 1


def test_the_page_says_what_came_of_them_at_ours(findings: Findings) -> None:
    page = (ROOT / "docs" / "security.md").read_text()
    for row in rows(findings.ordinary, findings.ours):
        [line] = [line for line in page.splitlines() if line.startswith(f"| {row.way.number} | {row.way.title} |")]
        assert line.endswith(f"| {row.told} |")
