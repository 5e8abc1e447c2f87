"""The sandbox's parcel carrier. A parcel is booked, fetched after a while by itself, and delivered when it is told to.

What a booking does depends on the postcode:

    00000       422: such a parcel is never taken
    99999       503, unread: nothing is kept
    any other   taken
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from time import time
from typing import Any, Literal

import aiosqlite
from fastapi import APIRouter, HTTPException
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict

from agent.providers.sandbox_file import IdempotencyKey, NoBody, in_background, row, transaction
from agent.providers.sandbox_webhooks import Announce

_TABLES = (
    "CREATE TABLE IF NOT EXISTS shipments (parcel_id TEXT PRIMARY KEY, state TEXT NOT NULL,"
    " ship_to TEXT, leaves_at REAL)",  # both null: stopped before it was ever booked
)


class ShipmentRequest(BaseModel):
    """A booking: where the parcel with the idempotency key as its id goes."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    ship_to: dict[str, Any]


class ShipmentAnswer(BaseModel):
    """A parcel as the carrier keeps and tells it."""

    model_config = ConfigDict(frozen=True, strict=True)

    parcel_id: str
    state: Literal["booked", "handed_over", "delivered", "stopped"]
    tracking_id: str


class NeverTaken(BaseModel):
    """The carrier read the booking and will never take this parcel. The body of its 422; any other says nothing."""

    model_config = ConfigDict(frozen=True, strict=True)

    never_taken: str
    reason: str


class Shipments(BaseModel):
    """Every parcel that the carrier heard of, oldest first."""

    shipments: list[ShipmentAnswer]


class ParcelCarrier:
    """Parcels by their id. `hand_over_seconds` after its booking a parcel is fetched, if it was not stopped.

    Announces `shipment.` and the new state after every change: nothing when a request changed nothing.
    """

    def __init__(self, database: Path, hand_over_seconds: float, announce: Announce) -> None:
        self._database = database
        self._hand_over_seconds = hand_over_seconds
        self._announce = announce

    async def book(self, parcel_id: str, asked: ShipmentRequest) -> ShipmentAnswer:
        """Take a parcel once; one that was stopped stays so. 409: it was booked to go elsewhere."""
        ship_to = json.dumps(asked.ship_to, sort_keys=True)
        async with self._transaction() as db:
            known = await row(db, "SELECT ship_to FROM shipments WHERE parcel_id = ?", parcel_id)
            if known and known["ship_to"] not in (None, ship_to):
                raise HTTPException(409, "this parcel was booked before with another ship_to")
            booked = await db.execute(
                "INSERT OR IGNORE INTO shipments (parcel_id, state, ship_to, leaves_at) VALUES (?, ?, ?, ?)",
                (
                    parcel_id,
                    "booked" if self._hand_over_seconds else "handed_over",
                    ship_to,
                    time() + self._hand_over_seconds,
                ),
            )
            shipment = await _told(db, parcel_id)
        if booked.rowcount:
            self._announce(f"shipment.{shipment.state}", parcel_id)
            if self._hand_over_seconds:
                in_background(self._send_the_van())
        return shipment

    async def stop(self, parcel_id: str) -> ShipmentAnswer:
        """Keep a parcel here, now or when it will be booked; one that has left is told as it is."""
        async with self._transaction() as db:
            stopped = await db.execute(
                "INSERT INTO shipments (parcel_id, state) VALUES (?, 'stopped')"
                " ON CONFLICT DO UPDATE SET state = 'stopped' WHERE state = 'booked'",
                (parcel_id,),
            )
            shipment = await _told(db, parcel_id)
        if stopped.rowcount:
            self._announce("shipment.stopped", parcel_id)
        return shipment

    async def deliver(self, parcel_id: str) -> ShipmentAnswer:
        """A parcel that has left arrives. 409: it has not left. 404: it was neither booked nor stopped."""
        async with self._transaction() as db:
            delivered = await db.execute(
                "UPDATE shipments SET state = 'delivered' WHERE parcel_id = ? AND state = 'handed_over'", (parcel_id,)
            )
            shipment = await _told(db, parcel_id)
        if delivered.rowcount:
            self._announce("shipment.delivered", parcel_id)
        if shipment.state != "delivered":
            raise HTTPException(409, f"this parcel is {shipment.state}")
        return shipment

    async def find(self, parcel_id: str) -> ShipmentAnswer:
        """A parcel. 404: it was neither booked nor stopped."""
        async with self._transaction() as db:
            return await _told(db, parcel_id)

    async def shipments(self) -> Shipments:
        """All parcels."""
        async with self._transaction() as db:
            rows = await db.execute_fetchall("SELECT parcel_id, state FROM shipments ORDER BY rowid")
            return Shipments(shipments=[_answer(dict(each)) for each in rows])

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[aiosqlite.Connection]:
        """A transaction in which every parcel whose time has come has left: nobody need have watched the clock."""
        async with transaction(self._database, _TABLES) as db:
            left = await db.execute_fetchall(
                "UPDATE shipments SET state = 'handed_over' WHERE state = 'booked' AND leaves_at <= ?"
                " RETURNING parcel_id",
                (time(),),
            )
            yield db
        for (parcel_id,) in left:
            self._announce("shipment.handed_over", parcel_id)

    async def _send_the_van(self) -> None:
        """Let parcels leave on time, also while nobody asks."""
        await asyncio.sleep(self._hand_over_seconds)
        async with self._transaction():
            pass


def tracking_id(parcel_id: str) -> str:
    """The carrier's own name for a parcel."""
    return f"T{sha256(parcel_id.encode()).hexdigest()[:10].upper()}"


async def _told(db: aiosqlite.Connection, parcel_id: str) -> ShipmentAnswer:
    known = await row(db, "SELECT parcel_id, state FROM shipments WHERE parcel_id = ?", parcel_id)
    if known is None:
        raise HTTPException(404, "no such parcel")
    return _answer(known)


def _answer(known: dict[str, Any]) -> ShipmentAnswer:
    return ShipmentAnswer(tracking_id=tracking_id(known["parcel_id"]), **known)


def parcel_routes(database: Path, hand_over_seconds: float, announce: Announce) -> APIRouter:
    """The carrier over HTTP, its parcels in `database`."""
    carrier = ParcelCarrier(database, hand_over_seconds, announce)
    routes = APIRouter(prefix="/shipments")

    @routes.post("", response_model=ShipmentAnswer)
    async def book(asked: ShipmentRequest, parcel_id: IdempotencyKey) -> ShipmentAnswer | JSONResponse:
        match asked.ship_to.get("postcode"):
            case "99999":
                raise HTTPException(503, "refused unread: try again later")
            case "00000":
                never = NeverTaken(never_taken=parcel_id, reason="no van goes to this postcode")
                return JSONResponse(never.model_dump(), 422)
        return await carrier.book(parcel_id, asked)

    @routes.post("/stop")
    async def stop(_: NoBody, parcel_id: IdempotencyKey) -> ShipmentAnswer:
        return await carrier.stop(parcel_id)

    @routes.post("/deliver")
    async def deliver(_: NoBody, parcel_id: IdempotencyKey) -> ShipmentAnswer:
        return await carrier.deliver(parcel_id)

    @routes.get("")
    async def shipments() -> Shipments:
        return await carrier.shipments()

    @routes.get("/{parcel_id:path}")
    async def find(parcel_id: str) -> ShipmentAnswer:
        return await carrier.find(parcel_id)

    return routes
