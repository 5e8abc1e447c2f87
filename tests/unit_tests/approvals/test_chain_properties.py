"""A chain can't be skipped, whoever says what in which order.

The model in `Expected` says in a few lines what the policy says in words; the ledger must agree after each answer.
"""

from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from agent.approvals.chains import CHAINS
from agent.approvals.chains import REFUND_BY_BILLING as LIMIT
from agent.approvals.models import ApprovalView
from agent.approvals.requests import Approvals
from agent.escalation import LAST_RESORT
from agent.identity import APPROVER_ROLES, Caller, Role
from agent.ledger.database import Database
from agent.shop import Case
from tests.support.approvals import ASKER, CUSTOMER, ask, changed_amount, decide, decisions, edit_to, refund
from tests.support.chains import BILLING, GENERAL, outsider
from tests.support.threads import APPROVE, reject, seen

Say = Literal["approve", "reject", "edit"]
Step = tuple[Role, str, Say, int]
CASES: list[Case] = ["general", "billing", "security"]

_keys = count()


@dataclass
class Expected:
    """What the policy makes of the answers so far."""

    case: Case
    status: str = "open"
    yes: dict[int, str] = field(default_factory=dict)  # who said it, by step of the chain
    acted: set[str] = field(default_factory=set)

    @property
    def roles(self) -> list[Role]:
        return [step["role"] for step in CHAINS[self.case]]

    @property
    def turn(self) -> int:
        return next(n for n in range(len(self.roles)) if n not in self.yes)

    def hear(self, role: Role, who: str, say: Say, amount: int) -> bool:
        """Take the answer if it counts, and say whether it did."""
        if self.status != "open" or role != self.roles[self.turn] or who in {CUSTOMER, ASKER} | self.acted:
            return False
        if say == "reject":
            self.status = "rejected"
            return True
        step = self.turn
        if say == "edit":
            self.case = "general" if amount <= LIMIT else "billing"
            self.yes, self.acted = {}, set()
            step = self.roles.index(role) if role in self.roles else -1
        self.yes[step] = who
        self.acted.add(who)
        if self.yes.keys() >= set(range(len(self.roles))):
            self.status = "approved"
        return True


def said(view: ApprovalView, say: Say, amount: int) -> Any:
    return seen(view, {"approve": APPROVE, "reject": reject("no"), "edit": edit_to(view, amount)}[say])


ROLES_THERE: list[Role] = [*GENERAL, *(step["role"] for case in CASES for step in CHAINS[case])]
ANSWERS: st.SearchStrategy[Step] = st.tuples(
    st.sampled_from([*ROLES_THERE, LAST_RESORT, outsider(*CASES), "customer", "channel", "admin"]),
    st.sampled_from(["ann", "bob", "cid", "dee", CUSTOMER, ASKER]),
    st.sampled_from(["approve", "approve", "approve", "edit", "reject"]),
    st.sampled_from([LIMIT // 2, LIMIT, LIMIT + 1, 90_00]),
)


def chains(case: Case) -> st.SearchStrategy[list[Step]]:
    """Answers of which many are those that the chain waits for."""
    expected = st.sampled_from([step["role"] for step in CHAINS[case]])
    fitting: st.SearchStrategy[Step] = st.tuples(
        expected, st.sampled_from(["ann", "bob", "cid"]), st.just("approve"), st.just(0)
    )
    return st.lists(st.one_of(ANSWERS, fitting), max_size=10)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(CASES).flatmap(lambda case: st.tuples(st.just(case), chains(case))))
@example(("billing", [(BILLING[0], "ann", "approve", 0), (BILLING[1], "bob", "approve", 0)]))
@example(("billing", [(BILLING[0], "ann", "approve", 0), (BILLING[1], "ann", "approve", 0)]))
@example(("billing", [(BILLING[1], "bob", "approve", 0), (BILLING[0], "ann", "approve", 0)]))
@example(("general", [(GENERAL[0], "ann", "edit", 90_00), (BILLING[0], "ann", "approve", 0)]))
async def test_a_chain_is_approved_only_by_a_yes_of_every_step(
    approvals: Approvals, database: Database, told: tuple[Case, list[Step]]
) -> None:
    case, answers = told
    expected = Expected(case)
    view = await ask(approvals, refund(), case, key=f"chain:{next(_keys)}")

    for role, who, say, amount in answers:
        counts, was_open = expected.hear(role, who, say, amount), view["status"] == "open"
        view = await decide(
            approvals,
            view["request_id"],
            view["action_hash"],
            said(view, say, amount),
            Caller(who, role),
            edit=changed_amount,
        )
        assert (view["refused"] is None) == (counts or not (was_open or role in APPROVER_ROLES))
        assert (view["status"], view["case"]) == (expected.status, expected.case)
        if view["status"] == "open":
            assert (view["step"], view["roles"]) == (expected.turn + 1, [expected.roles[expected.turn]])

    await in_the_ledger(database, view, expected)


async def in_the_ledger(database: Database, view: ApprovalView, expected: Expected) -> None:
    """What was written down bears the status out, without the model's help."""
    rows = await decisions(database, view["request_id"])
    last = [row for row in rows if row.round == max(r.round for r in rows)]
    assert len({row.actor for row in last}) == len(last)
    yes = {row.step: row.role for row in last if row.decision != "reject" and row.step >= 0}
    assert all(expected.roles[step] == role for step, role in yes.items())
    assert (view["status"] == "approved") == (len(yes) == len(expected.roles))
    assert (view["status"] == "rejected") == any(row.decision == "reject" for row in last)
