"""Questions that approvers ask a customer about an open request, and what the customer says to them.

An answer is words for people to read; it is never a decision, whatever it says. Those are in `requests`.
"""

import re
from collections.abc import Sequence
from typing import Final, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.approvals.card import roles_of
from agent.approvals.models import QuestionView
from agent.identity import Caller
from agent.ledger.database import Database, KeyReusedError, PolicyDenied, digest, emit_once_committed
from agent.ledger.tables import ApprovalRow, QuestionRow
from agent.ledger.transactions import reads, writes
from agent.notifications.notify import notify
from agent.text import RULE, is_storable

_ANSWER: Final = re.compile(
    r'[\s“"]*re\b[\s:]*(?P<request>apr-[0-9a-f]+)\b[\s:,.”"]*(?P<words>[^\s:,.”"].*)', re.IGNORECASE | re.DOTALL
)
"""How an answer begins: `re apr-…`, in quotes or with a colon too. Any other message is what it always was."""

Taken = Literal["passed_on", "not_awaited"]


class Questions:
    """Asks, and keeps what was said. A request stays open meanwhile, and its clock runs on."""

    def __init__(self, database: Database) -> None:
        self._db = database

    @writes
    def ask(self, session: Session, request_id: str, text: str, caller: Caller, key: str) -> QuestionView:
        """Ask the customer of a request, once under the caller's `key`; one question of a request waits at a time.

        Raises `KeyReusedError`; `PolicyDenied` TEXT-CHARACTERS, APPROVAL-EXISTS, APPROVAL-ROLE, APPROVAL-ENDED or
        QUESTION-OPEN.
        """
        if not is_storable(text):
            raise PolicyDenied(*RULE.split(": ", 1))
        now, key = self._db.clock(), f"{request_id}:{digest([caller.identity, key])}"
        row = session.get(ApprovalRow, request_id, with_for_update=True)
        if row is None:
            raise PolicyDenied("APPROVAL-EXISTS", "there is no such request")
        asked = _of(session, request_id)
        if again := next((question for question in asked if question.key == key), None):
            if again.text != text:
                raise KeyReusedError(key)
            return _view(again)
        if row.status != "open":
            raise PolicyDenied("APPROVAL-ENDED", f"this request is {row.status}")
        if caller.role not in roles_of(row):
            raise PolicyDenied("APPROVAL-ROLE", f"this step is for {' or '.join(roles_of(row))}")
        if asked and asked[-1].answer is None:
            raise PolicyDenied("QUESTION-OPEN", "the customer has not answered the question before yet")
        number = len(asked) + 1
        question = QuestionRow(
            key=key,
            request_id=request_id,
            number=number,
            asked_by=caller.identity,
            text=text,
            at=now,
            answer=None,
            answered_at=None,
        )
        session.add(question)
        notify(
            session,
            "approval.question",
            f"{request_id}:{number}",
            now=now,
            customer_id=row.subject,
            order_id=row.order_id,
            request_id=request_id,
            question=text,
        )
        emit_once_committed(session, "approval.question_asked", request_id=request_id, number=number)
        return _view(question)

    async def take(self, message: str, customer_id: str) -> Taken | None:
        """Keep a customer's message as their answer, if that is how it begins; None: it is no answer.

        The same message again is the same answer.
        """
        if not (answer := _ANSWER.match(message)):
            return None
        return await self._keep(answer["request"].lower(), answer["words"], customer_id)

    async def take_open(self, message: str, customer_id: str) -> Taken | None:
        """Keep a customer's message as their answer to the one question that is open; None: there is not just one."""
        waiting = await self._waiting(customer_id)
        return await self._keep(waiting[0], message, customer_id) if len(waiting) == 1 else None

    @reads
    def _waiting(self, session: Session, customer_id: str) -> list[str]:
        asked = (QuestionRow.answer.is_(None), ApprovalRow.subject == customer_id, ApprovalRow.status == "open")
        query = select(QuestionRow.request_id).join(ApprovalRow).where(*asked).limit(2)
        return list(session.scalars(query))

    @writes
    def _keep(self, session: Session, request_id: str, words: str, customer_id: str) -> Taken:
        question = session.scalar(
            select(QuestionRow)
            .join(ApprovalRow)
            .where(
                QuestionRow.request_id == request_id,
                ApprovalRow.subject == customer_id,
                ApprovalRow.status == "open",
            )
            .order_by(QuestionRow.number.desc())
            .limit(1)
            .with_for_update(of=QuestionRow)
        )
        if question and question.answer is None:
            question.answer, question.answered_at = words, self._db.clock()
            emit_once_committed(
                session, "approval.question_answered", request_id=question.request_id, number=question.number
            )
        return "passed_on" if question and question.answer == words else "not_awaited"

    @reads
    def of(self, session: Session, request_id: str) -> list[QuestionView]:
        """What was asked about a request, and answered, in order."""
        return [_view(question) for question in _of(session, request_id)]


def _of(session: Session, request_id: str) -> Sequence[QuestionRow]:
    query = select(QuestionRow).where(QuestionRow.request_id == request_id)
    return session.scalars(query.order_by(QuestionRow.number)).all()


def _view(row: QuestionRow) -> QuestionView:
    return QuestionView(
        number=row.number,
        asked_by=row.asked_by,
        text=row.text,
        at=row.at.isoformat(),
        answer=row.answer,
        answered_at=row.answered_at.isoformat() if row.answered_at else None,
    )
