"""The routes of tickets, for staff: the queue of a role, one ticket, and to take, answer and close it.

Each of the last three runs a command on the ledger; the rules are in `commerce.tickets`.
"""

from typing import Annotated, Any, Final
from uuid import uuid4

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import BaseModel, ConfigDict, StringConstraints

from agent.approvals.models import NOTE_LIMIT
from agent.commerce.commands import Denial
from agent.commerce.policy import policy_denied
from agent.commerce.ticket_commands import AnswerTicket, CloseTicket, TakeTicket, TicketCommand
from agent.commerce.ticket_queue import TicketLine, TicketView
from agent.commerce.tickets import TicketStatus
from agent.identity import Role
from agent.ledger.database import KeyReusedError, digest
from agent.server.callers import caller_of_request
from agent.server.order_routes import IdempotencyKey
from agent.server.permissions import TICKET_OVERSEERS, TICKET_WORKERS
from agent.services import services
from agent.text import STORABLE

router = APIRouter(prefix="/ops/tickets")

_STATUS: Final = {"TICKET-EXISTS": 404, "TICKET-ROLE": 403}


class Answer(BaseModel):
    """What the customer is told."""

    model_config = ConfigDict(extra="forbid")
    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=8_000), STORABLE]


class Close(BaseModel):
    """What staff should know of how it ended."""

    model_config = ConfigDict(extra="forbid")
    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=NOTE_LIMIT), STORABLE] = ""


@router.get("")
async def list_(
    request: Request,
    role: Role | None = None,
    status: TicketStatus | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> dict[str, list[TicketLine] | bool]:
    """The tickets that the caller's role may work on, the most urgent first (of those that are closed the last one),
    and whether there are more; without a status all that are not closed. Overseers see those of the role that they
    name, or of all."""
    caller = caller_of_request(request, *TICKET_WORKERS, *TICKET_OVERSEERS)
    if caller.role not in TICKET_OVERSEERS:
        if role not in (None, caller.role):
            raise _refused("TICKET-ROLE", policy_denied("TICKET-ROLE", f"you are {caller.role}").sentence)
        role = caller.role
    found = await (await services()).tickets.listed(role, status, limit + 1, offset)
    return {"tickets": found[:limit], "more": len(found) > limit}


@router.get("/{ticket_id}")
async def show(ticket_id: str, request: Request) -> TicketView:
    """A ticket with what was said about it."""
    caller = caller_of_request(request, *TICKET_WORKERS, *TICKET_OVERSEERS)
    ticket = await _known(ticket_id)
    if caller.role not in (*ticket["roles"], *TICKET_OVERSEERS):
        raise _refused(
            "TICKET-ROLE", policy_denied("TICKET-ROLE", f"it is for {' or '.join(ticket['roles'])}").sentence
        )
    return ticket


@router.post("/{ticket_id}/take")
async def take(ticket_id: str, request: Request, idempotency_key: IdempotencyKey = None) -> TicketView:
    """Take a ticket on. Nobody else works on it meanwhile, and the desk is silent in its conversation."""
    return await _run(TakeTicket, "take", ticket_id, request, idempotency_key)


@router.post("/{ticket_id}/answer")
async def answer(ticket_id: str, said: Answer, request: Request, idempotency_key: IdempotencyKey = None) -> TicketView:
    """Tell the customer something: they are notified in their conversation."""
    return await _run(AnswerTicket, "answer", ticket_id, request, idempotency_key, text=said.text)


@router.post("/{ticket_id}/close")
async def close(ticket_id: str, said: Close, request: Request, idempotency_key: IdempotencyKey = None) -> TicketView:
    """Close a ticket; the note is for staff."""
    return await _run(CloseTicket, "close", ticket_id, request, idempotency_key, note=said.note)


async def _run(
    form: type[TicketCommand], verb: str, ticket_id: str, request: Request, given: str | None, **arguments: Any
) -> TicketView:
    shop, caller = await services(), caller_of_request(request, *TICKET_WORKERS)
    ticket = await _known(ticket_id)
    key = f"{verb}:{ticket['id']}:{digest([caller.identity, given or uuid4().hex])[:32]}"
    who = {"key": key, "actor": caller.identity, "subject": ticket["customer_id"] or ticket["id"], "role": caller.role}
    try:
        outcome = await shop.commerce.run(form(**(arguments | who | {"ticket_id": ticket["id"]})))
    except KeyReusedError as error:
        raise HTTPException(409, str(error)) from error
    if isinstance(outcome, Denial):
        raise _refused(outcome.rule, outcome.sentence)
    return await _known(ticket_id)


async def _known(ticket_id: str) -> TicketView:
    ticket = await (await services()).tickets.get(ticket_id)
    if ticket is None:
        raise _refused("TICKET-EXISTS", policy_denied("TICKET-EXISTS").sentence)
    return ticket


def _refused(rule: str, sentence: str) -> HTTPException:
    return HTTPException(_STATUS.get(rule, 409), f"{rule}: {sentence}")
