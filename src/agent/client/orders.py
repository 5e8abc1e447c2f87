"""`desk orders`: give orders to the order line and follow them, or look at one.

An order is sent as it was written; whether it is a good one is the server's to say.
"""

import asyncio
import signal
from collections.abc import Iterator
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.console import RenderableType

from agent.client.batch import read_orders, summary, tally, watched
from agent.client.connection import DeskError, ExitCode, sending
from agent.client.runs import read_source
from agent.client.session import Session, remote
from agent.client.show import facts, table
from agent.client.submission import Submission
from agent.money import format_money

OrderId = Annotated[str, typer.Argument(metavar="ID", help="The order's id.")]

Method = Annotated[str, typer.Argument(metavar="METHOD", help="The id of a payment method.")]
Lines = Annotated[list[str], typer.Argument(metavar="LINE:QUANTITY...", help="Numbers of lines, and how many pieces.")]

app = typer.Typer(no_args_is_help=True, help="Submit orders, look at them, and change their course.")


@app.command()
@remote(default_role="channel")
async def submit(
    session: Session,
    file: Annotated[str, typer.Argument(metavar="FILE", help="Orders as JSON lines, one each; - reads stdin.")],
) -> None:
    """Submit orders, a few at once, and follow each to its end.

    An order is accepted when the ledger has it. When a connection breaks, the order is looked up there: it is done, on
    its way, or not known and then sent again under its id. A batch that was cut short goes on when the same command is
    given again: an order that the ledger has is not placed twice.
    """
    rows = read_orders(read_source(file))
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    if task:  # as Ctrl-C does
        loop.add_signal_handler(signal.SIGTERM, task.cancel)
    with watched(session.screen, rows):
        ended = await Submission(session, rows).run()
    session.screen.print(summary(rows))
    again = f"{tally(rows)}. Give the same command again to go on: no order is placed twice"
    if not ended:
        raise DeskError(f"stopped: {again}", ExitCode.INTERRUPTED)
    errors = [(row.name, row.error) for row in rows if row.error]
    if not errors:
        return
    name, first = errors[0]
    codes = {error.exit_code for _, error in errors}
    if codes & {ExitCode.UNKNOWN, ExitCode.UNREACHABLE}:
        code = ExitCode.UNKNOWN if ExitCode.UNKNOWN in codes else ExitCode.UNREACHABLE
        raise DeskError(f"{again}. The first, {name}: {first}", code)
    raise DeskError(
        f"{len(errors)} of {len(rows)} orders did not go through; the first, {name}: {first}",
        codes.pop() if len(codes) == 1 else ExitCode.REFUSED,
    )


@app.command()
@remote(default_role="channel")
async def show(session: Session, order_id: OrderId) -> None:
    """Show an order: lines, payments, parcels, approvals."""
    order = await session.client.http.get(f"/ops/orders/{quote(order_id, safe='')}")
    session.screen.document(order)
    session.screen.print(*_layout(order))


@app.command()
@remote(default_role="channel")
async def cancel(
    session: Session,
    order_id: OrderId,
    reason: Annotated[str, typer.Option(help="no longer needed, or: ordered by mistake.")] = "no longer needed",
) -> None:
    """Cancel an order, at any moment before it is handed over; what was done is undone."""
    await _command(session, order_id, "cancel", {"reason": reason})


@app.command()
@remote(default_role="channel")
async def pay(
    session: Session,
    order_id: OrderId,
    method: Annotated[str, typer.Argument(metavar="METHOD", help="The id of another payment method.")],
) -> None:
    """Pay an order by another method, after its payment was declined or before it leaves."""
    await _command(session, order_id, "pay", {"payment_method_id": method})


@app.command(name="hand-over")
@remote(default_role="warehouse")
async def hand_over(session: Session, order_id: OrderId) -> None:
    """Say that all parcels of an imported order have left: another system ships them."""
    await _command(session, order_id, "hand-over", None)


