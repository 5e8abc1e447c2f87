"""A shop as an engine's tutorial would write it: a small SQLite file, and a provider that is called over HTTP.

`keyed`: each effect carries the order's own key, as all these engines' documentation asks for what may run twice.
Without, a key of the attempt, which is what calling a provider without keys comes to.
"""

import asyncio
import sqlite3
from typing import Any
from uuid import uuid4

import httpx

from benchmarks.contenders.given import Place

_TABLES = """
CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, lines INTEGER NOT NULL, amount INTEGER NOT NULL, said TEXT);
CREATE TABLE IF NOT EXISTS holds (order_id TEXT NOT NULL, line INTEGER NOT NULL, PRIMARY KEY (order_id, line));
"""
_AMOUNT = 100_200
_PARCELS = ("east", "west")


class SmallShop:
    """An order's steps."""

    def __init__(self, place: Place, *, keyed: bool) -> None:
        self._keyed = keyed
        self._db = sqlite3.connect(place.folder / "shop.db", check_same_thread=False, timeout=30)
        self._db.executescript("PRAGMA journal_mode = WAL;" + _TABLES)
        self._lock = asyncio.Lock()
        self._http = httpx.AsyncClient(base_url=place.payment_url, timeout=10, trust_env=False)

    async def close(self) -> None:
        """Close the file and the connections."""
        await self._http.aclose()
        self._db.close()

    async def place(self, order: dict[str, Any]) -> list[int]:
        """Write the order once; the numbers of its lines."""
        lines = list(range(len(order["lines"])))
        await self._write("INSERT OR IGNORE INTO orders VALUES (?, ?, ?, NULL)", order["order_id"], len(lines), _AMOUNT)
        return lines

    async def reserve_line(self, order_id: str, line: int) -> None:
        """Hold a line's stock once."""
        await self._write("INSERT OR IGNORE INTO holds VALUES (?, ?)", order_id, line)

    async def assess(self, order_id: str) -> dict[str, Any] | None:
        """Everybody is asked about."""
        return {"approve": order_id}

    async def decide(self, order_id: str, asked: dict[str, Any], said: dict[str, Any]) -> None:  # noqa: ARG002
        """Note the yes."""
        await self._write("UPDATE orders SET said = ? WHERE id = ?", said["decisions"][0]["type"], order_id)

    async def charge(self, order_id: str) -> list[str]:
        """Take the money."""
        await self._post(
            "/charges", self._key(order_id), {"amount": _AMOUNT, "currency": "USD", "token": "tok_approve"}
        )
        return [f"{order_id}:{room}" for room in _PARCELS]

    async def ship(self, order_id: str, parcel_id: str) -> None:  # noqa: ARG002
        """Give a parcel to the carrier."""
        await self._post("/shipments", self._key(parcel_id), {"ship_to": {"postcode": "97201"}})

    async def complete(self, order_id: str) -> str:  # noqa: ARG002
        """The last word."""
        return "completed"

    def _key(self, of: str) -> str:
        return f"{of}:once" if self._keyed else f"{of}:{uuid4()}"

    async def _post(self, path: str, key: str, body: dict[str, Any]) -> None:
        (await self._http.post(path, json=body, headers={"Idempotency-Key": key})).raise_for_status()

    async def _write(self, statement: str, *values: Any) -> None:
        def write() -> None:
            with self._db:
                self._db.execute(statement, values)

        async with self._lock:
            await asyncio.to_thread(write)
