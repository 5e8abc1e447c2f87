"""What must be true of an order for a node to act on it (law 9): looked at in the transaction in which it acts."""

from dataclasses import dataclass, field
from typing import Any

from agent.commerce.lifecycle import Stage
from agent.identity import owner_by
from agent.ledger.tables import OrderRow
from agent.platform import order_threads


class StateDamagedError(Exception):
    """A thread's state can't be true. `found` says what is wrong with it; never the value, which may be anything."""

    def __init__(self, found: str) -> None:
        super().__init__(found)
        self.found = found[:300]


class OrderMovedOnError(Exception):
    """The state is sound, but the order has gone on without this thread; `update` is what the thread says of that."""

    def __init__(self, update: dict[str, Any] | None = None) -> None:
        super().__init__()
        self.update = update or {}


@dataclass(frozen=True)
class Precondition:
    """The order is the one of this thread, its customer's, and in a stage in which the node may act.

    `customer_id` is None where the node is not told it.
    """

    order_id: str
    thread_id: str
    customer_id: str | None
    stages: tuple[Stage, ...]
    _looks: list[bool] = field(default_factory=list, compare=False)

    @property
    def looked(self) -> bool:
        """Whether the ledger was asked, as a node must that acts in some stages only."""
        return bool(self._looks) or not self.stages

    def check(self, order: OrderRow) -> None:
        """Hold an order's row, which the caller has read, against this."""
        self._looks.append(True)
        if not is_thread_of(order, self.thread_id):
            raise StateDamagedError("order_id: another order's thread")
        if self.customer_id is not None and self.customer_id != order.customer_id:
            raise StateDamagedError("customer_id: not the order's")
        if self.stages and order.stage not in self.stages:
            raise OrderMovedOnError


def is_thread_of(order: OrderRow, thread_id: str) -> bool:
    """Whether the order is worked on on this thread, or was."""
    if thread_id == order.thread_id:
        return True
    return thread_id in order_threads(order.id, owner_by(order.placed_by, order.customer_id), order.generation)