@app.command()
@remote(default_role="warehouse")
async def deliver(session: Session, order_id: OrderId) -> None:
    """Confirm that all parcels of an order that have left have arrived."""
    await _command(session, order_id, "deliver", None)


@app.command(name="return")
@remote(default_role="channel")
async def give_back(session: Session, order_id: OrderId, method: Method, lines: Lines) -> None:
    """Ask to give back pieces of a delivered order; they are refunded to the method when they are back."""
    await _command(session, order_id, "return", {"lines": _pieces(lines), "payment_method_id": method})


@app.command()
@remote(default_role="channel")
async def exchange(
    session: Session,
    order_id: OrderId,
    method: Method,
    swaps: Annotated[list[str], typer.Argument(metavar="OLD:NEW[:QUANTITY]", help="SKUs, and how many pieces.")],
) -> None:
    """Ask to exchange pieces of a delivered order; the method pays the difference, or gets it."""
    named = [dict(zip(("old", "new", "quantity"), swap.split(":"), strict=False)) for swap in swaps]
    body = [swap | {"quantity": _number(swap.get("quantity", "1"))} for swap in named]
    await _command(session, order_id, "exchange", {"swaps": body, "payment_method_id": method})


@app.command()
@remote(default_role="channel")
async def withdraw(session: Session, order_id: OrderId) -> None:
    """Withdraw a return or an exchange of which nothing has arrived."""
    await _command(session, order_id, "withdraw", None)


@app.command()
@remote(default_role="channel")
async def undo_change(session: Session, order_id: OrderId) -> None:
    """Have the items as they were before a change whose difference was declined."""
    await _command(session, order_id, "undo-change", None)


@app.command()
@remote(default_role="warehouse")
async def receive(
    session: Session,
    order_id: OrderId,
    lines: Annotated[list[str] | None, typer.Argument(metavar="[LINE:QUANTITY]...", help="Without any: all.")] = None,
) -> None:
    """Note what of a return or an exchange has arrived."""
    await _command(session, order_id, "receive", {"lines": _pieces(lines or [])})


def _pieces(lines: list[str]) -> list[dict[str, int]]:
    return [
        {"line": _number(line), "quantity": _number(n or "1")} for line, _, n in (it.partition(":") for it in lines)
    ]


_DIGITS = 9
"""Of the longest number that is read."""


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > _DIGITS:
        raise DeskError(f"{text}: a whole number is needed, as in 1:2", ExitCode.USAGE)
    return int(text)


async def _command(session: Session, order_id: str, verb: str, body: dict[str, Any] | None) -> None:
    with sending(session.url, f"`desk orders show {order_id}` tells whether it was"):
        order = await session.client.http.post(f"/ops/orders/{quote(order_id, safe='')}/{verb}", json=body)
    session.screen.document(order)
    session.screen.print(f"{order['id']}: {order['status']} (stage {order['stage']})")


def _layout(order: dict[str, Any]) -> Iterator[RenderableType]:
    currency = order["currency"]
    yield facts(
        [
            ("order", order["id"]),
            ("customer", order["customer_id"]),
            ("status", order["status"]),
            ("stage", order["stage"]),
            ("reason", order["reason"]),
            ("total", format_money(order["total"], currency)),
            ("placed", order["placed_at"]),
        ]
    )
    tables = {
        "lines": ("sku", "name", "quantity", "unit_price", "reservation"),
        "payments": ("key", "outcome", "amount"),
        "parcels": ("id", "warehouse", "state", "tracking_id"),
        "approvals": ("request_id", "status", "step", "roles"),
    }
    for title, keys in tables.items():
        if order[title]:
            rows = ([_cell(key, entry.get(key), currency) for key in keys] for entry in order[title])
            yield table([key.replace("_", " ") for key in keys], rows, title)


def _cell(key: str, value: Any, currency: str) -> str:
    match value:
        case int() if key in {"unit_price", "amount"}:
            return format_money(value, currency)
        case list():
            return ", ".join(value)
        case None:
            return ""
        case _:
            return str(value)
