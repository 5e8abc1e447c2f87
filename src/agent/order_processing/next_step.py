"""Where the ledger says that an order goes on: for one that is new, taken on again, or rebuilt."""

from typing import Final, Literal

from langgraph.types import Send

from agent.commerce.lifecycle import Stage
from agent.commerce.views import OrderView
from agent.order_processing.state import LineTask

NEXT_STEP: Final[dict[Stage, str]] = {
    "placed": "reserve_line",
    "reserved": "assess",
    "awaiting_approval": "assess",  # finds the open request, and asks it again
    "approved": "charge",
    "parked": "charge",
    "declined": "charge",  # waits for another payment method, or is undone when the time is up
    "paid": "charge",  # finds the captured payment, and goes on to the parcels
    "completed": "settle",  # finds what is owed, if anything
    "cancelling": "compensate",
    "cancelled": "settle",
    "imported": "close",
}
"""The step that the ledger says is next for an order in this stage."""

Step = Literal["reserve_line", "assess", "charge", "compensate", "settle", "close"]


def next_step(order: OrderView) -> list[Send] | str:
    """Where an order goes on: a branch a line while its stock is yet to be held."""
    if order["stage"] != "placed":
        return NEXT_STEP[order["stage"]]
    return [Send("reserve_line", LineTask(order_id=order["id"], line=line["number"])) for line in order["lines"]]
