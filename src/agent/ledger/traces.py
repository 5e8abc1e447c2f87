"""The trace of an order, kept with it: whatever is done for it, in whatever process, on whatever day, is there.

It is the W3C traceparent of the span in which the order was placed; None, where nothing was traced then.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import ColumnElement, select

from agent.ledger.database import Database
from agent.ledger.database_errors import UNUSABLE
from agent.ledger.tables import OrderRow
from agent.observability import tracing


async def trace_of_thread(database: Database, thread_id: str) -> str | None:
    """The trace of the order of a thread."""
    return await _kept(database, OrderRow.thread_id == thread_id)


@asynccontextmanager
async def in_trace_of(database: Database, order_id: str, doing: str) -> AsyncIterator[None]:
    """What is done meanwhile for an order is in its trace, as a span of this name, whoever's run does it."""
    if not tracing.is_on():
        yield
        return
    parent = await _kept(database, OrderRow.id == order_id)
    if parent and tracing.is_within(parent):
        parent = None  # beneath what goes on there
    with tracing.span(doing, parent, **{"desk.order_id": order_id}):
        yield


async def _kept(database: Database, which: ColumnElement[bool]) -> str | None:
    """A ledger that is away has none: nothing waits for a trace."""
    query = select(OrderRow.traceparent).where(which).limit(1)
    try:
        return await database.read(lambda session: session.scalar(query))
    except UNUSABLE:
        return None
