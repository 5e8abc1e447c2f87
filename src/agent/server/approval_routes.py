"""The routes of a request: what became of it, and its questions, which an approver asks the customer.

Deciding is not done here: an answer to a request goes to its thread (`approvals.gate`).
"""

from typing import Annotated, Any, Final
from uuid import uuid4

from fastapi import APIRouter, Header, HTTPException, Request
from pydantic import BaseModel, ConfigDict, StringConstraints
from sqlalchemy.exc import NoResultFound

from agent.approvals.audit import story
from agent.approvals.models import NOTE_LIMIT, QuestionView
from agent.ledger.database import KeyReusedError, PolicyDenied
from agent.server.callers import caller_of_request
from agent.server.permissions import STAFF
from agent.services import services
from agent.text import STORABLE

router = APIRouter(prefix="/ops/approvals")

_STATUS: Final = {"APPROVAL-EXISTS": 404, "APPROVAL-ROLE": 403}


class Ask(BaseModel):
    """What to ask the customer."""

    model_config = ConfigDict(extra="forbid")
    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=NOTE_LIMIT), STORABLE]


@router.get("/{request_id}")
async def show(request_id: str, request: Request) -> dict[str, Any]:
    """A request as the ledger has it, open or not, with what people have said to it; `mine` is what the caller said."""
    shop, caller = await services(), caller_of_request(request, *STAFF)
    try:
        view = await shop.approvals.get(request_id)
    except NoResultFound as error:
        raise HTTPException(404, "APPROVAL-EXISTS: there is no such request") from error
    known = await shop.database.read(lambda session: story(session, shop.approvals.trail, request_id))
    assert known is not None  # noqa: S101  (requests stay; tells the type checker)
    said = ("step", "decision", "actor", "role", "note", "at")
    decisions = [
        {name: each[name] for name in said} | {"mine": each["actor"] == caller.identity} for each in known.decisions
    ]
    return {**view, "decisions": decisions}


@router.post("/{request_id}/ask")
async def ask(
    request_id: str,
    asked: Ask,
    request: Request,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=100)] = None,
) -> QuestionView:
    """Ask the customer about an open request, as somebody who may answer it now. The request stays open.

    The same key again is the same question; without one each is its own.
    """
    shop, caller = await services(), caller_of_request(request, *STAFF)
    try:
        return await shop.questions.ask(request_id, asked.text, caller, idempotency_key or uuid4().hex)
    except PolicyDenied as denial:
        raise HTTPException(_STATUS.get(denial.rule, 409), f"{denial.rule}: {denial.sentence}") from denial
    except KeyReusedError as error:
        raise HTTPException(409, str(error)) from error


@router.get("/{request_id}/questions")
async def questions(request_id: str, request: Request) -> list[QuestionView]:
    """What was asked about a request and answered, for staff; of one that is not there nothing was."""
    caller_of_request(request, *STAFF)
    return await (await services()).questions.of(request_id)
