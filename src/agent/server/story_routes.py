"""`GET /ops/stories/…`: what the ledger knows of an order or a conversation, for staff. `desk debug` shows it beside
the platform's checkpoints. It only reads."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.identity import Role, owner_by
from agent.ledger.tables import EffectRow, OrderRow, ParcelRow
from agent.platform import order_threads
from agent.server.callers import caller_of_request
from agent.server.permissions import STAFF
from agent.server.story import About, about_order, about_thread, entries
from agent.server.story_outlook import outlook
from agent.services import Services, services

router = APIRouter(prefix="/ops/stories")

Last = Annotated[int, Query(ge=1, le=500)]
"""How many of the latest entries are told."""


@router.get("/orders/{order_id:path}")
async def of_order(order_id: str, request: Request, last: Last = 50) -> dict[str, Any]:
    """An order's story. HTTP 404 for none."""
    reader, shop = caller_of_request(request, *STAFF).role, await services()

    def told(session: Session) -> dict[str, Any] | None:
        order = session.get(OrderRow, order_id)
        return _story(session, shop, about_order(session, order), reader, last) if order else None

    if story := await shop.database.read(told):
        return story
    raise HTTPException(404, f"the ledger knows no order {order_id}")


@router.get("/threads/{thread_id}")
async def of_thread(thread_id: str, request: Request, last: Last = 50) -> dict[str, Any]:
    """The story of the order that is worked on on this thread, or else of the conversation: then `order` is None."""
    reader, shop = caller_of_request(request, *STAFF).role, await services()

    def told(session: Session) -> dict[str, Any]:
        order = session.scalar(select(OrderRow).where(OrderRow.thread_id == thread_id))
        about = about_order(session, order) if order else about_thread(session, thread_id)
        return _story(session, shop, about, reader, last)

    return await shop.database.read(told)


def _story(session: Session, shop: Services, about: About, reader: Role, last: int) -> dict[str, Any]:
    told = entries(session, about, shop.approvals.trail, reader)
    ahead = outlook(session, about, shop.settings, shop.database.clock())
    return {
        "order": _stands(session, about.order) if about.order else None,
        "entries": told[-last:],
        "left_out": max(0, len(told) - last),
        "waits_for": ahead.waits_for,
        "next": ahead.next,
        "commands": ahead.commands,
    }


def _stands(session: Session, order: OrderRow) -> dict[str, Any]:
    """How the order stands; its threads are those of its generations so far, the present one last.

    One that was not placed here, but imported, has had none until something is done with it.
    """
    owner = owner_by(order.placed_by, order.customer_id)
    before = sorted(order_threads(order.id, owner, order.generation) - {order.thread_id or ""})
    parcels = select(ParcelRow.id, ParcelRow.state).where(ParcelRow.order_id == order.id).order_by(ParcelRow.id)
    return {
        "id": order.id,
        "customer_id": order.customer_id,
        "stage": order.stage,
        "status": order.status,
        "reason": order.reason,
        "touched_at": order.touched_at.isoformat(),
        "generation": order.generation,
        "trace_id": order.traceparent.split("-")[1] if order.traceparent else None,
        "placed_here": session.get(EffectRow, f"order:{order.id}:place") is not None,
        "threads": [*before, order.thread_id],
        "parcels": {row.id: row.state for row in session.execute(parcels)},
    }
