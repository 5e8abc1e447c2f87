"""What time does to approval requests, and which threads have yet to hear of it."""

from sqlalchemy import select, update

from agent.approvals.chains import escalation_of
from agent.approvals.models import ApprovalView
from agent.approvals.requests import tell_customer, view_of
from agent.ledger.database import Database
from agent.ledger.tables import ApprovalRow
from agent.observability.events import emit


class Deadlines:
    """Escalates and expires, by the ledger's clock."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def watch_the_clock(self) -> dict[str, str]:
        """Escalate what is overdue and expire what is long overdue, each once; returns {request id: what happened}."""
        now = self._db.clock()
        done: dict[str, str] = {}
        async with self._db.write() as session:
            rows = await session.scalars(select(ApprovalRow).where(ApprovalRow.status == "open").with_for_update())
            for row in rows.all():
                step, waited = row.chain[row.step], (now - row.step_since).total_seconds()
                if waited >= step["expiry_seconds"]:
                    row.status, row.thread_told, done[row.id] = "expired", False, "expired"
                    row.note = "nobody answered in time"
                    emit("approval.expired", request_id=row.id)
                    await tell_customer(session, row, now)
                elif waited >= step["due_seconds"] and not row.escalated:
                    row.escalated, row.thread_told, done[row.id] = True, False, "escalated"
                    emit("approval.escalated", request_id=row.id, to=escalation_of(row.chain, row.step))
        return done

    async def to_tell(self) -> list[tuple[str, str, str | None]]:
        """(request id, thread id, order id) of requests that changed while their thread was waiting."""
        async with self._db.read() as session:
            rows = await session.execute(
                select(ApprovalRow.id, ApprovalRow.thread_id, ApprovalRow.order_id).where(
                    ApprovalRow.thread_told.is_(False)
                )
            )
            return [(row.id, row.thread_id, row.order_id) for row in rows]

    async def ended_meanwhile(self, thread_id: str) -> list[ApprovalView]:
        """Requests of a thread that the clock or an undo ended; from now on it counts as told of them."""
        row = ApprovalRow
        ended = (row.thread_id == thread_id, row.status != "open", row.thread_told.is_(False))
        async with self._db.read() as session:
            if not await session.scalar(select(row.id).where(*ended).limit(1)):
                return []  # nearly always: then nobody waits for a writer
        async with self._db.write() as session:
            rows = await session.scalars(update(row).where(*ended).values(thread_told=True).returning(row))
            return [view_of(row) for row in rows]
