"""What time does to approval requests, which threads have yet to hear of it, and which have to wait."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from sqlalchemy import bindparam, exists, select, update
from sqlalchemy.orm import Session

from agent.approvals.card import view_of
from agent.approvals.models import ApprovalView
from agent.escalation import Step
from agent.identity import owner_by
from agent.ledger.database import Database, emit_once_committed
from agent.ledger.tables import ApprovalRow
from agent.ledger.transactions import reads, writes
from agent.notifications.approval_notifications import notify_of_end, notify_of_step
from agent.notifications.notify import StaffEvent

Happened = Literal["reminded", "escalated", "expired"]

_EVENTS: Final[dict[Happened, StaffEvent]] = {
    "reminded": "approval.reminded",
    "escalated": "approval.escalated",
    "expired": "approval.expired",
}


@dataclass(frozen=True)
class ThreadToWake:
    """A request of which its thread has yet to hear."""

    request_id: str
    thread_id: str
    order_id: str | None
    owner: str  # of the thread
    status: str


class Deadlines:
    """Reminds, escalates and expires, by the ledger's clock."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def enforce_deadlines(self) -> dict[str, Happened]:
        """Remind of what is waited for, escalate what is overdue and expire what is long overdue, each once, however
        many do this at the same time; returns {request id: what happened}."""
        now = self._db.clock()
        done = {request_id: await self._act(request_id, now) for request_id in await self._overdue(now)}
        return {request_id: happened for request_id, happened in done.items() if happened}

    @reads
    def _overdue(self, session: Session, now: datetime) -> list[str]:
        return [
            row.id for row in session.scalars(select(ApprovalRow).where(ApprovalRow.status == "open")) if _due(row, now)
        ]

    @writes
    def _act(self, session: Session, request_id: str, now: datetime) -> Happened | None:
        """Do what is due, unless somebody else has done it: one request a transaction, so that answers to the others
        need not wait."""
        row = session.get_one(ApprovalRow, request_id, with_for_update=True)
        match happened := _due(row, now):
            case None:
                return None
            case "expired":
                row.status, row.thread_is_current, row.note = "expired", False, "nobody answered in time"
                notify_of_end(session, row, now)
            case "escalated":
                row.escalated, row.thread_is_current = True, False
            case "reminded":
                row.reminded_since = row.step_since
        view = view_of(session, row)
        notify_of_step(session, _EVENTS[happened], row, view, now)
        emit_once_committed(session, _EVENTS[happened], request_id=request_id, to=view["roles"][-1])
        return happened

    @reads
    def threads_to_wake(self, session: Session) -> list[ThreadToWake]:
        """Requests that changed while their thread was waiting, or were approved and are not made yet."""
        row = ApprovalRow
        query = select(row.id, row.thread_id, row.order_id, row.asked_by, row.subject, row.status)
        return [
            ThreadToWake(
                found.id, found.thread_id, found.order_id, owner_by(found.asked_by, found.subject), found.status
            )
            for found in session.execute(query.where(row.thread_is_current.is_(False)).limit(500))
        ]

    @reads
    def ended(self, session: Session, request_ids: Iterable[str]) -> dict[str, str | None]:
        """Those of the requests that are not open any more, with the order that each is about."""
        query = select(ApprovalRow.id, ApprovalRow.order_id)
        rows = session.execute(query.where(ApprovalRow.id.in_(list(request_ids)), ApprovalRow.status != "open"))
        return {row.id: row.order_id for row in rows}

    @reads
    def to_make(self, session: Session, thread_id: str) -> list[ApprovalView]:
        """What was approved in a conversation and is not made yet: the run that should have broke off."""
        query = select(ApprovalRow).where(
            ApprovalRow.thread_id == thread_id,
            ApprovalRow.status == "approved",
            ApprovalRow.thread_is_current.is_(False),
        )
        return [view_of(session, row) for row in session.scalars(query.order_by(ApprovalRow.created_at))]

    @writes
    def made(self, session: Session, request_id: str) -> None:
        """Note that a conversation has made what was approved, or was refused it."""
        session.execute(
            update(ApprovalRow)
            .where(ApprovalRow.id == request_id, ApprovalRow.status == "approved")
            .values(thread_is_current=True)
        )

    @reads
    def waiting(self, session: Session) -> dict[str, str]:
        """The threads that have to wait for people, {thread id: its owner}."""
        query = select(ApprovalRow.thread_id, ApprovalRow.asked_by, ApprovalRow.subject)
        rows = session.execute(query.where(ApprovalRow.status == "open"))
        return {row.thread_id: owner_by(row.asked_by, row.subject) for row in rows}

    async def ended_meanwhile(self, thread_id: str) -> list[ApprovalView]:
        """Requests of a thread that the clock or a cancellation ended; from now on it counts as showing them."""
        if not await self._db.read(lambda session: session.scalar(_SOME_ENDED, {"of_thread": thread_id})):
            return []  # nearly always: then nobody waits for a writer
        return await self.take_ended(thread_id)

    @writes
    def take_ended(self, session: Session, thread_id: str) -> list[ApprovalView]:
        """The same, for who has looked whether there is any."""
        ended = update(ApprovalRow).where(*_ENDED).values(thread_is_current=True).returning(ApprovalRow)
        return [view_of(session, row) for row in session.scalars(ended, {"of_thread": thread_id})]


_ENDED: Final = (
    ApprovalRow.thread_id == bindparam("of_thread"),
    ApprovalRow.status.not_in(("open", "approved")),
    ApprovalRow.thread_is_current.is_(False),
)
SOME_ENDED: Final = exists().where(*_ENDED)
"""Whether there is something to tell a thread (see `Deadlines.ended_meanwhile`), for a query that names `of_thread`."""
_SOME_ENDED: Final = select(SOME_ENDED)


def _due(row: ApprovalRow, now: datetime) -> Happened | None:
    """What the clock has yet to do to a request. Who comes late is not reminded any more."""
    if row.status != "open":
        return None
    step: Step = row.chain[row.step]
    waited = (now - row.step_since).total_seconds()
    if waited >= step["expiry_seconds"]:
        return "expired"
    if waited >= step["due_seconds"]:
        return None if row.escalated else "escalated"
    return "reminded" if waited >= step["reminder_seconds"] and row.reminded_since != row.step_since else None
