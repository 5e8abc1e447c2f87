"""Threads as the platform shows them, on aegra, whose own know neither values nor interrupts nor other owners.

These routes stand before the engine's of the same path.
"""

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from aegra_api.core.orm import Thread, _get_session_maker
from aegra_api.services.langgraph_service import get_langgraph_service
from aegra_api.services.thread_state_service import ThreadStateService
from fastapi import APIRouter, HTTPException, Request
from fastapi.encoders import jsonable_encoder
from pydantic import BaseModel, Field
from sqlalchemy import Select, select

from agent.identity import owner_of
from agent.server.callers import caller_of_request
from agent.server.permissions import reach
from agent.settings import settings

router = APIRouter()

_KEPT_IN_STATE: Final = frozenset(("values", "interrupts"))


class Search(BaseModel):
    """What of the platform's search our clients use."""

    metadata: dict[str, Any] = {}
    ids: list[UUID] | None = None
    status: Literal["idle", "busy", "interrupted", "error"] | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 10
    offset: Annotated[int, Field(ge=0)] = 0
    sort_by: Literal["thread_id", "status", "created_at", "updated_at"] = "created_at"
    sort_order: Literal["asc", "desc"] = "desc"
    select: list[str] | None = None


@router.get("/threads/{thread_id}")
async def get_thread(thread_id: UUID, request: Request) -> dict[str, Any]:
    """A thread with its values and what waits there. HTTP 404 also for one that is somebody else's."""
    async with _get_session_maker()() as session:
        row = await session.scalar(_visible(request, "read").where(Thread.thread_id == str(thread_id)))
    if row is None:
        raise HTTPException(404, f"Thread with ID {thread_id} not found")
    return await _shown(row, None)


@router.post("/threads/search")
async def search_threads(search: Search, request: Request) -> list[dict[str, Any]]:
    """A page of threads: one's own, or everybody's."""
    column = getattr(Thread, search.sort_by)
    found = _visible(request, "search").order_by(column if search.sort_order == "asc" else column.desc())
    if search.metadata:
        found = found.where(Thread.metadata_json.op("@>")(search.metadata))
    if search.ids is not None:
        found = found.where(Thread.thread_id.in_([str(each) for each in search.ids]))
    if search.status:
        found = found.where(Thread.status == search.status)
    async with _get_session_maker()() as session:
        rows = (await session.scalars(found.limit(search.limit).offset(search.offset))).all()
    return [await _shown(row, search.select) for row in rows]


def _visible(request: Request, action: str) -> Select[Any]:
    caller = caller_of_request(request)
    whose = reach(caller, settings(), "threads", action)
    if whose is None:
        raise HTTPException(403, f"role {caller.role} may not {action} threads")
    return select(Thread) if whose == "all" else select(Thread).where(Thread.user_id == owner_of(caller))


async def _shown(row: Any, fields: list[str] | None) -> dict[str, Any]:
    thread = {
        "thread_id": row.thread_id,
        "status": row.status,
        "metadata": row.metadata_json or {},
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }
    if fields is None or _KEPT_IN_STATE & set(fields):
        thread |= await _state(row)
    return {name: value for name, value in jsonable_encoder(thread).items() if fields is None or name in fields}


async def _state(row: Any) -> dict[str, Any]:
    graph_id = (row.metadata_json or {}).get("graph_id")
    service = get_langgraph_service()
    if graph_id not in service.list_graphs():
        return {"values": {}, "interrupts": {}}
    config = {"configurable": {"thread_id": row.thread_id}}
    async with service.get_graph(graph_id, config=config, access_context="threads.read") as graph:
        state = ThreadStateService().convert_snapshot_to_thread_state(await graph.aget_state(config), row.thread_id)
    waiting = {task["id"]: task["interrupts"] for task in state.tasks if task.get("interrupts")}
    return {"values": state.values, "interrupts": waiting if row.status == "interrupted" else {}}
