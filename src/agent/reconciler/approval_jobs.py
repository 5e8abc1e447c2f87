"""The reconciler's jobs about requests that people are to decide on, and tickets: none is forgotten.

What time does to a request is in `approvals.deadlines`, and to a ticket in `commerce.ticket_queue`. A thread only
shows a request; the ledger has it.
"""

from collections.abc import AsyncIterator
from itertools import count, islice
from typing import Final

from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import NotFoundError
from langgraph_sdk.schema import Command, Thread, ThreadSelectField

from agent.approvals.deadlines import ThreadToWake
from agent.platform import drive_conversation, is_order_thread, redrive_order, service_client
from agent.reconciler.jobs import ReconcilerState, Update, note, still_waits, thread_again, tried
from agent.services import Services, services

BATCH_SIZE: Final = 500
"""How many threads are looked for in one search."""


async def enforce_deadlines(state: ReconcilerState) -> Update:  # noqa: ARG001
    """Remind of requests, escalate overdue ones, expire those that nobody answered; escalate overdue tickets."""
    shop = await services()
    requests = await shop.deadlines.enforce_deadlines()
    return {"report": {"approvals": {**requests}, "tickets": await shop.tickets.enforce_deadlines()}}


async def wake(state: ReconcilerState) -> Update:  # noqa: ARG001
    """Make threads look again at requests that changed while they waited: escalated, expired or void; or that were
    approved, and what was approved is not made."""
    shop = await services()
    client = await service_client(shop.settings)
    requests = await shop.deadlines.threads_to_wake()
    woken = {request.request_id: await tried(_wake(client, shop, request)) for request in requests}
    return {"report": {"woken": woken}}


async def reopen_conversations(state: ReconcilerState) -> Update:  # noqa: ARG001
    """Have conversations ask that should wait for people and do not: their thread was lost, failed, or rests.

    Orders that wait are looked after by `redrive`.
    """
    shop = await services()
    client = await service_client(shop.settings)
    waiting = {
        thread: owner for thread, owner in (await shop.deadlines.waiting()).items() if not is_order_thread(thread)
    }
    silent = waiting.keys() - await _at_their_interrupt(client, shop, list(waiting))
    asked = {thread: await tried(_ask(client, shop, thread, waiting[thread])) for thread in sorted(silent)}
    return {"report": {"asked": asked}}


async def bring_to_end(state: ReconcilerState) -> Update:  # noqa: ARG001
    """Take threads on that still show a request which was decided: their server lost what came of it, as one that is
    killed may. It is in the ledger, and nothing is done twice."""
    shop = await services()
    client = await service_client(shop.settings)
    late: dict[str, str | None] = {}
    async for threads in _interrupted(client):
        shown = {thread["thread_id"]: request for thread in threads if (request := _shown(thread))}
        ended = await shop.deadlines.ended(shown.values())
        late |= {thread: ended[request] for thread, request in shown.items() if request in ended}
    return {"report": {"ended": {thread: await tried(_take_on(client, thread, late[thread])) for thread in late}}}


async def _interrupted(client: LangGraphClient) -> AsyncIterator[list[Thread]]:
    """All threads that say that they wait, page by page."""
    fields: list[ThreadSelectField] = ["thread_id", "metadata", "interrupts"]
    for page in count():
        threads = await client.threads.search(
            status="interrupted", limit=BATCH_SIZE, offset=page * BATCH_SIZE, select=fields, sort_by="created_at"
        )
        yield threads
        if len(threads) < BATCH_SIZE:
            return


def _shown(thread: Thread) -> str | None:
    """The request that a thread shows; by its note on an engine whose search knows no interrupts."""
    values = [each["value"] for task in (thread.get("interrupts") or {}).values() for each in task]
    shown = [value["request_id"] for value in values if isinstance(value, dict) and "request_id" in value]
    return shown[0] if shown else (thread.get("metadata") or {}).get("request_id")


async def _take_on(client: LangGraphClient, thread_id: str, order_id: str | None) -> str:
    if is_order_thread(thread_id):
        await redrive_order(client, thread_id, order_id or "")
    else:
        await drive_conversation(client, thread_id)
    return "driven on"


async def _at_their_interrupt(client: LangGraphClient, shop: Services, thread_ids: list[str]) -> set[str]:
    """Those of the threads that wait for people, as they should."""
    found: set[str] = set()
    rest = iter(thread_ids)
    while some := list(islice(rest, BATCH_SIZE)):
        threads = await client.threads.search(
            ids=some, status="interrupted", limit=BATCH_SIZE, select=["thread_id", "status", "updated_at", "metadata"]
        )
        waiting = [thread for thread in threads if still_waits(thread, shop.started_at)]
        for thread in waiting:
            unnoted = "request_id" not in (thread["metadata"] or {})
            if unnoted and (head := await shop.approvals.head(thread["thread_id"])):
                await note(shop, thread, head)
        found |= {thread["thread_id"] for thread in waiting}
    return found


async def _ask(client: LangGraphClient, shop: Services, thread_id: str, owner: str) -> str:
    """Have a conversation ask for its open request, from the ledger."""
    thread = await thread_again(client, thread_id, "customer_service", owner)
    if thread["status"] == "busy":
        return "at work"
    if still_waits(thread, shop.started_at):
        return "waits for people"
    await drive_conversation(client, thread_id)
    return "asked again"


async def _wake(client: LangGraphClient, shop: Services, request: ThreadToWake) -> str:
    """Have a waiting thread look at its request again: an order by its id, a conversation by an answer that is none.

    What was approved is made on its thread wherever that stands.
    """
    thread_id, is_approved = request.thread_id, request.status == "approved"
    try:
        thread = await client.threads.get(thread_id)
    except NotFoundError:
        if not is_approved:
            await shop.deadlines.ended_meanwhile(thread_id)  # nobody is left to be told
            return "thread is gone"
        thread = await thread_again(client, thread_id, "customer_service", request.owner)
    if thread["status"] == "busy":
        return "at work"
    if (thread.get("metadata") or {}).get("graph_id") == "order_processing":
        await redrive_order(client, thread_id, request.order_id or "")
        return "woken"
    if is_approved:
        await drive_conversation(client, thread_id)
        return "woken"
    if not still_waits(thread, shop.started_at):
        await shop.deadlines.ended_meanwhile(thread_id)  # it went on without, and hears of it with its next reply
        return str(thread["status"])
    look_again = Command(resume="look again")
    await client.runs.create(thread_id, "customer_service", command=look_again, multitask_strategy="reject")
    return "woken"
