"""The breakers' routes: how each dependency stands, and an operator's hand on it."""

from dataclasses import asdict
from typing import Any, Literal

from fastapi import APIRouter, HTTPException, Request

from agent.breakers import Breakers
from agent.observability.events import emit
from agent.server.callers import caller_of_request
from agent.services import services

router = APIRouter(prefix="/ops/breakers")


@router.get("")
async def show(request: Request) -> dict[str, Any]:
    """Every breaker. `shared`: whether other workers are heard; null when each learns for itself.

    The last errors are those of the worker that answers.
    """
    caller_of_request(request, "operator", "admin")
    return await _snapshots((await services()).breakers)


@router.post("/{name}/{action}")
async def operate(name: str, action: Literal["force-open", "reset"], request: Request) -> dict[str, Any]:
    """Refuse every call until a reset, or close whatever the state."""
    caller, breakers = caller_of_request(request, "operator", "admin"), (await services()).breakers
    if name not in breakers:
        raise HTTPException(404, f"no breaker {name}; there are: {', '.join(breakers)}")
    if action == "force-open":
        breakers[name].force_open()
    else:
        breakers[name].reset()
    emit("breaker.operated", name=name, action=action, by=caller.identity)
    return await _snapshots(breakers)


async def _snapshots(breakers: Breakers) -> dict[str, Any]:
    snapshots = await breakers.look()
    return {"shared": breakers.shared, "breakers": [asdict(snapshot) for snapshot in snapshots]}
