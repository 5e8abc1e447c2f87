"""How a database finds what the reconciler and a conversation ask for: every statement that they make, explained.

Both databases are held to it: neither may read from end to end a table that grows.
"""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

from sqlalchemy import Connection, event

from agent.commerce.queries import customer_by_email
from agent.ledger.base import Base
from agent.notifications.staff_addresses import StaffAddress
from agent.notifications.staff_delivery import StaffDelivery
from agent.notifications.webhook import NotDeliveredError
from agent.services import Services
from tests.support.conversations import conversation, say
from tests.support.goods import W1001, W1002

SMALL: Final = frozenset(("products", "variants", "heartbeats", "alembic_version"))
"""Tables that grow with the catalogue and not with what happens in the shop."""

GROWING: Final = frozenset(Base.metadata.tables) - SMALL

Statement = tuple[str, Any]


class DeadAddress(StaffAddress):
    """An address that takes nothing."""

    async def send(self, sentence: str) -> None:
        raise NotDeliveredError(sentence)


@contextmanager
def statements_of(shop: Services) -> Iterator[list[Statement]]:
    """What is asked of the ledger meanwhile, as it is sent to the driver."""
    made: list[Statement] = []

    def note(_: Connection, __: Any, statement: str, parameters: Any, ___: Any, many: bool) -> None:
        if statement.split(maxsplit=1)[0] in ("SELECT", "UPDATE", "DELETE", "WITH"):
            made.append((statement, parameters[0] if many else parameters))

    engine = shop.database._engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield made
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def a_pass(shop: Services) -> None:
    """What each job of the reconciler asks of the ledger."""
    await shop.heartbeat.record()
    await shop.deadlines.enforce_deadlines()
    await shop.deadlines.threads_to_wake()
    await shop.deadlines.waiting()
    await shop.deadlines.ended_meanwhile("thread")
    await shop.deadlines.ended(["request"])
    await shop.expiry.enforce_deadlines()
    await shop.comparison.after_restore()
    for order in await shop.queries.unfinished(stale_seconds=0):
        await shop.approvals.of_order(order["id"], status="open")
    await shop.debts.past_limit()
    await shop.payments.collect()
    await shop.debts.settle()
    await shop.notifications.with_pending()
    await shop.webhook_delivery.deliver()
    await StaffDelivery(shop.database, {"*": DeadAddress(None)}).deliver()
    await shop.tickets.enforce_deadlines()
    await shop.tickets.listed("billing_agent", None, 50)
    await shop.tickets.note("thread", "hello", "message")


async def a_chat() -> None:
    """Turns of a conversation: who it is, where orders are, what is new, a change that is proposed and made."""
    thread = conversation()
    for message in ("where is my order?", f"where is {W1001}?", f"cancel {W1002}, no longer needed", "yes"):
        await say(thread, message)


@asynccontextmanager
async def everything(shop: Services) -> AsyncIterator[list[Statement]]:
    """All statements of a pass and a chat."""
    with statements_of(shop) as made:
        await a_pass(shop)
        await a_chat()
        await shop.database.read(lambda session: customer_by_email(session, "Ada.Park@example.com"))
        await a_pass(shop)
    yield made


def scanned_by_sqlite(connection: Any, statement: str, parameters: Any) -> set[str]:
    """Growing tables that SQLite would read from end to end."""
    rows = connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
    scans = {found[1] for row in rows if (found := re.match(r"SCAN (\w+)", row[3]))}
    return scans & GROWING


def scanned_by_postgres(connection: Any, statement: str, parameters: Any) -> set[str]:
    """Growing tables that PostgreSQL would read from end to end although it was asked not to: it has no other way."""
    rows = connection.execute(f"EXPLAIN {statement}", parameters)
    return {found[1] for row in rows if (found := re.search(r"Seq Scan on (\w+)", row[0]))} & GROWING
