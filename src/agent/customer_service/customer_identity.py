"""Whose a conversation is, and what they are notified of. One customer a conversation (CUSTOMER-ONE)."""

from dataclasses import dataclass
from typing import Any, Final

from langchain_core.messages import AIMessage
from langgraph.runtime import Runtime
from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.approvals.deadlines import SOME_ENDED
from agent.approvals.models import ApprovalView
from agent.approvals.requests import HEAD_ID, view_with_id
from agent.commerce.policy import policy_denied
from agent.commerce.queries import IS_CUSTOMER
from agent.commerce.ticket_queue import IS_HELD
from agent.context import Context
from agent.customer_service.claims import claimed_customer
from agent.customer_service.message_history import is_notification
from agent.customer_service.reply_templates import sentence_of
from agent.customer_service.state import DeskState
from agent.identity import caller_of_run
from agent.ledger.database_errors import DatabaseConflictError, DatabaseUnavailableError
from agent.notifications.conversations import HAS_PENDING, IS_RECORDED
from agent.observability.events import emit
from agent.platform import this_thread
from agent.services import Services


@dataclass(frozen=True)
class Standing:
    """How a conversation stands in the ledger when something comes in; what is written looks at it again.

    Args:
        customer_id: whose it is, as far as anybody knows.
        request_id: the open request that it waits for.
        is_customer: the shop knows the customer.
        is_held: a person has it, and the desk is silent.
        is_recorded: it is known as the one in which the customer last wrote.
        has_pending: there are notifications to deliver in it.
    """

    customer_id: str | None
    request_id: str | None
    is_customer: bool
    is_held: bool
    is_recorded: bool
    has_pending: bool


async def standing(shop: Services, state: DeskState, runtime: Runtime[Context], text: str) -> Standing:
    """Who the customer is: the caller, whom a channel names, or (see `claims`) who they say; one a conversation.

    All that the ledger must say before a message is understood is asked here, at once. Raises `PolicyDenied`
    CUSTOMER-ONE, or ORDER-CUSTOMER when a channel names nobody that exists.
    """
    caller = caller_of_run(runtime)
    if caller is None or caller.role not in ("customer", "channel"):
        raise policy_denied("CUSTOMER-IDENTIFIED")
    vouched = vouched_for(runtime)

    def read(session: Session) -> Standing:
        found = _standing(shop, session, state, runtime, _of_state(shop, state) or vouched)
        known = _known(shop, session, state, found.request_id)
        if vouched and (state.get("customer_id") or known or vouched) != vouched:
            raise policy_denied("CUSTOMER-ONE")
        if vouched and not found.is_customer:
            raise policy_denied("ORDER-CUSTOMER")
        customer_id = known or vouched or claimed_customer(shop, session, text)
        return found if customer_id == found.customer_id else _standing(shop, session, state, runtime, customer_id)

    return await shop.database.read(read)


_STANDING: Final = select(HEAD_ID, IS_CUSTOMER, IS_HELD, IS_RECORDED, HAS_PENDING)


def _standing(
    shop: Services, session: Session, state: DeskState, runtime: Runtime[Context], customer_id: str | None
) -> Standing:
    about = shop.notifications.about(customer_id, this_thread(runtime), _delivered(state))
    return Standing(customer_id, *session.connection().execute(_STANDING, about).one())


def vouched_for(runtime: Runtime[Context]) -> str | None:
    """The customer whose identity this run's caller vouches for: their own, or that of whom a channel names."""
    caller = caller_of_run(runtime)
    if caller and caller.role == "customer":
        return caller.identity
    return runtime.context.customer_id if caller and caller.role == "channel" and runtime.context else None


async def notify_woken(shop: Services, state: DeskState, runtime: Runtime[Context]) -> dict[str, Any]:
    """The pending notifications of a conversation that was woken; one that is nobody's any more gets no more."""

    def read(session: Session) -> Standing:
        found = _standing(shop, session, state, runtime, _of_state(shop, state))
        customer_id = _known(shop, session, state, found.request_id)
        return found if customer_id == found.customer_id else _standing(shop, session, state, runtime, customer_id)

    woken = await shop.database.read(read)
    if woken.customer_id:
        return {"customer_id": woken.customer_id, **await _pending_messages(shop, state, woken, runtime)}
    await shop.notifications.forget_conversation(this_thread(runtime))
    return {}


async def _pending_messages(
    shop: Services, state: DeskState, found: Standing, runtime: Runtime[Context]
) -> dict[str, Any]:
    """The customer's pending notifications, each in a message of its own; no update when there is none."""
    if not found.customer_id or not found.has_pending:
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
        if found.customer_id and not found.is_recorded:
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

    def read(session: Session) -> tuple[bool, ApprovalView | None]:
        some_ended, head_id = session.connection().execute(_REQUESTS, {"of_thread": thread_id}).one()
        return some_ended, view_with_id(session, head_id)

    some_ended, head = await shop.database.read(read)
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


_REQUESTS: Final = select(SOME_ENDED, HEAD_ID)


def _of_state(shop: Services, state: DeskState) -> str | None:
    """Whose conversation this is by its state; nobody's, when the customer was only claimed and a claim does not (or no
    longer) reach that far."""
    sure = state.get("vouched") or shop.settings.identify_by_claim == "full"
    return state.get("customer_id") if sure else None


def _known(shop: Services, session: Session, state: DeskState, request_id: str | None) -> str | None:
    """Whose conversation this is; where its checkpoint was lost, the request that is still open says so."""
    if state.get("customer_id"):
        return _of_state(shop, state)
    request = view_with_id(session, request_id)
    return request["subject"] if request else None
