"""Each promise is kept by the demo shop, and each way to break one is named.

In SQLite, where one can write past constraints: so it is not among the suites that run on PostgreSQL.
"""

import sqlite3
from contextlib import closing

import pytest

from agent.ledger.database import Database
from agent.ledger.invariants import CHECKS, violations
from agent.services import Services
from tests.support.goods import numbered

OWE = (
    "INSERT INTO debts (key, kind, order_id, payment_key, method_id, amount, settled, attempts, asked, failures,"
    " returned, next_at, at)"
    " VALUES ('debt', 'refund', 'W-1002', 'W-1002:pay:1', 'ada_card', {amount}, {settled}, 0, 0,"
    " 0, {returned}, '2026-06-01', '2026-06-01')"
)
DEBT = (
    "INSERT INTO debts (key, kind, order_id, payment_key, parcel_id, amount, settled, attempts, asked, failures,"
    " returned, next_at, at)"
    " VALUES ('debt', '{kind}', 'W-1002', {payment}, {parcel}, 0, {settled}, 0, 0, 0, 0, '2026-06-01', '2026-06-01')"
)
VOID = DEBT.format(kind="void", payment="'W-1002:pay:1'", parcel="NULL", settled=1)
STOP = DEBT.format(kind="stop", payment="NULL", parcel="'W-1002/all'", settled="{settled}")
CANCELLED = "UPDATE orders SET status = 'cancelled', stage = 'cancelled' WHERE id = 'W-1002'"
BOOK = (
    "INSERT INTO money_entries (key, order_id, customer_id, method_id, kind, amount, at)"
    " VALUES ('extra', 'W-1002', 'ada_park', 'ada_card', '{kind}', {amount}, '2026-06-01')"
)
APPROVE = (
    'INSERT INTO approvals (id, key, subject, thread_id, asked_by, "case", action, action_hash, chain, step, status,'
    " note, round, escalated, thread_told, step_since, created_at)"
    " VALUES ('apr', 'k', 'ada_park', 't', 'desk', 'refund', '{}', '', '[{}, {}]', 1, 'approved', '',"
    " 0, 0, 1, '2026-06-01', '2026-06-01')"
)
TICKET = (
    "INSERT INTO tickets (id, topic, text, status, taken_by, closed_by, at)"
    " VALUES ('tic', 'billing', '', '{status}', {taken_by}, {closed_by}, '2026-06-01')"
)
RETURN = (
    "INSERT INTO returns (id, order_id, kind, method_id, amount, state, at)"
    " VALUES ('W-1001/r1', 'W-1001', 'exchange', 'ada_card', 0, 'expired', '2026-06-01');"
    "INSERT INTO return_lines (return_id, number, line, sku, quantity, unit_price, received, new_sku, held, sent)"
    " VALUES ('W-1001/r1', 1, 1, 'LAMP-OAK', 1, 6900, 0, 'LAMP-BRASS', 1, 0)"
)

