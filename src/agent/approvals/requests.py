"""Approval requests and decisions, in the ledger. What a thread shows of a request is a copy; this counts."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, TypedDict, Unpack

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from agent.approvals.answers import UnreadableAnswerError, read_answer
from agent.approvals.chains import Case, chain_of, escalation_of
from agent.approvals.models import ActionRequest, Answer, ApprovalView, Decision, ReviewConfig
from agent.approvals.telling import tell_of_decision, tell_of_turn
from agent.approvals.trail import BrokenTrailError, Trail, what_is_asked
from agent.identity import APPROVER_ROLES, Caller
from agent.ledger.database import Database, Denied, digest, emit_once_committed
from agent.ledger.tables import ApprovalRow, DecisionRow
from agent.ledger.transactions import reads, writes


@dataclass(frozen=True)
class Action:
    """Exactly what would be done, and the sentence that tells people so. The hash is over name and arguments."""

    name: str
    arguments: dict[str, Any]
    description: str
    editable: bool = False

    @property
    def hash(self) -> str:
        """What an approval of this action is bound to (law 6)."""
        return digest([self.name, self.arguments])


Edit = Callable[[dict[str, Any], dict[str, Any]], tuple[Action, Case]]
"""Takes the arguments as they are and as somebody wants them, and gives the changed action with the case that it now
is; raises ValueError with the reason why not."""


class Refused(Exception):  # noqa: N818  (an answer is refused, by rule)
    """An answer that does not count, with the rule that says so."""

    def __init__(self, rule: str, why: str) -> None:
        super().__init__(f"{rule}: {why}")
        self.rule = rule


class About(TypedDict):
    """What a request is about: `key` stands for it, in `subject`'s name; on `thread_id` it is shown."""

    key: str
    subject: str
    order_id: str | None
    thread_id: str
    asked_by: str


