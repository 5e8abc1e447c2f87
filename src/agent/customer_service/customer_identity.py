"""Whose a conversation is, and what they are notified of. One customer a conversation (CUSTOMER-ONE)."""

from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage
from langgraph.runtime import Runtime
from sqlalchemy.orm import Session

from agent.approvals.deadlines import has_ended
from agent.approvals.models import ApprovalView
from agent.approvals.requests import head_of
from agent.commerce.policy import policy_denied
from agent.commerce.queries import is_customer
from agent.commerce.ticket_queue import is_held
from agent.context import Context
from agent.customer_service.claims import claimed_customer
from agent.customer_service.message_history import is_notification
from agent.customer_service.reply_templates import sentence_of
from agent.customer_service.state import DeskState
from agent.identity import caller_of_run
from agent.ledger.database_errors import DatabaseConflictError, DatabaseUnavailableError
from agent.notifications.conversations import NO_NEWS, News
from agent.observability.events import emit
from agent.platform import this_thread
from agent.services import Services


@dataclass(frozen=True)
class Standing:
    """What the ledger says of a conversation when something comes in. What is written later looks at it again.

    Args:
        customer_id: whose it is, as far as anybody knows.
        is_held: a person has it, and the desk is silent.
        news: what there is to write of it.
    """

    customer_id: str | None
    is_held: bool = False
    news: News = NO_NEWS


async def standing(shop: Services, state: DeskState, runtime: Runtime[Context], text: str) -> Standing:
    """Who the customer is: the caller, whom a channel names, or (see `claims`) who they say; one a conversation.

    All that is read of the ledger before a message is understood is read here, at once. Raises `PolicyDenied`
    CUSTOMER-ONE, or ORDER-CUSTOMER when a channel names nobody that exists.
    """
    caller = caller_of_run(runtime)
    if caller is None or caller.role not in ("customer", "channel"):
        raise policy_denied("CUSTOMER-IDENTIFIED")
    vouched = vouched_for(runtime)

    def read(session: Session) -> Standing:
        known = _known(shop, session, state, runtime)
        if vouched and (state.get("customer_id") or known or vouched) != vouched:
            raise policy_denied("CUSTOMER-ONE")
        if vouched and not is_customer(session, vouched):
            raise policy_denied("ORDER-CUSTOMER")
        return _standing(shop, session, state, runtime, known or vouched or claimed_customer(shop, session, text))

    return await shop.database.read(read)


def _standing(
    shop: Services, session: Session, state: DeskState, runtime: Runtime[Context], customer_id: str | None
) -> Standing:
    if customer_id is None:
        return Standing(None)
    thread_id = this_thread(runtime)
    news = shop.notifications.news_of(session, customer_id, thread_id, _delivered(state))
    return Standing(customer_id, is_held(session, thread_id), news)


def vouched_for(runtime: Runtime[Context]) -> str | None:
    """The customer whose identity this run's caller vouches for: their own, or that of whom a channel names."""
    caller = caller_of_run(runtime)
    if caller and caller.role == "customer":
        return caller.identity
    return runtime.context.customer_id if caller and caller.role == "channel" and runtime.context else None


async def notify_woken(shop: Services, state: DeskState, runtime: Runtime[Context]) -> dict[str, Any]:
    """The pending notifications of a conversation that was woken; one that is nobody's any more gets no more."""

    def read(session: Session) -> Standing:
        return _standing(shop, session, state, runtime, _known(shop, session, state, runtime))

    woken = await shop.database.read(read)
    if woken.customer_id:
        return {"customer_id": woken.customer_id, **await _pending_messages(shop, state, woken, runtime)}
    await shop.notifications.forget_conversation(this_thread(runtime))
    return {}


async def _pending_messages(
    shop: Services, state: DeskState, found: Standing, runtime: Runtime[Context]
) -> dict[str, Any]:
    """The customer's pending notifications, each in a message of its own; no update when there is none."""
    if not found.customer_id or not found.news.has_pending:
        return {}
    pending = await shop.notifications.take_pending(found.customer_id, this_thread(runtime), _delivered(state))
    return {"messages": [AIMessage(sentence_of(each), id=each.key) for each in pending]} if pending else {}


def _delivered(state: DeskState) -> set[str]:
    """The ids of the notifications that the conversation shows."""
    return {str(message.id) for message in state["messages"] if is_notification(message)}


async def notify_customer(
    shop: Services, state: DeskState, found: Standing, runtime: Runtime[Context]
) -> dict[str, Any]:
    """Record where the customer writes, and give what is pending. Both wait while nothing can be written."""
    try:
        if found.customer_id and not found.news.is_recorded:
            await shop.notifications.record_conversation(found.customer_id, this_thread(runtime))
        return await _pending_messages(shop, state, found, runtime)
    except (DatabaseUnavailableError, DatabaseConflictError) as error:
        emit("ledger.unusable", why=str(error))
        return {}


async def requests_here(shop: Services, runtime: Runtime[Context]) -> tuple[list[ApprovalView], ApprovalView | None]:
    """Requests of this conversation that the clock or an undo ended, once each; and the one that it waits for.

    Those that ended come later, while nothing can be written.
    """
    thread_id = this_thread(runtime)
    some_ended, head = await shop.database.read(
        lambda session: (has_ended(session, thread_id), head_of(session, thread_id))
    )
    if not some_ended:
        return [], head
    try:
        ended = await shop.deadlines.take_ended(thread_id)
        for request in ended:
            await shop.notifications.mark_delivered("approval.decided", request["request_id"])
    except (DatabaseUnavailableError, DatabaseConflictError) as error:
        emit("ledger.unusable", why=str(error))
        return [], head
    return ended, head


def _known(shop: Services, session: Session, state: DeskState, runtime: Runtime[Context]) -> str | None:
    """Whose conversation this is; where its checkpoint was lost, a request that is still open says so.

    Nobody's, when the customer was only claimed and a claim does not (or no longer) reach that far.
    """
    if customer_id := state.get("customer_id"):
        return customer_id if state.get("vouched") or shop.settings.identify_by_claim == "full" else None
    head = head_of(session, this_thread(runtime))
    return head["subject"] if head else None