BROKEN = [
    ("stock-held", "LAMP-OAK", "UPDATE variants SET reserved = reserved + 1 WHERE sku = 'LAMP-OAK'"),
    ("stock-oversold", "LAMP-OAK", "UPDATE variants SET on_hand = 0, reserved = 3 WHERE sku = 'LAMP-OAK'"),
    ("return-pieces", "W-1001/r1", RETURN),
    ("negative", "quantity of W-1002", "UPDATE order_lines SET quantity = -1 WHERE order_id = 'W-1002' AND number = 1"),
    ("order-total", "W-1002", "UPDATE orders SET total = total + 1 WHERE id = 'W-1002'"),
    ("order-stage", "W-1002", "UPDATE orders SET stage = 'cancelled' WHERE id = 'W-1002'"),
    ("order-stage", "W-1002", "UPDATE orders SET status = 'lost' WHERE id = 'W-1002'"),
    ("order-over", "W-1002", "UPDATE orders SET status = 'delivered', stage = 'completed' WHERE id = 'W-1002'"),
    ("order-undone", "W-1002", CANCELLED),
    (
        "order-undone",
        "W-1008",
        "UPDATE payments SET order_id = 'W-1008', outcome = 'unknown' WHERE key = 'W-1002:pay:1'",
    ),
    ("order-repaid", "W-1002", CANCELLED),
    ("order-paid", "W-1002", "UPDATE payments SET attempt = NULL WHERE key = 'W-1002:pay:1'"),
    ("price-once", "W-1003", "UPDATE payments SET order_id = 'W-1003' WHERE key = 'W-1002:pay:1'"),
    ("capture-booked", "W-1002:pay:1", "DELETE FROM money_entries WHERE key = 'W-1002:pay:1'"),
    ("capture-booked", "W-1002:pay:1", "UPDATE money_entries SET amount = 1 WHERE key = 'W-1002:pay:1'"),
    ("capture-explained", "W-1002:pay:1", "UPDATE payments SET outcome = 'declined' WHERE key = 'W-1002:pay:1'"),
    ("capture-explained", "extra", BOOK.format(kind="capture", amount=147_00)),
    ("refund-booked", "debt", OWE.format(amount=100, settled=1, returned=0)),
    ("refund-returned", "debt", OWE.format(amount=100, settled=1, returned=1)),
    ("refund-explained", "extra", BOOK.format(kind="refund", amount=-100)),
    ("refund-limit", "W-1002:pay:1", OWE.format(amount=147_01, settled=0, returned=0)),
    ("debt-form", "debt", OWE.format(amount=0, settled=0, returned=0)),
    ("debt-form", "debt", DEBT.format(kind="void", payment="NULL", parcel="NULL", settled=0)),
    ("debt-form", "debt", DEBT.format(kind="stop", payment="'W-1002:pay:1'", parcel="'W-1002/all'", settled=0)),
    ("debt-form", "debt", DEBT.format(kind="favour", payment="'W-1002:pay:1'", parcel="NULL", settled=0)),
    ("void-decided", "debt", ";".join((VOID, "UPDATE payments SET outcome = 'open' WHERE key = 'W-1002:pay:1'"))),
    ("stop-done", "debt", STOP.format(settled=0)),
    ("stop-done", "debt", ";".join((STOP.format(settled=1), "UPDATE parcels SET state = 'booked'"))),
    ("gift-balance", "ella_gift", "UPDATE money_entries SET amount = 0 WHERE key = 'ella_gift:issue'"),
    ("approval-yes", "apr", APPROVE),
    ("ticket-taken", "tic", TICKET.format(status="taken", taken_by="NULL", closed_by="NULL")),
    ("ticket-taken", "tic", TICKET.format(status="open", taken_by="'ann'", closed_by="NULL")),
    ("ticket-closed", "tic", TICKET.format(status="closed", taken_by="'ann'", closed_by="NULL")),
    ("ticket-closed", "tic", TICKET.format(status="taken", taken_by="'ann'", closed_by="'ann'")),
    ("orphan-orders-customer_id", "W-1002", "UPDATE orders SET customer_id = 'nobody' WHERE id = 'W-1002'"),
    ("orphan-order_lines-sku", "W-1002", "UPDATE order_lines SET sku = 'X' WHERE order_id = 'W-1002' AND number = 1"),
]


@pytest.fixture
def ledger(shop: Services) -> Database:
    return shop.database


async def broken(ledger: Database) -> set[tuple[str, str]]:
    with ledger.reading() as session:
        return {(found.check, found.what) for check in CHECKS for found in violations(session, check)}


def break_it(shop: Services, how: str) -> None:
    """As somebody with a database client would, past every command and constraint."""
    with closing(sqlite3.connect(shop.settings.data_dir / "ledger.db")) as connection, connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.executescript(numbered(how))


async def test_the_demo_shop_keeps_every_promise(ledger: Database) -> None:
    assert await broken(ledger) == set()


@pytest.mark.parametrize(("check", "what", "how"), BROKEN)
async def test_a_broken_promise_is_named(shop: Services, ledger: Database, check: str, what: str, how: str) -> None:
    break_it(shop, how)
    assert (check, numbered(what)) in await broken(ledger)


async def test_a_violation_says_what_was_found(shop: Services, ledger: Database) -> None:
    break_it(shop, "UPDATE orders SET total = 1 WHERE id = 'W-1002'")
    [check] = [check for check in CHECKS if check.name == "order-total"]
    with ledger.reading() as session:
        [violation] = violations(session, check)
    assert violation.found == {"total": 1, "lines": 147_00}


def test_every_kind_of_promise_is_broken_here() -> None:
    """References are alike; two of them stand for all."""
    kinds = {check.name for check in CHECKS if not check.name.startswith("orphan-")}
    assert kinds <= {check for check, _, _ in BROKEN}
