"""What must add up in a shop at any moment, whatever was asked of it: stock, money, and what the card network says.

The order tests and the properties ask it after whatever they did.
"""

from collections import Counter, defaultdict
from typing import Any

from agent.commerce.lifecycle import FIRST_OUTCOMES, NOT_PAID_YET, PAYMENT_MOVES, UNDECIDED
from agent.commerce.parcels import LEFT, STAYED
from agent.ledger.invariants import CHECKS, violations
from agent.services import Services
from tests.support.outside import at_the_carrier
from tests.support.scenes import Dump, network

GOODWILL = "goodwill"
"""What the keys of refunds beyond what a rule owes begin with, in tests that look at books."""


async def all_adds_up(shop: Services, before: Dump, now: Dump) -> None:
    """Every promise of the ledger is kept, nothing was made up or lost since `before`, and the network agrees."""
    with shop.database.reading() as session:
        broken = [violation for check in CHECKS for violation in violations(session, check)]
    assert not broken, broken
    stock_is_conserved(before, now)
    money_is_conserved(now)
    await both_sides_agree(shop, now)
    await the_carrier_agrees(shop, now)


def stock_is_conserved(before: Dump, now: Dump) -> None:
    """What was there is there, or has left, or came back."""
    there = on_hand(before) + gone(before) - gone(now)
    assert on_hand(now) == there


def on_hand(ledger: Dump) -> Counter[str]:
    """Pieces in the house, by SKU."""
    return Counter({row["sku"]: row["on_hand"] for row in ledger["variants"]})


def gone(ledger: Dump) -> Counter[str]:
    """Pieces that left the house for orders, less those that came back, by SKU."""
    pieces = Counter[str]()
    for line in ledger["order_lines"]:
        if line["reservation"] == "shipped":
            pieces[line["sku"]] += line["quantity"]
    for line in ledger["return_lines"]:
        pieces[line["sku"]] -= line["received"]
        if line["new_sku"]:
            pieces[line["new_sku"]] += line["sent"]
    return pieces


def money_is_conserved(now: Dump) -> None:
    """Each order's money is what its price, its changes and its return say; gift cards are never overdrawn."""
    agreed = _agreed(now)
    books = [_by_order(now, table) for table in ("payments", "debts", "money_entries", "order_lines", "parcels")]
    for order in now["orders"]:
        payments, debts, entries, lines, parcels = (book[order["id"]] for book in books)
        captured = sum(row["amount"] for row in payments if row["outcome"] == "captured")
        payments = [row for row in payments if row["replaces"] is None]  # else it is paid already
        waiting = [row for row in payments if row["outcome"] in ("due", *UNDECIDED)]
        waiting += [row for row in payments if row["outcome"] == "declined" and row["attempt"] is None]
        asked = captured + sum(row["amount"] for row in waiting)
        debts = [row for row in debts if not row["returned"]]  # what came back is owed by another one
        repaid = sum(row["amount"] for row in debts if row["settled"])
        owed = sum(row["amount"] for row in debts)
        by_rule = sum(row["amount"] for row in debts if not row["key"].startswith(GOODWILL))
        assert sum(row["amount"] for row in entries) == captured - repaid
        assert captured - owed >= 0
        if order["status"] == "cancelled":
            assert captured == owed
        elif order["stage"] in NOT_PAID_YET:
            assert captured == 0
        elif order["stage"] != "cancelling" and {row["state"] for row in parcels} != {"refused"}:  # else: soon undone
            price = sum(
                row["quantity"] * row["unit_price"] for row in lines if row["reservation"] in ("held", "shipped")
            )
            price += agreed[order["id"]]
            assert asked - by_rule == price or (by_rule < owed and price < asked - by_rule <= price + owed - by_rule)
    cards = {row["id"] for row in now["payment_methods"] if row["kind"] == "gift_card"}
    spent = Counter[str]()
    for row in now["money_entries"]:
        spent[row["method_id"]] += row["amount"]
    assert not [card for card in cards if spent[card] > 0]


def moved_by_the_table(before: Dump, now: Dump) -> None:
    """Each attempt to take money stands where moves of the table lead; what was captured is captured."""
    stood = {row["key"]: {row["outcome"]} for row in before["payments"]}
    for row in now["payments"]:
        ways: set[str] = set(stood.pop(row["key"], FIRST_OUTCOMES))
        while further := {to for a, moves in PAYMENT_MOVES.items() if a in ways for to in moves} - ways:
            ways |= further
        assert row["outcome"] in ways, (row["key"], ways)
    assert not stood  # none is forgotten


def _agreed(now: Dump) -> Counter[str]:
    """What each order costs more, or less, by what came back of it and what left, or is to leave, in its place."""
    order_of = {row["id"]: row["order_id"] for row in now["returns"]}
    waiting = Counter[tuple[str, int]]()
    for row in now["waiting_pieces"]:
        waiting[row["return_id"], row["number"]] += row["quantity"]
    agreed = Counter[str]()
    for line in now["return_lines"]:
        new = line["sent"] + waiting[line["return_id"], line["number"]]
        agreed[order_of[line["return_id"]]] += new * (line["new_price"] or 0) - line["received"] * line["unit_price"]
    return agreed


def _by_order(now: Dump, table: str) -> dict[str, list[dict[str, Any]]]:
    rows = defaultdict[str, list[dict[str, Any]]](list)
    for row in now[table]:
        rows[row["order_id"]].append(row)
    return rows


async def both_sides_agree(shop: Services, now: Dump) -> None:
    """What we booked, the networks did; what they did and we did not book yet, we know to be unknown or owed."""
    taken = {
        charge.key: charge.amount
        for which, _ in enumerate(shop.providers.payments)
        for charge in (await network(shop, which)).charges
        if charge.status == "captured"
    }
    given = await given_back(shop)
    captures = {row["key"]: row["amount"] for row in now["money_entries"] if row["kind"] == "capture"}
    refunds = {row["key"]: -row["amount"] for row in now["money_entries"] if row["kind"] == "refund"}
    open_payments = {row["key"] for row in now["payments"] if row["outcome"] in UNDECIDED}
    open_debts = {row["key"] for row in now["debts"] if not row["settled"]}
    assert captures.items() <= taken.items()
    assert refunds.items() <= given.items()
    assert taken.keys() - captures.keys() <= open_payments
    assert given.keys() - refunds.keys() <= open_debts


async def given_back(shop: Services) -> dict[str, int]:
    """What the networks gave back or paid out, by key."""
    books = [await network(shop, which) for which, _ in enumerate(shop.providers.payments)]
    made = [refund for book in books for refund in book.refunds if refund.state == "succeeded"]
    refunds = {refund.key.partition("~")[0]: refund.amount for refund in made}  # some at the second attempt
    return refunds | {credit.key: credit.amount for book in books for credit in book.credits}


async def the_carrier_agrees(shop: Services, now: Dump) -> None:
    """A parcel that the carrier took left the house, or is still waited for; what left is not in stock any more."""
    there, lines = await at_the_carrier(shop), {(row["order_id"], row["number"]): row for row in now["order_lines"]}
    for parcel in now["parcels"]:
        if there.get(parcel["id"]) in LEFT:
            assert parcel["state"] in ("booked", *LEFT)
        reservations = {lines[parcel["order_id"], number]["reservation"] for number in parcel["lines"]}
        if parcel["state"] in LEFT:
            assert reservations == {"shipped"}
        elif parcel["state"] in STAYED:
            assert reservations == {"released"}
        else:
            assert reservations == {"held"}
