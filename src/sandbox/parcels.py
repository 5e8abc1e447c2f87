"""The sandbox's parcel carrier. A parcel is booked, fetched after a while by itself, and delivered when it is told to.

What a booking does depends on the postcode:

    00000       422: such a parcel is never taken
    99999       503, unread: nothing is kept
    any other   taken
"""

import asyncio
import json
from collections.abc import Callable
from hashlib import sha256
from sqlite3 import Connection
from time import time
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.announcer import Announce
from sandbox.file import SandboxFile, in_background, row
from sandbox.requests import NoBody, answer, effect

_Result = TypeVar("_Result")

PARCEL_TABLES = (
    "CREATE TABLE IF NOT EXISTS shipments (parcel_id TEXT PRIMARY KEY, state TEXT NOT NULL,"
    " ship_to TEXT, leaves_at REAL)",  # both null: stopped before it was ever booked
    "CREATE INDEX IF NOT EXISTS shipments_to_leave ON shipments (leaves_at) WHERE state = 'booked'",
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
    """Parcels by their id, in a file that has `PARCEL_TABLES`.

    `hand_over_seconds` after its booking a parcel is fetched, if it was not stopped. Announces `shipment.` and the new
    state after every change: nothing when a request changed nothing.
    """

    def __init__(self, file: SandboxFile, hand_over_seconds: float, announce: Announce) -> None:
        self._file = file
        self._hand_over_seconds = hand_over_seconds
        self._announce = announce

    async def book(self, parcel_id: str, asked: ShipmentRequest) -> ShipmentAnswer:
        """Take a parcel once; one that was stopped stays so. 409: it was booked to go elsewhere."""
        ship_to = json.dumps(asked.ship_to, sort_keys=True)

        def take(db: Connection) -> tuple[ShipmentAnswer, bool]:
            known = row(db, "SELECT ship_to FROM shipments WHERE parcel_id = ?", parcel_id)
            if known and known["ship_to"] not in (None, ship_to):
                raise HTTPException(409, "this parcel was booked before with another ship_to")
            booked = db.execute(
                "INSERT OR IGNORE INTO shipments (parcel_id, state, ship_to, leaves_at) VALUES (?, ?, ?, ?)",
                (
                    parcel_id,
                    "booked" if self._hand_over_seconds else "handed_over",
                    ship_to,
                    time() + self._hand_over_seconds,
                ),
            )
            return _shipment_of(db, parcel_id), bool(booked.rowcount)

        shipment, is_new = await self._transaction(take)
        if is_new:
            self._announce(f"shipment.{shipment.state}", parcel_id)
            if self._hand_over_seconds:
                in_background(self._send_the_van())
        return shipment

    async def stop(self, parcel_id: str) -> ShipmentAnswer:
        """Keep a parcel here, now or when it will be booked; one that has left is told as it is."""
        return await self._change(
            parcel_id,
            "stopped",
            "INSERT INTO shipments (parcel_id, state) VALUES (?, 'stopped')"
            " ON CONFLICT DO UPDATE SET state = 'stopped' WHERE state = 'booked'",
        )

    async def deliver(self, parcel_id: str) -> ShipmentAnswer:
        """A parcel that has left arrives. 409: it has not left. 404: it was neither booked nor stopped."""
        shipment = await self._change(
            parcel_id,
            "delivered",
            "UPDATE shipments SET state = 'delivered' WHERE parcel_id = ? AND state = 'handed_over'",
        )
        if shipment.state != "delivered":
            raise HTTPException(409, f"this parcel is {shipment.state}")
        return shipment

    async def find(self, parcel_id: str) -> ShipmentAnswer:
        """A parcel. 404: it was neither booked nor stopped."""
        return await self._transaction(lambda db: _shipment_of(db, parcel_id))

    async def shipments(self) -> Shipments:
        """All parcels."""

        def read(db: Connection) -> Shipments:
            rows = db.execute("SELECT parcel_id, state FROM shipments ORDER BY rowid")
            return Shipments(shipments=[_answer(dict(each)) for each in rows])

        return await self._transaction(read)

    async def _change(self, parcel_id: str, state: str, statement: str) -> ShipmentAnswer:
        """Run a statement that may bring a parcel into `state`."""

        def change(db: Connection) -> tuple[ShipmentAnswer, bool]:
            changed = db.execute(statement, (parcel_id,))
            return _shipment_of(db, parcel_id), bool(changed.rowcount)

        shipment, is_changed = await self._transaction(change)
        if is_changed:
            self._announce(f"shipment.{state}", parcel_id)
        return shipment

    async def _transaction(self, work: Callable[[Connection], _Result]) -> _Result:
        """A transaction in which every parcel whose time has come has left: nobody need have watched the clock."""

        def after_the_van(db: Connection) -> tuple[list[tuple[str]], _Result]:
            left = db.execute(
                "UPDATE shipments SET state = 'handed_over' WHERE state = 'booked' AND leaves_at <= ?"
                " RETURNING parcel_id",
                (time(),),
            ).fetchall()
            return left, work(db)

        left, result = await self._file.transaction(after_the_van)
        for (parcel_id,) in left:
            self._announce("shipment.handed_over", parcel_id)
        return result

    async def _send_the_van(self) -> None:
        """Let parcels leave on time, also while nobody asks."""
        await asyncio.sleep(self._hand_over_seconds)
        if not self._file.closed:
            await self._transaction(lambda _: None)


def tracking_id(parcel_id: str) -> str:
    """The carrier's own name for a parcel."""
    return f"T{sha256(parcel_id.encode()).hexdigest()[:10].upper()}"


def _shipment_of(db: Connection, parcel_id: str) -> ShipmentAnswer:
    known = row(db, "SELECT parcel_id, state FROM shipments WHERE parcel_id = ?", parcel_id)
    if known is None:
        raise HTTPException(404, "no such parcel")
    return _answer(known)


def _answer(known: dict[str, Any]) -> ShipmentAnswer:
    return ShipmentAnswer(tracking_id=tracking_id(known["parcel_id"]), **known)


def parcel_routes(file: SandboxFile, hand_over_seconds: float, announce: Announce) -> list[Route]:
    """The carrier over HTTP, its parcels in `file`."""
    carrier = ParcelCarrier(file, hand_over_seconds, announce)

    async def book(request: Request) -> Response:
        parcel_id, asked = await effect(request, ShipmentRequest)
        match asked.ship_to.get("postcode"):
            case "99999":
                raise HTTPException(503, "refused unread: try again later")
            case "00000":
                return answer(NeverTaken(never_taken=parcel_id, reason="no van goes to this postcode"), 422)
        return answer(await carrier.book(parcel_id, asked))

    async def stop(request: Request) -> Response:
        parcel_id, _ = await effect(request, NoBody)
        return answer(await carrier.stop(parcel_id))

    async def deliver(request: Request) -> Response:
        parcel_id, _ = await effect(request, NoBody)
        return answer(await carrier.deliver(parcel_id))

    async def shipments(_: Request) -> Response:
        return answer(await carrier.shipments())

    async def find(request: Request) -> Response:
        return answer(await carrier.find(request.path_params["parcel_id"]))

    return [
        Route("/shipments", book, methods=["POST"]),
        Route("/shipments/stop", stop, methods=["POST"]),
        Route("/shipments/deliver", deliver, methods=["POST"]),
        Route("/shipments", shipments, methods=["GET"]),
        Route("/shipments/{parcel_id:path}", find, methods=["GET"]),
    ]
