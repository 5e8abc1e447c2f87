"""The ledger's tables. Money is integer minor units; times are UTC; every effect has a unique key.

Only rows and constraints live here. What may be written when is decided in `commerce` and `approvals`. Import them from
here: so each is there with all the others that it refers to.
"""

from agent.ledger.tables.money_tables import DebtRow, MoneyEntryRow, PaymentRow
from agent.ledger.tables.notification_tables import ConversationRow, NotificationRow, StaffDeliveryRow
from agent.ledger.tables.order_tables import (
    ChangedPieceRow,
    OrderLineRow,
    OrderRow,
    ParcelRow,
    ReturnLineRow,
    ReturnRow,
    WaitingPieceRow,
)
from agent.ledger.tables.process_tables import EffectRow, HeartbeatRow, QuarantineRow, SchemaStepRow
from agent.ledger.tables.shop_tables import CustomerRow, PaymentMethodRow, ProductRow, VariantRow
from agent.ledger.tables.staff_tables import ApprovalRow, DecisionRow, QuestionRow, TicketMessageRow, TicketRow

__all__ = [
    "ApprovalRow",
    "ChangedPieceRow",
    "ConversationRow",
    "CustomerRow",
    "DebtRow",
    "DecisionRow",
    "EffectRow",
    "HeartbeatRow",
    "MoneyEntryRow",
    "NotificationRow",
    "OrderLineRow",
    "OrderRow",
    "ParcelRow",
    "PaymentMethodRow",
    "PaymentRow",
    "ProductRow",
    "QuarantineRow",
    "QuestionRow",
    "ReturnLineRow",
    "ReturnRow",
    "SchemaStepRow",
    "StaffDeliveryRow",
    "TicketMessageRow",
    "TicketRow",
    "VariantRow",
    "WaitingPieceRow",
]
