"""Approval requests and decisions, in the ledger. What a thread shows of a request is a copy; this counts."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final, TypedDict, Unpack

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from agent.approvals.card import args_of, decisions_of, ended_in_words, roles_of, view_of
from agent.approvals.chains import OF_ORDERS, chain_of
from agent.approvals.models import Answer, ApprovalView
from agent.approvals.responses import AnswerRefusedError, UnreadableAnswerError, read_answer
from agent.approvals.seen import NOTHING_SEEN, Seen, asked_again, name_digest, proof_of
from agent.approvals.trail import BrokenTrailError, Trail, what_is_asked
from agent.identity import APPROVER_ROLES, Caller, person
from agent.ledger.database import Database, PolicyDenied, digest, emit_once_committed, take_turn
from agent.ledger.tables import ApprovalRow, DecisionRow
from agent.ledger.transactions import reads, writes
from agent.notifications.approval_notifications import notify_of_decision, notify_of_step
from agent.observability.events import Fields
from agent.shop import Case


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


Edit = Callable[[Session, ApprovalRow, dict[str, Any], datetime], tuple[Action, Case]]
"""Takes a request and its arguments as somebody wants them, as text, and gives the changed action with the case that it
now is. Raises ValueError with the reason why not, or `PolicyDenied` with the rule that forbids it."""


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

    @reads
    def get(self, session: Session, request_id: str) -> ApprovalView:
        """The request as it stands now."""
        return view_of(session, session.get_one(ApprovalRow, request_id))

    @writes
    def approved(self, session: Session, request_id: str) -> ApprovalView:
        """The request, from the ledger. Raises `PolicyDenied` APPROVAL-MISSING unless everybody has said yes,
        provably."""
        row = session.get(ApprovalRow, request_id)
        if row is None or row.status != "approved" or not self._proven(session, row):
            raise PolicyDenied("APPROVAL-MISSING", "This has not been approved.")
        return view_of(session, row)

    @reads
    def of_order(self, session: Session, order_id: str, status: str | None = None) -> list[ApprovalView]:
        """All requests about an order, or those of this status, oldest first."""
        return requests_of(session, order_id, status)

    @reads
    def head(self, session: Session, thread_id: str) -> ApprovalView | None:
        """The open request that a conversation waits for: the oldest."""
        return view_with_id(session, session.scalar(select(HEAD_ID), {"of_thread": thread_id}))

    def is_known(self, session: Session, key: str) -> bool:
        """Whether people were asked about this before, and it is not void."""
        return bool(session.scalar(select(ApprovalRow.id).where(ApprovalRow.key == key, ApprovalRow.status != "void")))

    def open_in(self, session: Session, action: Action, case: Case, **about: Unpack[About]) -> ApprovalView:
        """The request for this exact action; asking again with the same `key` finds the same request.

        Another action under the same key voids the request that was open (law 6); one that was voided is asked anew.
        """
        key, now = about["key"], self._db.clock()
        take_turn(session, f"request:{key}")
        is_this = (ApprovalRow.key == key, ApprovalRow.action_hash == action.hash, ApprovalRow.status != "void")
        row = session.scalar(select(ApprovalRow).where(*is_this))
        if row is None or not self._proven(session, row):
            session.execute(
                update(ApprovalRow)
                .where(ApprovalRow.key == key, ApprovalRow.status == "open")
                .values(status="void", thread_is_current=True)
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
            emit_once_committed(session, "approval.requested", request_id=row.id, case=case, order_id=about["order_id"])
            notify_of_step(session, "approval.requested", row, view_of(session, row), now)
        row.thread_id = about["thread_id"]
        if row.status == "open":
            row.thread_is_current = True  # it shows the request as it is now
        return view_of(session, row)

    def decide_in(
        self,
        session: Session,
        request_id: str,
        seen_hash: str,
        said: Any,
        caller: Caller | None,
        *,
        edit: Edit | None = None,
        seen: Seen = NOTHING_SEEN,
    ) -> ApprovalView:
        """Take an answer to a request, if it counts; else the request comes back as it was, with `refused` saying why.

        The service account's answer is never a decision: it means "look again" (the clock changed something).
        """
        row = session.get_one(ApprovalRow, request_id, with_for_update=True)
        row.thread_is_current = True
        is_proven = self._proven(session, row)
        if caller and caller.role == "service":
            return view_of(session, row)
        told, step, since = asked_again(row, seen), row.step, row.step_since
        try:
            if not is_proven or row.status != "open":
                return self._too_late(session, row, caller)
            answer = self._allowed(session, row, seen_hash, said, caller)
            proof = proof_of(session, row, answer, seen, who=caller.identity if caller else "", now=self._db.clock())
            decision = self._take(session, row, answer, caller, edit=edit, proof=proof)
        except AnswerRefusedError as error:
            emit_once_committed(session, "approval.answer_refused", request_id=request_id, rule=error.rule)
            view = view_of(session, row, refused=str(error))
            if caller and error.ask_again:
                told = [*told, name_digest(caller.identity)]
            view["asked_again"] = told
            return view
        facts = Fields(request_id=request_id, order_id=row.order_id, decision=answer.decision, status=row.status)
        facts |= Fields(
            role=decision.role, step=step, seconds=max(0.0, (decision.at - since).total_seconds()), seen=proof
        )
        emit_once_committed(session, "approval.decided", **facts)
        view = view_of(session, row)
        notify_of_decision(session, decision, row, view, self._db.clock())
        return view

    def _too_late(self, session: Session, row: ApprovalRow, caller: Caller | None) -> ApprovalView:
        """A request that is not open any more; who answers all the same is told what became of it."""
        view = view_of(session, row)
        if caller and caller.role in APPROVER_ROLES:
            emit_once_committed(session, "approval.answer_refused", request_id=row.id, rule="APPROVAL-ENDED")
            view["refused"] = f"APPROVAL-ENDED: {ended_in_words(view)}"
        return view

    def _allowed(self, session: Session, row: ApprovalRow, seen_hash: str, said: Any, caller: Caller | None) -> Answer:
        if caller is None or caller.role not in roles_of(row) or caller.role not in APPROVER_ROLES:
            raise AnswerRefusedError("APPROVAL-ROLE", f"this step is for {' or '.join(roles_of(row))}")
        who = person(caller.identity)
        if who in (person(row.asked_by), person(row.subject)):
            raise AnswerRefusedError("APPROVAL-OWN", "nobody approves what they asked for")
        if who in {person(each.actor) for each in decisions_of(session, row) if each.round == row.round}:
            raise AnswerRefusedError("APPROVAL-TWICE", "nobody acts twice in one chain")
        if seen_hash != row.action_hash:
            raise AnswerRefusedError("APPROVAL-STALE", "the action has changed since it was shown")
        try:
            answer = read_answer(said, row.action["name"])
        except UnreadableAnswerError as error:
            raise AnswerRefusedError("APPROVAL-UNREADABLE", str(error)) from error
        if answer.decision == "reject" and not answer.note.strip():
            raise AnswerRefusedError("APPROVAL-NOTE", "a rejection needs a reason in its note")
        return answer

    def _take(
        self,
        session: Session,
        row: ApprovalRow,
        answer: Answer,
        caller: Caller | None,
        *,
        edit: Edit | None,
        proof: str,
    ) -> DecisionRow:
        assert caller is not None  # noqa: S101  (checked by _allowed; tells the type checker)
        step = row.step
        if answer.decision == "edit":
            step = self._edit(session, row, answer, edit)
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
            decision.over = what_is_asked(row) | {"seen": proof}
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
            row.thread_is_current = row.case in OF_ORDERS  # a conversation has yet to make what was approved
        else:
            row.step, row.step_since, row.escalated = left[0], self._db.clock(), False
        return decision

    def _proven(self, session: Session, row: ApprovalRow) -> bool:
        """Whether the trail holds. A request whose does not is worth nothing: it is void, and asked anew."""
        try:
            self.trail.prove(row, decisions_of(session, row))
        except BrokenTrailError as error:
            row.status = "void"
            emit_once_committed(session, "trail.broken", request_id=row.id, link=error.link)
            return False
        return True

    def _edit(self, session: Session, row: ApprovalRow, answer: Answer, edit: Edit | None) -> int:
        """Put the changed action in place: the yeses before are void, the editor's own counts for their step."""
        if edit is None or not row.action["editable"]:
            raise AnswerRefusedError("APPROVAL-EDIT", "this action can be approved or rejected, not edited")
        before = row.chain[row.step]["role"]
        if set(answer.arguments or {}) != set(args_of(row)):
            raise AnswerRefusedError("APPROVAL-EDIT", "send all arguments, and no others")
        try:
            action, case = edit(session, row, answer.arguments or {}, self._db.clock())
        except ValueError as error:
            raise AnswerRefusedError("APPROVAL-EDIT", str(error)) from error
        except PolicyDenied as denial:
            raise AnswerRefusedError(denial.rule, denial.sentence) from denial
        row.action = asdict(action)
        row.action_hash, row.case, row.chain, row.round = action.hash, case, chain_of(case, self._scale), row.round + 1
        own = [n for n, step in enumerate(row.chain) if step["role"] == before]
        return own[0] if own else -1  # -1: a step of no chain, so that the editor's role must be asked nowhere


def requests_of(session: Session, order_id: str, status: str | None = None) -> list[ApprovalView]:
    """All requests about an order, or those of this status, oldest first."""
    query = select(ApprovalRow).where(ApprovalRow.order_id == order_id).order_by(ApprovalRow.created_at)
    rows = session.scalars(query.where(ApprovalRow.status == status) if status else query)
    return [view_of(session, row) for row in rows]


def view_with_id(session: Session, request_id: str | None) -> ApprovalView | None:
    """The request with this id; None for none."""
    return view_of(session, session.get_one(ApprovalRow, request_id)) if request_id else None


HEAD_ID: Final = (
    select(ApprovalRow.id)
    .where(ApprovalRow.thread_id == bindparam("of_thread"), ApprovalRow.status == "open")
    .order_by(ApprovalRow.created_at, ApprovalRow.id)
    .limit(1)
    .scalar_subquery()
)
"""The id of the request that a conversation waits for, for a query that names `of_thread`."""
