"""The audit after a drill: what must hold for each order, piece and cent, and the story of one for which it does not.

It reads the ledger, the world's own account, and what the customers were told; nothing here changes any of them.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from agent.approvals.chains import LARGE_ORDER
from tests.chaos.drill import Record
from tests.chaos.orders import Placed
from tests.chaos.site import Site

Row = dict[str, Any]

OVER: Final = ("completed", "cancelled")

GONE: Final = ("handed_over", "delivered")


@dataclass(frozen=True)
class Breach:
    """Something that does not hold: which rule, for what, and what was found."""

    rule: str
    what: str
    found: str


class Audit:
    """Ledger and world as they are after the drill."""

    def __init__(self, site: Site, orders: dict[str, Placed], account: dict[str, list[Row]], record: Record) -> None:
        self._ledger = site.ledger
        self._opening_stock = site.opening_stock
        self._asked = orders
        self._account = account
        self._record = record
        self.orders = {row["id"]: row for row in self._rows("orders WHERE id LIKE 'C%'")}
        self._of: dict[str, dict[str, list[Row]]] = {
            table: _by_order(self._rows(table))
            for table in ("order_lines", "payments", "money_entries", "debts", "parcels", "approvals")
        }

    def breaches(self) -> list[Breach]:
        """Everything that does not hold."""
        return [*self._promises(), *self._lost(), *self._sound(), *self._books(), *self._stock(), *self._each_order()]

    def story(self, order_id: str) -> Iterator[str]:
        """All that is known of an order, for whoever has to find out what happened to it."""
        asked = self._asked.get(order_id)
        if asked:
            yield f"asked    {asked.plan.order} cancels {asked.plan.cancels_after} swaps {asked.plan.swaps_after}"
            yield f"heard    {'; '.join(asked.heard)}"
        order = self.orders.get(order_id)
        if order is None:
            yield "ledger   knows nothing of it"
            return
        yield f"order    {_plain(order, 'customer_id', 'ship_to', 'id')}"
        for table, rows in self._of.items():
            for row in rows.get(order_id, ()):
                yield f"{table:<13} {_plain(row, 'order_id', 'customer_id', 'action', 'chain')}"
        keys = {row["key"] for table in ("payments", "debts") for row in self._of[table].get(order_id, ())}
        parcels = {row["id"] for row in self._of["parcels"].get(order_id, ())}
        for kind, entries in self._account.items():
            for entry in entries:
                if entry.get("key") in keys or entry.get("parcel_id") in parcels:
                    yield f"world    {kind}: {_plain(entry)}"
        for effect in self._ledger.rows("SELECT * FROM effects WHERE key LIKE ? ORDER BY at", f"%{order_id}%"):
            yield f"effect   {effect['at']} {effect['key']} {effect['name']} by {effect['actor']}"
        for kill in self._record.kills:
            if str(order["placed_at"]) <= kill.at.isoformat(" ") <= str(order["touched_at"]):
                yield f"kill     {kill.at:%H:%M:%S.%f} life {kill.life}, {kill.phase}, {kill.where or 'at random'}"

    def _promises(self) -> Iterator[Breach]:
        for life, broken in self._record.broken.values():
            yield Breach(broken.check, broken.what, f"{broken.promise}; after life {life}: {broken.found}")

    def _lost(self) -> Iterator[Breach]:
        for order_id, asked in self._asked.items():
            if order_id not in self.orders:
                said = "accepted" if asked.accepted else "sent again and again"
                yield Breach("order-exists", order_id, f"{said}, and not in the ledger")

    def _sound(self) -> Iterator[Breach]:
        """Nobody touched the threads' states: one that could not be true was made by the graph itself."""
        for row in self._rows("quarantine"):
            yield Breach("state-sound", str(row["order_id"]), f"at {row['node']}: {row['found']}")

    def _books(self) -> Iterator[Breach]:
        """Every cent and every parcel is told the same by both sides."""
        booked = [row for rows in self._of["money_entries"].values() for row in rows]
        owner = {row["key"]: row["order_id"] for row in booked}
        captured = {row["key"]: row["amount"] for row in booked if row["kind"] == "capture"}
        given = {row["key"]: -row["amount"] for row in booked if row["kind"] == "refund"}
        charges = {each["key"]: each["amount"] for each in self._account["charges"] if each["status"] == "captured"}
        refunds = {each["key"]: each["amount"] for each in (*self._account["refunds"], *self._account["credits"])}
        for rule, ours, theirs in (("charge-equal", captured, charges), ("refund-equal", given, refunds)):
            for key in sorted(ours.keys() | theirs.keys()):
                if ours.get(key) != theirs.get(key):
                    what = owner.get(key) or self._owner_of(key)
                    yield Breach(rule, what, f"{key}: ledger {ours.get(key)}, world {theirs.get(key)}")
        ours = {row["id"]: row["state"] in GONE for order in self.orders for row in self._of["parcels"].get(order, ())}
        theirs = {each["parcel_id"]: each["state"] in GONE for each in self._account["shipments"]}
        for parcel in sorted(ours.keys() | theirs.keys()):
            if (left := ours.get(parcel, False)) != (gone := theirs.get(parcel, False)):
                yield Breach("parcel-equal", parcel.split("/")[0], f"{parcel} left: ledger {left}, world {gone}")

    def _stock(self) -> Iterator[Breach]:
        """No piece came from nowhere, or went there."""
        for sku, pieces in self._ledger.pieces().items():
            if pieces != self._opening_stock[sku]:
                yield Breach("stock-conserved", sku, f"opened with {self._opening_stock[sku]}, ends with {pieces}")

    def _each_order(self) -> Iterator[Breach]:
        for order_id, order in self.orders.items():
            waits = any(row["status"] == "open" for row in self._of["approvals"].get(order_id, ()))
            if order["stage"] not in OVER and not waits:
                yield Breach("order-ends", order_id, f"is {order['stage']}, and waits for nobody")
            if order["stage"] in OVER:
                yield from self._over(order_id, order)

    def _over(self, order_id: str, order: Row) -> Iterator[Breach]:
        """An order that is over was paid for exactly what left, by one payment that was not given back."""
        entries, lines = self._of["money_entries"].get(order_id, []), self._of["order_lines"][order_id]
        net = sum(entry["amount"] for entry in entries)
        left = sum(line["quantity"] * line["unit_price"] for line in lines if line["reservation"] == "shipped")
        if net != left:
            yield Breach("net-charge", order_id, f"{net} was kept, and goods for {left} left")
        if order["stage"] == "cancelled" and left:
            yield Breach("cancelled-stays", order_id, f"is cancelled, and goods for {left} left")
        if order["stage"] == "completed" and not left:
            yield Breach("completed-left", order_id, "is completed, and nothing left")
        if held := [line["number"] for line in lines if line["reservation"] == "held"]:
            yield Breach("nothing-held", order_id, f"is over, and lines {held} are held")
        if owed := [debt["key"] for debt in self._of["debts"].get(order_id, ()) if not debt["settled"]]:
            yield Breach("nothing-owed", order_id, f"is over, and owes {owed}")
        taken = [entry["key"] for entry in entries if entry["kind"] in ("capture", "gift_debit")]
        back = {debt["payment_key"] for debt in self._of["debts"].get(order_id, ()) if debt["kind"] == "refund"}
        if len(kept := [key for key in taken if key not in back]) > 1:
            yield Breach("charged-once", order_id, f"keeps {kept}")
        agreed = any(row["status"] == "approved" for row in self._of["approvals"].get(order_id, ()))
        if order["stage"] == "completed" and order["total"] >= LARGE_ORDER and not agreed:
            yield Breach("large-approved", order_id, f"{order['total']} left without a yes")

    def _owner_of(self, key: str) -> str:
        rows = self._ledger.rows(
            "SELECT order_id FROM payments WHERE key = ? UNION SELECT order_id FROM debts WHERE key = ?", key, key
        )
        return str(rows[0]["order_id"]) if rows else key.split(":", maxsplit=1)[0]

    def _rows(self, of: str) -> list[Row]:
        return self._ledger.rows(f"SELECT * FROM {of}")  # noqa: S608  (names that are written here)


def _by_order(rows: list[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["order_id"]].append(row)
    return found


def _plain(row: Row, *without: str) -> str:
    return " ".join(f"{name}={value}" for name, value in row.items() if name not in without and value is not None)
