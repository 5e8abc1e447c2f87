"""Whose a conversation is, and what they are notified of. One customer a conversation (CUSTOMER-ONE)."""

from typing import Any

from langchain_core.messages import AIMessage
from langgraph.runtime import Runtime

from agent.approvals.models import ApprovalView
from agent.commerce.policy import policy_denied
from agent.context import Context
from agent.customer_service.claims import claimed_customer
from agent.customer_service.reply_templates import sentence_of
from agent.customer_service.state import DeskState
from agent.identity import caller_of_run
from agent.ledger.database_errors import DatabaseConflictError, DatabaseUnavailableError
from agent.observability.events import emit
from agent.platform import this_thread
from agent.services import Services


async def customer_of(shop: Services, state: DeskState, runtime: Runtime[Context], text: str) -> str | None:
    """Who the customer is: the caller, whom a channel names, or (see `claims`) who they say. One a conversation.

    Raises `PolicyDenied` CUSTOMER-ONE, or ORDER-CUSTOMER when a channel names nobody that exists.
    """
    caller = caller_of_run(runtime)
    if caller is None or caller.role not in ("customer", "channel"):
        raise policy_denied("CUSTOMER-IDENTIFIED")
    vouched, known = vouched_for(runtime), await _known(shop, state, runtime)
    if vouched and (state.get("customer_id") or known or vouched) != vouched:
        raise policy_denied("CUSTOMER-ONE")
    if vouched and not await shop.queries.customer_exists(vouched):
        raise policy_denied("ORDER-CUSTOMER")
    return known or vouched or await claimed_customer(shop, text)


def vouched_for(runtime: Runtime[Context]) -> str | None:
    """The customer whose identity this run's caller vouches for: their own, or that of whom a channel names."""
    caller = caller_of_run(runtime)
    if caller and caller.role == "customer":
        return caller.identity
    return runtime.context.customer_id if caller and caller.role == "channel" and runtime.context else None


async def notify_woken(shop: Services, state: DeskState, runtime: Runtime[Context]) -> dict[str, Any]:
    """The pending notifications of a conversation that was woken; one that is nobody's any more gets no more."""
    if customer_id := await _known(shop, state, runtime):
        return {"customer_id": customer_id, **await pending_messages(shop, state, customer_id, runtime)}
    await shop.notifications.forget_conversation(this_thread(runtime))
    return {}


async def pending_messages(
    shop: Services, state: DeskState, customer_id: str, runtime: Runtime[Context]
) -> dict[str, Any]:
    """The customer's pending notifications, each in a message of its own; no update when there is none."""
    already = {str(message.id) for message in state["messages"] if isinstance(message, AIMessage)}
    pending = await shop.notifications.take_pending(customer_id, this_thread(runtime), already)
    return {"messages": [AIMessage(sentence_of(each), id=each.key) for each in pending]} if pending else {}


async def notify_customer(
    shop: Services, state: DeskState, customer_id: str, runtime: Runtime[Context]
) -> dict[str, Any]:
    """Record where the customer writes, and give `pending_messages`. Both wait while nothing can be written."""
    try:
        await shop.notifications.record_conversation(customer_id, this_thread(runtime))
        return await pending_messages(shop, state, customer_id, runtime)
    except (DatabaseUnavailableError, DatabaseConflictError) as error:
        emit("ledger.unusable", why=str(error))
        return {}


async def ended_meanwhile(shop: Services, runtime: Runtime[Context]) -> list[ApprovalView]:
    """Requests of this conversation that the clock or an undo ended, once each; later, while nothing can be written."""
    try:
        ended = await shop.deadlines.ended_meanwhile(this_thread(runtime))
        for request in ended:
            await shop.notifications.mark_delivered("approval.decided", request["request_id"])
    except (DatabaseUnavailableError, DatabaseConflictError) as error:
        emit("ledger.unusable", why=str(error))
        return []
    return ended


async def _known(shop: Services, state: DeskState, runtime: Runtime[Context]) -> str | None:
    """Whose conversation this is; where its checkpoint was lost, a request that is still open says so.

    Nobody's, when the customer was only claimed and a claim does not (or no longer) reach that far.
    """
    if customer_id := state.get("customer_id"):
        return customer_id if state.get("vouched") or shop.settings.identify_by_claim == "full" else None
    head = await shop.approvals.head(this_thread(runtime))
    return head["subject"] if head else None
