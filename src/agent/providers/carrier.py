"""The carrier port: what the shop asks of whoever takes its parcels away. Nothing here knows orders or money.

Booking and stopping are keyed by the parcel's id and safe to repeat, so a lost answer needs no word of its own.
"""

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from agent.resilience import TransientError

ShipmentState = Literal["booked", "handed_over", "delivered", "stopped"]


@dataclass(frozen=True)
class Shipment:
    """A parcel as the carrier has it. Before `handed_over` it can be stopped."""

    parcel_id: str
    state: ShipmentState
    tracking_id: str


class CarrierError(Exception):
    """The carrier gave no usable answer."""


class CarrierUnavailableError(CarrierError, TransientError):
    """No answer, or none that means anything: ask again."""


class ParcelRefusedError(CarrierError):
    """The carrier will never take this parcel; says why."""


class Carrier(Protocol):
    """What a carrier can do. Every method may raise `CarrierUnavailableError`."""

    name: str

    async def book(self, parcel_id: str, ship_to: dict[str, Any]) -> Shipment:
        """Have a parcel taken away, or say how far it is. Raises `ParcelRefusedError`."""
        ...

    async def stop(self, parcel_id: str) -> Shipment:
        """Keep a parcel from leaving, also one that was never booked; `handed_over` or later: it is too late."""
        ...

    async def track(self, parcel_id: str) -> Shipment | None:
        """How far a parcel is, as of half a minute ago at most; None for one that the carrier does not know."""
        ...
