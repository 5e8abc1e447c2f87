"""RefundPayment: money back beyond what a rule owes. What is owed is paid by `debts`, after the transaction."""

from datetime import datetime

from sqlalchemy.orm import Session

from agent.commerce.booking import owe_part, payments_of, refundable
from agent.commerce.commands import RefundPayment
from agent.commerce.policy import denied, refund_denied
from agent.commerce.rows import own
from agent.ledger.tables import OrderRow


def refund(session: Session, command: RefundPayment, now: datetime) -> OrderRow:
    """RefundPayment: back to where the money came from. Raises `Denied` ORDER-EXISTS, REFUND-AMOUNT."""
    order = own(session, command.order_id, command.subject)
    free = [refundable(session, payment) for payment in payments_of(session, order.id, "captured")]
    if rule := refund_denied(command.amount, sum(free)):
        raise denied(rule)
    owe_part(session, order, command.amount, key=command.key, now=now)
    return order
