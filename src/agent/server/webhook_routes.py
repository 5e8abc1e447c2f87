"""What providers and carriers tell on their own account: `POST /webhooks/{source}`, open to anyone who can sign.

A webhook is a hint, never a truth: it may be late, doubled or out of order. It makes us ask whoever sent it.
"""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, HTTPException, Request

from agent.commerce.queries import ParcelView
from agent.ledger.traces import in_trace_of
from agent.observability.events import emit
from agent.providers.carrier import CarrierError
from agent.providers.factory import Reader, Webhooks
from agent.providers.payment import PaymentError
from agent.providers.webhooks import WebhookRefusedError
from agent.resilience import CircuitOpenError
from agent.server.order_routes import look_again
from agent.services import Services, services

router = APIRouter(prefix="/webhooks")


@router.post("/{source}", status_code=204)
async def hear(source: str, request: Request) -> None:
    """Ask the source what has become of the payment, refund or parcel that it speaks of, and have its order go on; note
    a payment that is disputed.

    HTTP 404 for a source that is not configured, 400 for a signature that is not its, 503 when it can't be asked: it
    will send again.
    """
    shop, body = await services(), await request.body()
    readers = shop.providers.webhooks.get(source)
    if not readers:
        raise HTTPException(404, "no such source")
    try:
        hints = [(about, act) for read, act in _ways(shop, readers) if (about := read(request.headers, body))]
    except WebhookRefusedError as error:
        emit("webhook.refused", source=source)
        raise HTTPException(400, str(error)) from error
    order_id = None
    try:
        for about, act in hints:
            order_id = await act(about)
    except (PaymentError, CarrierError, CircuitOpenError) as error:
        raise HTTPException(503, "cannot ask back just now") from error
    if order_id:
        async with in_trace_of(shop.database, order_id, f"webhook {source}"):
            await look_again(shop, order_id)


def _ways(shop: Services, readers: Webhooks) -> list[tuple[Reader, Callable[[str], Awaitable[str | None]]]]:
    """What a webhook may be about, and what is done then; each gives the id of the order that it was about."""
    return [
        (readers.payment, shop.payments.look_up),
        (readers.refund, shop.debts.look_up),
        (readers.dispute, shop.payments.disputed),
        (readers.parcel, lambda parcel_id: _parcel(shop, parcel_id)),
    ]


async def _parcel(shop: Services, parcel_id: str) -> str | None:
    """Note that a parcel has arrived, if its carrier says so; one that waits to leave is its order's to look after."""
    parcel: ParcelView | None = await shop.queries.parcel(parcel_id)
    if parcel is None:
        return None
    if parcel["state"] == "handed_over":
        shipment = await shop.providers.carrier.book(parcel_id, parcel["ship_to"])  # it has it: this only asks
        if shipment.state == "delivered":
            await shop.commerce.delivered(parcel_id, parcel["customer_id"], shop.providers.carrier.name)
    return parcel["order_id"]
