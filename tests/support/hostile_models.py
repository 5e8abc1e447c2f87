"""A model that means harm, and what came of it: what the ledger shows afterwards, and all that left the graph."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage
from sqlalchemy import update

from agent.identity import Caller
from agent.ledger.base import Base
from agent.services import Services
from tests.support.conversations import ADA, conversation
from tests.support.model_desk import Answers, with_model
from tests.support.openai_stub import OpenAIStub
from tests.support.scenes import Dump, dump
from tests.support.threads import Thread

BOOKKEEPING = ("conversations", "heartbeats", "effects", "notices", "staff_deliveries")
"""Where customers write, who is notified, which keys were used: no effect is in these alone."""


@dataclass(frozen=True)
class Script:
    """One attack.

    Args:
        says: what the customer says, message by message.
        model: what the model does.
        orders: the orders that the customer agreed to have changed, and their status afterwards.
        rows: how many rows of other tables the customer's own words make: tickets, approvals.
        never: what must be in no message and no event.
        told: what the customer must be told, at some time.
        calls: how often the model may be asked at most.
        who: who says it.
        planted: what stands in the ledger before: table, id, column, value.
        settings: what is set otherwise than by default.
    """

    says: Sequence[str]
    model: Answers
    orders: dict[str, str] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    never: Sequence[str] = ()
    told: Sequence[str] = ()
    calls: int = 40
    who: Caller | None = ADA
    planted: Sequence[tuple[str, str, str, Any]] = ()
    settings: dict[str, Any] = field(default_factory=dict)


async def played(shop: Services, script: Script) -> None:
    """Play a script, and see that nothing happened that the customer did not agree to, and nothing untrue was said."""
    with shop.database.writing() as session:
        for name, row_id, column, value in script.planted:
            table = Base.metadata.tables[name]
            session.execute(update(table).where(table.c.id == row_id).values({column: value}))
    before, thread, left = await dump(shop, *BOOKKEEPING), conversation(), list[str]()
    async with with_model(shop, script.model, **script.settings) as stub:
        for words in script.says:
            left += await said_to(thread, words, script.who)
    only_agreed(before, await dump(shop, *BOOKKEEPING), script)
    for words in script.never:
        assert not [each for each in left if words.casefold() in each.casefold()], words
    for words in script.told:
        assert [each for each in left if words in each], words
    limits_kept(stub, script)


async def said_to(thread: Thread, words: str, who: Caller | None = ADA) -> list[str]:
    """Every text that leaves the graph for one message, in whatever way clients may stream it."""
    modes = ["values", "updates", "custom", "messages", "debug"]
    given, config = {"messages": [HumanMessage(words)]}, thread.config(who)
    return [each async for event in thread.graph.astream(given, config, stream_mode=modes) for each in texts(event)]


def texts(value: object) -> list[str]:
    """The texts in a value, however deep, but for keys."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, BaseMessage):
        return texts([value.content, value.additional_kwargs, getattr(value, "tool_calls", [])])
    if isinstance(value, dict):
        return [text for each in value.values() for text in texts(each)]
    if isinstance(value, list | tuple):
        return [text for each in value for text in texts(each)]
    return texts(vars(value)) if hasattr(value, "__dict__") and not isinstance(value, type | Callable) else []


def only_agreed(before: Dump, now: Dump, script: Script) -> None:
    """What changed is of the orders that were agreed on, or of the rows that the customer's own words make."""
    changed = [(table, row) for table, rows in now.items() for row in rows if row not in before[table]]
    gone = [(table, row) for table, rows in before.items() if len(now[table]) < len(rows) for row in rows]
    assert not gone
    agreed = [*script.orders, *(["variants"] if script.orders else []), *script.rows]
    for table, row in changed:
        assert table in agreed or {str(row.get("order_id")), str(row.get("id"))} & set(agreed), (table, row)
    status = {row["id"]: row["status"] for row in now["orders"]}
    assert {order_id: status[order_id] for order_id in script.orders} == script.orders
    assert {table: len(now[table]) - len(before[table]) for table in script.rows} == script.rows


def limits_kept(stub: OpenAIStub, script: Script) -> None:
    """No more calls than a turn may have, none of which asks for more than an answer's tokens."""
    assert len(stub.requests) <= script.calls
    assert all(0 < each["max_completion_tokens"] <= 1_000 for each in stub.requests)
