"""The sandbox carrier: our side of the wire to the fake parcel carrier of the package `sandbox`.

Turns HTTP into the port's words: how far a parcel is, never taken, or away. It neither retries nor breaks the
circuit; that is `resilience`. Nothing here knows orders.
"""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx
from pydantic import ValidationError
from standardwebhooks import Webhook

from agent.providers.carrier import CarrierUnavailableError, ParcelRefusedError, Shipment
from agent.providers.sandbox_wire import NeverTaken, ShipmentAnswer, read_webhook


class SandboxCarrier:
    """The `Carrier` port over HTTP.

    `timeout` (seconds) bounds each call as a whole. Without `webhook_secret` every webhook is refused.
    """

    def __init__(
        self, client: httpx.AsyncClient, timeout: float, name: str = "sandbox", webhook_secret: str = ""
    ) -> None:
        self.name = name
        self._client = client
        self._timeout = timeout
        self._webhook = Webhook(webhook_secret) if webhook_secret else None

    async def book(self, parcel_id: str, ship_to: dict[str, Any]) -> Shipment:
        """Have a parcel taken away, or say how far it is. Raises `ParcelRefusedError`."""
        response = await self._post("/shipments", parcel_id, {"ship_to": ship_to})
        if response.status_code == 422:
            raise _refusal(parcel_id, response)
        return _shipment(parcel_id, response)

    async def stop(self, parcel_id: str) -> Shipment:
        """Keep a parcel from leaving, also one that was never booked; `handed_over` or later: it is too late."""
        return _shipment(parcel_id, await self._post("/shipments/stop", parcel_id, {}))

    async def track(self, parcel_id: str) -> Shipment | None:
        """How far a parcel is; None for one that the carrier does not know."""
        response = await self._send("GET", f"/shipments/{quote(parcel_id, safe='')}")
        return None if response.status_code == 404 else _shipment(parcel_id, response)

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> str | None:
        """The id of the parcel to ask about; None when it is about something else. Raises `WebhookRefusedError`."""
        return read_webhook(self._webhook, headers, body, about="shipment")

    async def _post(self, path: str, parcel_id: str, body: dict[str, Any]) -> httpx.Response:
        return await self._send("POST", path, json=body, headers={"Idempotency-Key": parcel_id})

    async def _send(self, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            async with asyncio.timeout(self._timeout):
                return await self._client.request(method, path, **more)
        except (httpx.HTTPError, TimeoutError) as error:
            raise CarrierUnavailableError(f"{method} {path}: no answer ({type(error).__name__})") from error


def _refusal(parcel_id: str, response: httpx.Response) -> ParcelRefusedError:
    try:
        answer = NeverTaken.model_validate_json(response.content)
    except ValidationError as error:
        raise CarrierUnavailableError("the carrier's refusal cannot be read") from error
    if answer.never_taken != parcel_id:
        raise CarrierUnavailableError("the carrier's refusal is about another parcel")
    return ParcelRefusedError(answer.reason)


def _shipment(parcel_id: str, response: httpx.Response) -> Shipment:
    if response.status_code != 200:
        call = f"{response.request.method} {response.request.url.path}"
        raise CarrierUnavailableError(f"{call}: answered {response.status_code}")
    try:
        answer = ShipmentAnswer.model_validate_json(response.content)
    except ValidationError as error:
        raise CarrierUnavailableError("the carrier's answer cannot be read") from error
    if answer.parcel_id != parcel_id:
        raise CarrierUnavailableError("the carrier's answer is about another parcel")
    return Shipment(answer.parcel_id, answer.state, answer.tracking_id)
