"""`desk orders`: give orders to the order line and follow them, or look at one.

An order is sent as it was written; whether it is a good one is the server's to say.
"""

import asyncio
from collections.abc import Iterator
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.console import RenderableType

from agent.client.batch import Row, read_orders, summary, thread_of, watched
from agent.client.connection import DeskError, ExitCode, explained
from agent.client.runs import follow, read_source
from agent.client.session import Session, remote
from agent.client.show import facts, money, table

GRAPH = "order_processing"
AT_ONCE = 4

OrderId = Annotated[str, typer.Argument(metavar="ID")]

Method = Annotated[str, typer.Argument(metavar="METHOD", help="The id of a payment method.")]
Lines = Annotated[list[str], typer.Argument(metavar="LINE:QUANTITY...", help="Numbers of lines, and how many pieces.")]

app = typer.Typer(no_args_is_help=True, help="Submit orders, look at them, and change their course.")


@app.command()
@remote(default_role="channel")
async def submit(
    session: Session,
    file: Annotated[str, typer.Argument(metavar="FILE", help="Orders as JSON lines, one each; - reads stdin.")],
) -> None:
    """Submit orders, a few at once, and follow each to its end."""
    rows = read_orders(read_source(file))
    slots = asyncio.Semaphore(AT_ONCE)
    with watched(session.screen, rows):
        await asyncio.gather(*(_take(session, rows, row, slots) for row in rows))
    session.screen.print(summary(rows))
    if errors := [(row.name, row.error) for row in rows if row.error]:
        name, first = errors[0]
        codes = {error.exit_code for _, error in errors}
        raise DeskError(
            f"{len(errors)} of {len(rows)} orders did not go through; the first, {name}: {first}",
            codes.pop() if len(codes) == 1 else ExitCode.REFUSED,
        )


async def _take(session: Session, rows: list[Row], row: Row, slots: asyncio.Semaphore) -> None:
    """Take one row to its result, when a slot is free, and tell about it."""
    async with slots:
        if row.order:
            try:
                await _send(session, rows, row, row.order)
            except DeskError as error:
                row.error = error
    session.screen.document(row.document())
    _tell(session, row, row.result)


async def _send(session: Session, rows: list[Row], row: Row, order: dict[str, Any]) -> None:
    for other in rows:  # once the server is gone, the rest need not find that out one by one
        if other.error and other.error.exit_code == ExitCode.UNREACHABLE:
            raise other.error

    def progress(text: str) -> None:
        row.doing = text
        _tell(session, row, text)

    progress("sent")
    with explained(session.url):
        outcome = await follow(
            session.client, thread_of(row.name), GRAPH, progress, input={"order": order}, create_thread=True
        )
    row.finish(outcome)


def _tell(session: Session, row: Row, text: str) -> None:
    if not session.screen.live:
        session.screen.progress(f"{row.name}: {text}")


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


def _number(text: str) -> int:
    if not text.isdecimal():
        raise DeskError(f"{text}: a whole number is needed, as in 1:2", ExitCode.USAGE)
    return int(text)


async def _command(session: Session, order_id: str, verb: str, body: dict[str, Any] | None) -> None:
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
            ("total", money(order["total"], currency)),
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
            rows = ([_cell(key, entry[key], currency) for key in keys] for entry in order[title])
            yield table([key.replace("_", " ") for key in keys], rows, title)


def _cell(key: str, value: Any, currency: str) -> str:
    match value:
        case int() if key in {"unit_price", "amount"}:
            return money(value, currency)
        case list():
            return ", ".join(value)
        case None:
            return ""
        case _:
            return str(value)
