"""RefundPayment: money back beyond what a rule owes. What is owed is paid by `debts`, after the transaction."""

from datetime import datetime

from sqlalchemy.orm import Session

from agent.commerce.booking import owe_part
from agent.commerce.commands import RefundPayment
from agent.commerce.locks import own
from agent.commerce.policy import policy_denied, refund_denied
from agent.commerce.returned_pieces import refundable_beside
from agent.ledger.tables import OrderRow


def refund(session: Session, command: RefundPayment, now: datetime) -> OrderRow:
    """RefundPayment: back to where the money came from. Raises `PolicyDenied` ORDER-EXISTS, REFUND-AMOUNT."""
    order = own(session, command.order_id, command.subject)
    if rule := refund_denied(command.amount, refundable_beside(session, order.id)):
        raise policy_denied(rule)
    owe_part(session, order, command.amount, key=command.key, now=now)
    return order
