"""`docs/claims.md` says by which rows things are claimed, and names the test of each: both are there."""

import re
from pathlib import Path

from agent.ledger.tables import OrderRow

HERE = Path(__file__)
PAGE = (HERE.parents[3] / "docs" / "claims.md").read_text()
ROWS = [line.split("|")[1:-1] for line in PAGE.splitlines() if line.startswith("| ")][1:]


def test_every_claim_has_its_test_and_every_test_its_claim() -> None:
    named = [re.findall(r"`(test_\w+)`", test) for *_, test in ROWS]
    there = re.findall(r"^async def (test_\w+)", HERE.with_name("test_two_workers.py").read_text(), re.MULTILINE)
    assert all(named)
    assert sorted(name for each in named for name in each) == sorted(there)


def test_the_columns_that_claim_are_there() -> None:
    tables = OrderRow.metadata.tables
    claimed = [re.findall(r"`(\w+)\.(\w+)`", claim) for _, claim, *_ in ROWS]
    assert all(claimed)
    assert [(table, column) for each in claimed for table, column in each if column not in tables[table].columns] == []
