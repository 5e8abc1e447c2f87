"""A file of orders on their way through the order line: a row each, from its line in the file to its result.

How the rows look is here too; sending them is in `orders`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from rich.live import Live
from rich.table import Table

from agent.approvals.models import ApprovalView
from agent.client.connection import DeskError, ExitCode
from agent.client.runs import Outcome, parse_json
from agent.client.show import Screen, money, table, waits

ENDS = ("completed", "parked", "cancelled")
"""Stages that a run may stop at without a denial or an open approval."""


@dataclass
class Row:
    """One line of the file. `order` is None when the line holds none; `error` is why it went no further."""

    line: int
    order: dict[str, Any] | None = None
    doing: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    waiting: ApprovalView | None = None
    error: DeskError | None = None

    @property
    def name(self) -> str:
        """The order's id, or its place in the file."""
        return self.order["order_id"] if self.order else f"line {self.line}"

    @property
    def result(self) -> str:
        """What came of it, in one phrase; empty while it is under way."""
        if self.error:
            return str(self.error)
        return waits(self.waiting) if self.waiting else self.values.get("processing_stage", "")

    @property
    def amount(self) -> str:
        """What the order comes to, once that is known."""
        amount = self.values.get("order_amount")
        return "" if amount is None else money(amount)

    def finish(self, outcome: Outcome) -> None:
        """Take in where the order's run stopped; a denial is the row's error."""
        self.values, self.waiting = outcome.values, outcome.waiting
        if denial := self.values.get("denial"):
            self.error = DeskError(f"refused by {denial['rule']}: {denial['sentence']}", ExitCode.REFUSED)
        elif not self.waiting and self.values.get("processing_stage") not in ENDS:
            self.error = DeskError("the run stopped before its end; see `desk orders show`", ExitCode.OTHER)

    def document(self) -> dict[str, Any]:
        """The row for programs."""
        told = ("processing_stage", "payment_status", "order_amount", "denial")
        return {
            "line": self.line,
            "order_id": self.name if self.order else None,
            "thread_id": thread_of(self.name) if self.order else None,
            **{key: self.values.get(key) for key in told},
            "waiting": self.waiting,
            "error": str(self.error) if self.error else None,
            "code": self.error.exit_code if self.error else 0,
        }


def thread_of(order_id: str) -> str:
    """The thread of an order's first generation: made from the order's id, so that anyone can find it."""
    return str(uuid5(NAMESPACE_URL, f"order:{order_id}:0"))


def read_orders(source: bytes) -> list[Row]:
    """One row for each line that is not blank; a line that is no order becomes a row with an error."""
    return [_read(number, line) for number, line in enumerate(source.splitlines(), 1) if line.strip()]


def _read(number: int, line: bytes) -> Row:
    try:
        order = parse_json(line)
    except ValueError as error:
        return Row(number, error=DeskError(f"not JSON: {error}", ExitCode.USAGE))
    if not isinstance(order, dict):
        return Row(number, error=DeskError("not a JSON object", ExitCode.USAGE))
    if not (isinstance(order.get("order_id"), str) and order["order_id"]):
        return Row(number, error=DeskError("has no order_id", ExitCode.USAGE))
    return Row(number, order, doing="waits for its turn")


def summary(rows: Sequence[Row]) -> Table:
    """All rows with their results, or what they are doing; those under way first."""
    ordered = sorted(rows, key=lambda row: bool(row.result))
    return table(["order", "now", "amount"], ((row.name, row.result or row.doing, row.amount) for row in ordered))


@contextmanager
def watched(screen: Screen, rows: Sequence[Row]) -> Iterator[None]:
    """Draw the rows while they change, where somebody sees them."""
    if not screen.live:
        yield
        return
    with Live(get_renderable=lambda: summary(rows), console=screen.err, transient=True):
        yield
