"""The books of our shop, read behind the server's back: its ledger, and the card network's own account.

Nothing here writes. What is done to the server is in `ways`, who does it in `ours`.
"""

from typing import Any

from agent.approvals.audit import verify
from agent.approvals.trail import Trail
from agent.ledger.database import Database
from agent.ledger.invariants import CHECKS, violations
from agent.settings import Settings
from tests.support.books import Ledger, LedgerReader, PostgresLedger
from tests.support.live_server import LiveNetwork


class Books:
    """The ledger that a server with these settings keeps, and the network's account."""

    def __init__(self, kept: Settings, network: LiveNetwork) -> None:
        self._kept = kept
        self._network = network
        self._ledger: LedgerReader = (
            PostgresLedger(kept.database_url) if kept.database_url else Ledger(kept.data_dir / "ledger.db")
        )

    def rows(self, query: str, *values: object) -> list[Any]:
        """Rows of the ledger, as tuples. A value's place in the query is a question mark."""
        return [tuple(row.values()) for row in self._ledger.rows(query, *values)]

    def count(self, table: str, where: str, *values: object) -> int:
        """How many rows of the ledger are so."""
        [[number]] = self.rows(f"SELECT count(*) FROM {table} WHERE {where}", *values)  # noqa: S608
        return int(number)

    def moved(self) -> dict[str, int]:
        """{key: minor units} of what the card network took, and gave back (below 0)."""
        account = self._network.ledger()
        taken = {each["key"]: each["amount"] for each in account["charges"] if each["status"] == "captured"}
        return taken | {each["key"]: -each["amount"] for each in account["refunds"]}

    def broken(self) -> list[str]:
        """What does not hold: the two accounts, the ledger's promises, the seals of what people decided."""
        known = dict(self.rows("SELECT key, amount FROM money_entries WHERE kind IN ('capture', 'refund')"))
        differ = [
            f"ledger and card network differ in {key}: {amount}" for key, amount in known.items() ^ self.moved().items()
        ]
        return differ + self._unproved()

    def _unproved(self) -> list[str]:
        database = Database(self._kept.ledger_url)
        try:
            with database.reading() as session:
                promises = [each for check in CHECKS for each in violations(session, check)]
                seals = verify(session, Trail.of(self._kept))
        finally:
            database.close_blocking()
        if seals.unsealed or not seals.decisions:
            raise RuntimeError("nothing is sealed, so nothing is proved")
        wrong = [f"{each.what}: it is not so that {each.promise}" for each in promises]
        return wrong + [f"{each['request_id']}: {each['why']}" for each in seals.broken]