class Approvals:
    """Opens requests, takes decisions, watches the clock."""

    def __init__(self, database: Database, trail: Trail, time_scale: float = 1.0) -> None:
        self._db = database
        self.trail = trail
        self._scale = time_scale

    async def open(self, action: Action, case: Case, **about: Unpack[About]) -> ApprovalView:
        """The request for this exact action (see `open_in`)."""
        return await self._db.write(lambda session: self.open_in(session, action, case, **about))

    async def decide(
        self, request_id: str, seen_hash: str, said: Any, caller: Caller | None, edit: Edit | None = None
    ) -> ApprovalView:
        """Take an answer to a request, if it counts (see `decide_in`)."""
        return await self._db.write(
            lambda session: self.decide_in(session, request_id, seen_hash, said, caller, edit=edit)
        )

    @reads
    def get(self, session: Session, request_id: str) -> ApprovalView:
        """The request as it stands now."""
        return view_of(session.get_one(ApprovalRow, request_id))

    @writes
    def approved(self, session: Session, request_id: str) -> ApprovalView:
        """The request, from the ledger. Raises `Denied` APPROVAL-MISSING unless everybody has said yes, provably."""
        row = session.get(ApprovalRow, request_id)
        if row is None or row.status != "approved" or not self._proven(session, row):
            raise Denied("APPROVAL-MISSING", "This has not been approved.")
        return view_of(row)

    @reads
    def of_order(self, session: Session, order_id: str, status: str | None = None) -> list[ApprovalView]:
        """All requests about an order, or those of this status, oldest first."""
        return requests_of(session, order_id, status)

    @reads
    def head(self, session: Session, thread_id: str) -> ApprovalView | None:
        """The open request that a conversation waits for: the oldest."""
        return head_of(session, thread_id)

    def open_in(self, session: Session, action: Action, case: Case, **about: Unpack[About]) -> ApprovalView:
        """The request for this exact action; asking again with the same `key` finds the same request.

        Another action under the same key voids the request that was open (law 6); one that was voided is asked anew.
        """
        key, now = about["key"], self._db.clock()
        row = session.scalar(
            select(ApprovalRow).where(
                ApprovalRow.key == key, ApprovalRow.action_hash == action.hash, ApprovalRow.status != "void"
            )
        )
        if row is None or not self._proven(session, row):
            session.execute(
                update(ApprovalRow)
                .where(ApprovalRow.key == key, ApprovalRow.status == "open")
                .values(status="void", thread_told=True)
            )
            before = session.scalar(select(func.count()).where(ApprovalRow.key == key))
            row = ApprovalRow(
                id=f"apr-{digest([key, before])[:12]}",
                **about,
                case=case,
                action=asdict(action),
                action_hash=action.hash,
                chain=chain_of(case, self._scale),
                status="open",
                step=0,
                round=0,
                note="",
                escalated=False,
                step_since=now,
                created_at=now,
            )
            row.asked = what_is_asked(row)
            row.seal = row.head = self.trail.of_request(row)
            session.add(row)
            session.flush()
            order_id = about["order_id"]
            emit_once_committed(session, "approval.requested", request_id=row.id, case=case, order_id=order_id)
            tell_of_turn(session, "approval.requested", row, view_of(row), now)
        row.thread_id = about["thread_id"]
        if row.status == "open":
            row.thread_told = True  # it shows the request as it is now
        return view_of(row)

    def decide_in(
        self,
        session: Session,
        request_id: str,
        seen_hash: str,
        said: Any,
        caller: Caller | None,
        *,
        edit: Edit | None = None,
    ) -> ApprovalView:
        """Take an answer to a request, if it counts; else the request comes back open, with `refused` saying why.

        The service account's answer is never a decision: it means "look again" (the clock changed something).
        """
        row = session.get_one(ApprovalRow, request_id, with_for_update=True)
        row.thread_told = True
        if not self._proven(session, row) or row.status != "open" or (caller and caller.role == "service"):
            return view_of(row)
        try:
            answer = self._allowed(session, row, seen_hash, said, caller)
            decision = self._take(session, row, answer, caller, edit)
        except Refused as refused:
            emit_once_committed(session, "approval.answer_refused", request_id=request_id, rule=refused.rule)
            return view_of(row, refused=str(refused))
        what = {"decision": answer.decision, "status": row.status}
        emit_once_committed(session, "approval.decided", request_id=request_id, **what)
        view = view_of(row)
        tell_of_decision(session, decision, row, view, self._db.clock())
        return view

    def _allowed(self, session: Session, row: ApprovalRow, seen_hash: str, said: Any, caller: Caller | None) -> Answer:
        if caller is None or caller.role not in roles_of(row) or caller.role not in APPROVER_ROLES:
            raise Refused("APPROVAL-ROLE", f"this step is for {' or '.join(roles_of(row))}")
        if caller.identity in (row.asked_by, row.subject):
            raise Refused("APPROVAL-OWN", "nobody approves what they asked for")
        if caller.identity in {each.actor for each in decisions_of(session, row) if each.round == row.round}:
            raise Refused("APPROVAL-TWICE", "nobody acts twice in one chain")
        if seen_hash != row.action_hash:
            raise Refused("APPROVAL-STALE", "the action has changed since it was shown")
        try:
            answer = read_answer(said, row.action["name"])
        except UnreadableAnswerError as unreadable:
            raise Refused("APPROVAL-UNREADABLE", str(unreadable)) from unreadable
        if answer.decision == "reject" and not answer.note.strip():
            raise Refused("APPROVAL-NOTE", "a rejection needs a reason in its note")
        return answer

    def _take(
        self,
        session: Session,
        row: ApprovalRow,
        answer: Answer,
        caller: Caller | None,
        edit: Edit | None,
    ) -> DecisionRow:
        assert caller is not None  # noqa: S101  (checked by _allowed; tells the type checker)
        step = row.step
        if answer.decision == "edit":
            step = self._edit(row, answer, edit)
        decision = DecisionRow(
            request_id=row.id,
            round=row.round,
            step=step,
            decision=answer.decision,
            actor=caller.identity,
            role=caller.role,
            note=answer.note,
            at=self._db.clock(),
        )
        if row.head:
            decision.number = 1 + len(decisions_of(session, row))
            decision.over = what_is_asked(row)
            decision.seal = row.head = self.trail.of_decision(row.head, decision)
        session.add(decision)
        session.flush()
        row.note = answer.note
        if answer.decision == "reject":
            row.status = "rejected"
            return decision
        done = {each.step for each in decisions_of(session, row) if each.round == row.round}
        left = [n for n in range(len(row.chain)) if n not in done]
        if not left:
            row.status = "approved"
        else:
            row.step, row.step_since, row.escalated = left[0], self._db.clock(), False
        return decision

    def _proven(self, session: Session, row: ApprovalRow) -> bool:
        """Whether the trail holds. A request whose does not is worth nothing: it is void, and asked anew."""
        try:
            self.trail.prove(row, decisions_of(session, row))
        except BrokenTrailError as broken:
            row.status = "void"
            emit_once_committed(session, "trail.broken", request_id=row.id, link=broken.link)
            return False
        return True

    def _edit(self, row: ApprovalRow, answer: Answer, edit: Edit | None) -> int:
        """Put the changed action in place: the yeses before are void, the editor's own counts for their step."""
        if edit is None or not row.action["editable"]:
            raise Refused("APPROVAL-EDIT", "this action can be approved or rejected, not edited")
        before = row.chain[row.step]["role"]
        if set(answer.arguments or {}) != set(row.action["arguments"]):
            raise Refused("APPROVAL-EDIT", "send all arguments, and no others")
        try:
            action, case = edit(row.action["arguments"], answer.arguments or {})
        except ValueError as wrong:
            raise Refused("APPROVAL-EDIT", str(wrong)) from wrong
        row.action = asdict(action)
        row.action_hash, row.case, row.chain, row.round = action.hash, case, chain_of(case, self._scale), row.round + 1
        own = [n for n, step in enumerate(row.chain) if step["role"] == before]
        return own[0] if own else -1  # -1: a step of no chain, so that the editor's role must be asked nowhere


