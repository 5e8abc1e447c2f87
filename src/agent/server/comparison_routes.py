"""`POST /ops/compare`: has the ledger held against its payment providers, which it alone may ask."""

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request

from agent.commerce.comparison import DAYS
from agent.providers.payment import PaymentError
from agent.resilience import CircuitOpenError
from agent.server.callers import caller_of_request
from agent.services import services

router = APIRouter(prefix="/ops/compare")


@router.post("")
async def compare(request: Request, days: Annotated[int, Query(ge=1, le=366)] = DAYS) -> dict[str, Any]:
    """All money that ledger and providers do not agree on, of the last `days`; each difference has a ticket.

    HTTP 503 when a provider can't be asked.
    """
    caller_of_request(request, "operator", "admin")
    shop = await services()
    since = shop.database.clock() - timedelta(days=days)
    try:
        found = await shop.comparison.compare(since)
    except (PaymentError, CircuitOpenError) as error:
        raise HTTPException(503, f"a payment provider can't be asked now: {error}") from error
    return {"since": since.isoformat(), "differences": [asdict(each) for each in found]}
