"""What the books say while the shop lives: its ledger and the card network's own file, each read as an auditor would.

Money is on its way at any moment, so that the two may differ in `unsettled`; `lost` and `doubled` are 0 at all times.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from demo.stage import Stage

OVER: Final = ("completed", "cancelled")
_WAITING: Final = (
    "SELECT count(*) FROM orders WHERE stage = 'awaiting_approval' OR stage = 'declined' OR"
    " (stage = 'cancelling' AND id IN (SELECT order_id FROM approvals WHERE status = 'open'))"
)
"""Orders that wait for a person: for staff, or for their customer to name another card."""
_OWED_BACK: Final = "SELECT payment_key FROM debts WHERE kind = 'refund'"


@dataclass(frozen=True)
class Books:
    """Orders as customers know them and as the ledger has them; money as both sides have it.

    Args:
        lost: orders that were accepted and are not in the ledger, and charges that it never asked for.
        doubled: orders of which the network took the price more than once, and nobody owes it back.
        unsettled: movements of money that one side has written and the other has not, and debts that are not paid.
    """

    placed: int
    done: int
    waiting: int
    on_the_way: int
    lost: int
    doubled: int
    unsettled: int


def audit(stage: Stage, accepted: Iterable[str]) -> Books:
    """Read both books. Raises `sqlite3.OperationalError` when one is not there yet. Blocks."""
    told = set(accepted)
    theirs = movements(stage.network.file)  # first: what the network has done then, the ledger has asked for before
    stages = dict(stage.ledger_rows("SELECT id, stage FROM orders WHERE stage != 'imported'"))
    attempts = {key for (key,) in stage.ledger_rows("SELECT key FROM payments")}
    owed_back = {key for (key,) in stage.ledger_rows(_OWED_BACK)}
    ours = Counter(stage.ledger_rows("SELECT key, amount FROM money_entries WHERE kind IN ('capture', 'refund')"))
    [(debts,)] = stage.ledger_rows("SELECT count(*) FROM debts WHERE NOT settled")
    [(waiting,)] = stage.ledger_rows(_WAITING)
    taken = [key for key, amount in theirs if amount > 0]
    prices = (key.partition(":pay:") for key in taken if key not in owed_back)
    kept = Counter(order for order, is_price, _ in prices if is_price)
    done = sum(stages[order] in OVER for order in told & stages.keys())
    return Books(
        placed=len(told),
        done=done,
        waiting=waiting,
        on_the_way=sum(stage not in OVER for stage in stages.values()) - waiting,
        lost=len(told - stages.keys()) + sum(key not in attempts for key in taken),
        doubled=sum(times > 1 for times in kept.values()),
        unsettled=((theirs - ours) + (ours - theirs)).total() + debts,
    )


def movements(file: Path) -> Counter[tuple[Any, ...]]:
    """What the card network took (+) and gave back (-), by key, in minor units, also while it is down."""
    query = "SELECT key, CASE kind WHEN 'refund' THEN -amount ELSE amount END FROM movements WHERE NOT failed"
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as books:
        return Counter(books.execute(query).fetchall())