def requests_of(session: Session, order_id: str, status: str | None = None) -> list[ApprovalView]:
    """All requests about an order, or those of this status, oldest first."""
    query = select(ApprovalRow).where(ApprovalRow.order_id == order_id).order_by(ApprovalRow.created_at)
    return [view_of(row) for row in session.scalars(query.where(ApprovalRow.status == status) if status else query)]


def head_of(session: Session, thread_id: str) -> ApprovalView | None:
    """The open request that a conversation waits for: the oldest."""
    row = session.scalar(
        select(ApprovalRow)
        .where(ApprovalRow.thread_id == thread_id, ApprovalRow.status == "open")
        .order_by(ApprovalRow.created_at, ApprovalRow.id)
        .limit(1)
    )
    return view_of(row) if row else None


def roles_of(row: ApprovalRow) -> list[str]:
    """Who may answer the present step."""
    roles = [row.chain[row.step]["role"]]
    return [*roles, escalation_of(row.chain, row.step)] if row.escalated else roles


def decisions_of(session: Session, row: ApprovalRow) -> list[DecisionRow]:
    """What people have said to a request, in all rounds, in order."""
    query = select(DecisionRow).where(DecisionRow.request_id == row.id)
    return list(session.scalars(query.order_by(DecisionRow.number, DecisionRow.round, DecisionRow.step)).all())


def view_of(row: ApprovalRow, refused: str | None = None) -> ApprovalView:
    name, arguments = row.action["name"], row.action["arguments"]
    allowed: list[Decision] = ["approve", "edit", "reject"] if row.action["editable"] else ["approve", "reject"]
    due: datetime = row.step_since + timedelta(seconds=row.chain[row.step]["due_seconds"])
    view = ApprovalView(
        action_requests=[
            ActionRequest(name=name, args=arguments, arguments=arguments, description=row.action["description"])
        ],
        review_configs=[ReviewConfig(action_name=name, allowed_decisions=allowed)],
        request_id=row.id,
        case=row.case,
        subject=row.subject,
        order_id=row.order_id,
        asked_by=row.asked_by,
        roles=roles_of(row),
        step=row.step + 1,
        steps=len(row.chain),
        due=due.isoformat(),
        action_hash=row.action_hash,
        status=row.status,
        note=row.note,
        refused=refused,
    )
    if row.head:
        view["head"] = row.head
    return view
