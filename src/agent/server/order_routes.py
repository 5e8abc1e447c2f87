"""The routes of an order: look at it, cancel it, pay it by another method, confirm its delivery.

Each runs a command on the ledger, in the customer's name; the order's graph honours it at its next step.
"""

from typing import Annotated, Any
from uuid import uuid4

import httpx
from fastapi import APIRouter, Depends, Header, HTTPException, Request
from langgraph_sdk.errors import LangGraphError
from pydantic import BaseModel, ConfigDict, Field

from agent.commerce.commands import CancelOrder, Command, Denial, MarkHandedOver, SwapPayment
from agent.commerce.policy import RULES
from agent.commerce.types import Id
from agent.commerce.views import OrderView
from agent.identity import Caller
from agent.ledger.database import KeyReusedError, PolicyDenied, digest
from agent.observability.events import emit
from agent.platform import redrive_order, service_client
from agent.server.callers import caller_of_request
from agent.server.limits import within_rate
from agent.services import Services, services
from agent.text import Text

router = APIRouter(prefix="/ops/orders")

IdempotencyKey = Annotated[str | None, Header(min_length=1, max_length=100)]
"""The same key again is the same request; without one each request is its own."""


class Cancel(BaseModel):
    """Why an order is cancelled (CANCEL-REASON)."""

    model_config = ConfigDict(extra="forbid")
    reason: Text = Field(max_length=100)


class Pay(BaseModel):
    """The payment method that takes the place of the present one."""

    model_config = ConfigDict(extra="forbid")
    payment_method_id: Id


@router.get("/{order_id:path}")
async def show(order_id: str, request: Request) -> dict[str, Any]:
    """An order as the ledger has it; customers see their own."""
    shop, caller = await services(), caller_of_request(request)
    view = await seen_order(shop, order_id, caller)
    rule = view["reason"]
    denial = {"rule": rule, "sentence": RULES[rule]} if rule in RULES else None
    return {**view, "denial": denial, "approvals": await shop.approvals.of_order(order_id)}


@router.post("/{order_id:path}/cancel", dependencies=[Depends(within_rate)])
async def cancel(
    order_id: str, asked: Cancel, request: Request, idempotency_key: IdempotencyKey = None
) -> dict[str, Any]:
    """Cancel an order at any moment before it is handed over (CANCEL-STATUS)."""
    shop, caller = await services(), caller_of_request(request, "customer", "channel")
    order = await seen_order(shop, order_id, caller)
    key = command_key("cancel", order_id, idempotency_key)
    command = CancelOrder(
        key=key, actor=caller.identity, subject=order["customer_id"], order_id=order_id, reason=asked.reason
    )
    return await run_command(shop, command, order_id)


@router.post("/{order_id:path}/pay", dependencies=[Depends(within_rate)])
async def pay(order_id: str, asked: Pay, request: Request, idempotency_key: IdempotencyKey = None) -> dict[str, Any]:
    """Pay by another method, after a decline or before anything is handed over (PAYMENT-STATUS)."""
    shop, caller = await services(), caller_of_request(request, "customer", "channel")
    order = await seen_order(shop, order_id, caller)
    key = command_key("pay", order_id, idempotency_key)
    command = SwapPayment(
        key=key,
        actor=caller.identity,
        subject=order["customer_id"],
        order_id=order_id,
        payment_method_id=asked.payment_method_id,
    )
    return await run_command(shop, command, order_id)


@router.post("/{order_id:path}/hand-over")
async def hand_over(order_id: str, request: Request) -> dict[str, Any]:
    """Note that the parcels of an order which another system ships have left. HTTP 409 with the rule in the way."""
    shop, caller = await services(), caller_of_request(request, "warehouse")
    order = await seen_order(shop, order_id, caller)
    here = [parcel["id"] for parcel in order["parcels"] if parcel["state"] in ("planned", "booked")]
    if order["stage"] != "imported" or not here:
        raise HTTPException(409, "PARCEL-STATE: no parcel of this order waits for another system than the carrier")
    for parcel in here:
        command = MarkHandedOver(
            key=f"parcel:{parcel}:hand-over", actor=caller.identity, subject=order["customer_id"], parcel_id=parcel
        )
        if isinstance(answer := await shop.commerce.run(command), Denial):
            raise HTTPException(409, f"{answer.rule}: {answer.sentence}")
    return {**await shop.queries.get(order_id)}


@router.post("/{order_id:path}/deliver")
async def deliver(order_id: str, request: Request) -> dict[str, Any]:
    """Confirm that all parcels that have left have arrived (PARCEL-STATE)."""
    shop, caller = await services(), caller_of_request(request, "warehouse")
    order = await seen_order(shop, order_id, caller)
    left = [parcel["id"] for parcel in order["parcels"] if parcel["state"] == "handed_over"]
    if not left:
        raise HTTPException(409, "PARCEL-STATE: no parcel of this order is on its way")
    for parcel in left:
        await shop.commerce.delivered(parcel, order["customer_id"], caller.identity)
    return {**await shop.queries.get(order_id)}


async def look_again(shop: Services, order_id: str) -> None:
    """Have an order that rests go on from the ledger, at once. One that is at work sees the change at its next step,
    and when the platform can't be reached the reconciler does this."""
    try:
        order = await shop.queries.get(order_id)
        await redrive_order(await service_client(shop.settings), order["thread_id"], order_id)
    except (LangGraphError, httpx.HTTPError) as error:
        emit("order.driven_later", order_id=order_id, error=type(error).__name__)


async def seen_order(shop: Services, order_id: str, caller: Caller) -> OrderView:
    """The order, if this caller may see it. Raises HTTP 404, the same for another's as for none."""
    try:
        return await shop.queries.get(order_id, customer_id=caller.identity if caller.role == "customer" else None)
    except PolicyDenied as denial:
        raise HTTPException(404, f"{denial.rule}: {denial.sentence}") from denial


async def run_command(shop: Services, command: Command, order_id: str) -> dict[str, Any]:
    """Run a command and have the order go on; a denial is HTTP 409 with its rule."""
    try:
        answer = await shop.commerce.run(command)
    except KeyReusedError as error:
        raise HTTPException(409, str(error)) from error
    if isinstance(answer, Denial):
        raise HTTPException(409, f"{answer.rule}: {answer.sentence}")
    await look_again(shop, order_id)
    return answer


def command_key(verb: str, order_id: str, given: str | None) -> str:
    """The key of a command that is asked for over HTTP. Each is as long: one that was cut would be another's."""
    return f"{verb}:{order_id}:{digest(given or uuid4().hex)[:32]}"
