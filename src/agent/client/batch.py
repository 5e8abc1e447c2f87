"""A file of orders on their way through the order line: a row each, from its line in the file to its result.

How the rows look is here too; sending them is in `orders`.
"""

from collections import Counter
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
from agent.client.show import ONLY_CURRENCY, Screen, table, waits
from agent.money import format_money

ENDS = ("completed", "parked", "cancelled")
"""Stages that a run may stop at without a denial or an open approval."""

MOVING = frozenset(("placed", "reserved", "approved", "paid", "cancelling"))
"""Stages in which the desk is at work on an order; in all others it rests, or waits for somebody."""


@dataclass
class Row:
    """One line of the file. `order` is None when the line holds none; `error` is why it went no further.

    `sent` counts how often it may have reached the server; `told`: its result is printed.
    """

    line: int
    order: dict[str, Any] | None = None
    doing: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    waiting: ApprovalView | None = None
    error: DeskError | None = None
    sent: int = 0
    told: bool = False
    thread_id: str | None = None  # that it was sent on

    @property
    def name(self) -> str:
        """The order's id, or its place in the file."""
        return self.order["order_id"] if self.order else f"line {self.line}"

    @property
    def result(self) -> str:
        """What came of it, in one phrase; empty while it is under way."""
        if self.error:
            return str(self.error)
        if self.waiting:
            return waits(self.waiting)
        stage: str = self.values.get("processing_stage", "")
        return f"on its way ({stage})" if self.moving else stage

    @property
    def standing(self) -> str:
        """What came of it, in a word or two that orders have in common."""
        if self.error:
            return _FAILED.get(self.error.exit_code, "not accepted")
        if self.waiting:
            return "waiting for approval"
        return "on their way" if self.moving else self.result

    @property
    def moving(self) -> bool:
        """Whether the desk is at work on it; the ledger has it, and sees to it."""
        return self.values.get("processing_stage") in MOVING

    @property
    def denial(self) -> dict[str, Any] | None:
        """The rule that stopped it, if one did."""
        return self.values.get("denial")

    @property
    def amount(self) -> str:
        """What the order comes to, once that is known."""
        amount = self.values.get("order_amount")
        return "" if amount is None else format_money(amount, self.values.get("currency") or ONLY_CURRENCY)

    def finish(self, outcome: Outcome) -> None:
        """Take in where the order's run stopped; a denial is the row's error."""
        self.values, self.waiting, self.error = outcome.values, outcome.waiting, None
        if self.denial:
            self.error = DeskError(f"refused by {self.denial['rule']}: {self.denial['sentence']}", ExitCode.REFUSED)
        elif not self.waiting and not self.moving and self.values.get("processing_stage") not in ENDS:
            self.error = DeskError("the run stopped before its end; see `desk orders show`", ExitCode.OTHER)

    def know(self, order: dict[str, Any]) -> None:
        """Take in where the ledger has the order; the desk goes on with it from there."""
        values = {
            "processing_stage": order["stage"],
            "payment_status": order["payments"][-1]["outcome"] if order["payments"] else None,
            "order_amount": order["total"],
            "currency": order["currency"],
            "denial": order["denial"],
        }
        self.finish(Outcome(values, next((each for each in order["approvals"] if each["status"] == "open"), None)))

    def is_the(self, order: dict[str, Any]) -> bool:
        """Whether this order of the ledger is, as far as it shows, the one that was sent and not another of its id."""
        sent, pieces = self.order or {}, Counter[str]()
        try:
            for line in sent["lines"]:
                pieces[line["sku"]] += line["quantity"]
        except (KeyError, TypeError):
            return False
        known = Counter[str]()
        for line in order["lines"]:
            known[line["sku"]] += line["quantity"]
        return sent.get("customer_id") == order["customer_id"] and pieces == known

    def document(self) -> dict[str, Any]:
        """The row for programs."""
        told = ("processing_stage", "payment_status", "order_amount", "denial")
        return {
            "line": self.line,
            "order_id": self.name if self.order else None,
            "thread_id": self.thread_id,
            **{key: self.values.get(key) for key in told},
            "waiting": self.waiting,
            "error": str(self.error) if self.error else None,
            "code": self.error.exit_code if self.error else 0,
        }


_FAILED: dict[int, str] = {
    ExitCode.UNKNOWN: "unknown",
    ExitCode.UNREACHABLE: "not sent",
    ExitCode.INTERRUPTED: "not sent",
}


def tally(rows: Sequence[Row]) -> str:
    """How many orders stand where: `12 completed, 3 on their way, 45 not sent`."""
    return ", ".join(f"{count} {standing}" for standing, count in Counter(row.standing for row in rows).items())


def thread_of(order_id: str, owner: str) -> str:
    """The thread of an order's first generation: made from its id and who placed it (`/ops/me`), and nobody else's."""
    return str(uuid5(NAMESPACE_URL, f"order:{owner}:{order_id}:0"))


def read_orders(source: bytes) -> list[Row]:
    """One row for each line that is not blank; a line that is no order becomes a row with an error."""
    return [_read(number, line) for number, line in enumerate(source.splitlines(), 1) if line.strip()]


def _read(number: int, line: bytes) -> Row:
    try:
        order = parse_json(line)
    except ValueError as error:
        return Row(number, error=DeskError(f"not JSON: {error}", ExitCode.USAGE))
    if not isinstance(order, dict):
        return Row(number, error=DeskError("no JSON object: give an order a line", ExitCode.USAGE))
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
