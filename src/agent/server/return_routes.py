"""The routes of what goes back: ask for a return or an exchange, withdraw it, receive it; and undo an unpaid change.

Each runs a command on the ledger, in the customer's name; the rules are in `commerce`.
"""

from typing import Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from agent.commerce.commands import (
    Command,
    LineQuantity,
    ReceiveReturn,
    RequestExchange,
    RequestReturn,
    Swap,
    UndoChange,
    WithdrawReturn,
)
from agent.commerce.types import Id
from agent.identity import Role
from agent.server.callers import caller_of_request
from agent.server.limits import within_rate
from agent.server.order_routes import IdempotencyKey, command_key, run_command, seen_order
from agent.services import services

router = APIRouter(prefix="/ops/orders")


class Return(BaseModel):
    """What is to go back, by order line and quantity, and the method that it is refunded to."""

    model_config = ConfigDict(extra="forbid")
    lines: tuple[LineQuantity, ...] = Field(min_length=1, max_length=100)
    payment_method_id: Id


class Exchange(BaseModel):
    """What is to be exchanged, and the method for the difference."""

    model_config = ConfigDict(extra="forbid")
    swaps: tuple[Swap, ...] = Field(min_length=1, max_length=100)
    payment_method_id: Id


class Received(BaseModel):
    """What has arrived, by order line and quantity; nothing: all that was expected."""

    model_config = ConfigDict(extra="forbid")
    lines: tuple[LineQuantity, ...] = Field(default=(), max_length=100)


@router.post("/{order_id:path}/return", dependencies=[Depends(within_rate)])
async def give_back(
    order_id: str, asked: Return, request: Request, idempotency_key: IdempotencyKey = None
) -> dict[str, Any]:
    """Ask to give back what was delivered (RETURN-STATUS)."""
    arguments = {"lines": asked.lines, "payment_method_id": asked.payment_method_id}
    return await _of_customer(RequestReturn, "return", order_id, request, idempotency_key, **arguments)


@router.post("/{order_id:path}/exchange", dependencies=[Depends(within_rate)])
async def exchange(
    order_id: str, asked: Exchange, request: Request, idempotency_key: IdempotencyKey = None
) -> dict[str, Any]:
    """Ask to exchange what was delivered (EXCHANGE-STATUS)."""
    arguments = {"swaps": asked.swaps, "payment_method_id": asked.payment_method_id}
    return await _of_customer(RequestExchange, "exchange", order_id, request, idempotency_key, **arguments)


@router.post("/{order_id:path}/withdraw", dependencies=[Depends(within_rate)])
async def withdraw(order_id: str, request: Request, idempotency_key: IdempotencyKey = None) -> dict[str, Any]:
    """Withdraw a return or an exchange of which nothing has arrived (REQUEST-WITHDRAW)."""
    return await _of_customer(WithdrawReturn, "withdraw", order_id, request, idempotency_key)


@router.post("/{order_id:path}/undo-change", dependencies=[Depends(within_rate)])
async def undo_change(order_id: str, request: Request, idempotency_key: IdempotencyKey = None) -> dict[str, Any]:
    """Have the items as they were before a change whose difference was declined (CHANGE-UNPAID)."""
    return await _of_customer(UndoChange, "undo-change", order_id, request, idempotency_key)


@router.post("/{order_id:path}/receive")
async def receive(
    order_id: str, asked: Received, request: Request, idempotency_key: IdempotencyKey = None
) -> dict[str, Any]:
    """Note what of a return has arrived (RETURN-RECEIVED)."""
    roles: tuple[Role, ...] = ("warehouse",)
    lines = asked.lines
    return await _run(ReceiveReturn, "receive", order_id, request, given=idempotency_key, roles=roles, lines=lines)


async def _of_customer(
    form: type[Command], verb: str, order_id: str, request: Request, given: str | None, **arguments: Any
) -> dict[str, Any]:
    roles: tuple[Role, ...] = ("customer", "channel")
    return await _run(form, verb, order_id, request, given=given, roles=roles, **arguments)


async def _run(
    form: type[Command],
    verb: str,
    order_id: str,
    request: Request,
    *,
    given: str | None,
    roles: tuple[Role, ...],
    **arguments: Any,
) -> dict[str, Any]:
    shop, caller = await services(), caller_of_request(request, *roles)
    order = await seen_order(shop, order_id, caller)
    who = {"key": command_key(verb, order_id, given), "actor": caller.identity, "subject": order["customer_id"]}
    command = form(**(arguments | who | {"order_id": order_id}))
    return await run_command(shop, command, order_id)
