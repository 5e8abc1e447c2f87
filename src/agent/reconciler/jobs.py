"""The reconciler's jobs. Each looks at the ledger, does what is due, and reports {item: what happened}.

A job that fails reports its failure and does not stop the others: the next run tries again. Jobs about approvals are in
`approval_jobs`, those about notifications in `notification_jobs`.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from langgraph.errors import NodeError
from langgraph.types import Command
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import APIStatusError, NotFoundError
from langgraph_sdk.schema import Thread
from typing_extensions import TypedDict  # with typing's own, Python 3.11 serves no schema of the graph

from agent.approvals.models import ApprovalView
from agent.commerce.views import OrderView
from agent.identity import owner_by
from agent.observability.events import emit
from agent.platform import redrive_order, service_client
from agent.services import Services, services

Report = dict[str, dict[str, str]]


def merge(old: Report | None, new: Report) -> Report:
    """Join the jobs' reports."""
    return {**(old or {}), **new}


class ReconcilerState(TypedDict, total=False):
    """What a run found and did, by job and item."""

    report: Annotated[Report, merge]


Update = dict[str, Report]


async def heartbeat(state: ReconcilerState) -> Update:  # noqa: ARG001
    """Note that the reconciler runs; whoever watches over it sees when it does not (`server.cron`)."""
    await (await services()).heartbeat.record()
    return {"report": {}}


async def redrive(state: ReconcilerState) -> Update:  # noqa: ARG001
    """Drive parked, stale and lost orders forward, each on its own thread; have people asked about debts past their
    limit."""
    shop = await services()
    client = await service_client(shop.settings)
    orders = await shop.queries.unfinished(stale_seconds=shop.settings.stale_after_seconds)
    indebted = {debt.order_id for debt in await shop.debts.past_limit()} - {order["id"] for order in orders}
    orders += [await shop.queries.get(order_id) for order_id in sorted(indebted)]
    return {"report": {"orders": {order["id"]: await tried(_take_on(client, shop, order)) for order in orders}}}


async def settle(state: ReconcilerState) -> Update:  # noqa: ARG001
    """Capture what is due for changes, and do what is owed."""
    shop = await services()
    return {"report": {"due": await shop.payments.collect(), "debts": await shop.debts.settle()}}


async def compare(state: ReconcilerState) -> Update:  # noqa: ARG001
    """After a restore, hold the ledger against its payment providers; each difference is a ticket."""
    found = await (await services()).comparison.after_restore()
    return {"report": {"compare": {each.key: each.kind for each in found or ()}}}


async def expire(state: ReconcilerState) -> Update:  # noqa: ARG001
    """Remind of returns and end what was waited for too long; hand to people what does not move."""
    return {"report": {"expired": await (await services()).expiry.enforce_deadlines()}}


def job_failed(state: ReconcilerState, error: NodeError) -> Update:  # noqa: ARG001
    """Report a job that failed; the others go on, and the next run tries it again."""
    emit("reconciler.failed", job=error.node, error=type(error.error).__name__)
    return {"report": {error.node: {"failed": type(error.error).__name__}}}


def failed_before(job: str) -> Callable[[ReconcilerState, NodeError], Command[Any]]:
    """The handler of a job that another one follows: it goes on all the same. A handler takes the place of the edge."""

    def report_and_go_on(state: ReconcilerState, error: NodeError) -> Command[Any]:
        return Command(goto=job, update=job_failed(state, error))

    report_and_go_on.__annotations__["return"] = Command[Literal[job]]  # type: ignore[valid-type]  # for the picture
    return report_and_go_on


async def _take_on(client: LangGraphClient, shop: Services, order: OrderView) -> str:
    thread_id, owner = order["thread_id"], owner_by(order["placed_by"], order["customer_id"])
    thread = await thread_again(client, thread_id, "order_processing", owner)
    if thread["status"] == "busy":
        return "at work"
    requests = await shop.approvals.of_order(order["id"], status="open")
    if still_waits(thread, shop.started_at) and requests:
        await note(shop, thread, requests[-1])
        return "waits for people"
    if thread["status"] == "error":  # its state may be what is wrong: it goes on from the ledger, on a new one
        new_thread = await shop.orders.give_up_thread(order["id"], timedelta(seconds=shop.settings.stale_after_seconds))
        if new_thread is None:
            return "failed lately"
        thread_id = new_thread
        await thread_again(client, thread_id, "order_processing", owner)
    await redrive_order(client, thread_id, order["id"])
    return "driven on"


async def thread_again(client: LangGraphClient, thread_id: str, graph: str, owner: str) -> Thread:
    """A thread as it is; made again for the one whose it was, if it was lost."""
    try:
        return await client.threads.get(thread_id)
    except NotFoundError:
        return await client.threads.create(
            thread_id=thread_id, if_exists="do_nothing", graph_id=graph, metadata={"owner": owner}
        )


async def note(shop: Services, thread: Thread, request: ApprovalView) -> None:
    """See to it that a waiting thread says for whom: it may not have been possible to write that at the time."""
    if (thread.get("metadata") or {}).get("request_id") != request["request_id"]:
        await shop.index.show(thread["thread_id"], request)


def still_waits(thread: Thread, started_at: datetime) -> bool:
    """Whether the thread stands at its interrupt. One that paused before this process started may have lost its
    checkpoint with the process before, though it still says `interrupted`: it is asked again, once."""
    return thread["status"] == "interrupted" and _time(thread["updated_at"]) >= started_at


async def tried(item: Awaitable[str]) -> str:
    """What came of one item; one that the platform refuses does not keep the others waiting."""
    try:
        return await item
    except APIStatusError as error:
        return f"refused ({error.response.status_code})"


def _time(stamp: object) -> datetime:
    return stamp if isinstance(stamp, datetime) else datetime.fromisoformat(str(stamp))
