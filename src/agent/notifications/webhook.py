"""A receiver of webhooks: signed POSTs (https://www.standardwebhooks.com).

What is sent, when, and how often, is decided in `webhook_delivery`; for how long, and when not at all, by the client.
"""

import json
import re
from datetime import UTC, datetime
from typing import Any, Final

import httpx
from standardwebhooks import Webhook

TIMEOUT_SECONDS: Final = 5.0
"""For one attempt as a whole: who takes longer may do the work after the answer."""

SECRET: Final = re.compile(r"whsec_[A-Za-z0-9+/]{32,}={0,2}")  # base64 of 24 bytes or more


class NotDeliveredError(Exception):
    """Nobody said that they took the notification. `why` is a status, or the name of an error."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the notification was not taken: {why}")
        self.why = why


class WebhookReceiver:
    """Somebody's endpoint for notifications.

    Args:
        client: for this receiver alone, with bounds and a breaker.
        url: where to POST.
        secret: `whsec_` and base64; the receiver verifies with the same.
        setting: what the secret is called where people set it.

    Raises:
        ValueError: the secret is not of that form.
    """

    def __init__(self, client: httpx.AsyncClient, url: str, secret: str, setting: str) -> None:
        if not SECRET.fullmatch(secret):
            raise ValueError(f"{setting} must be whsec_ and the base64 of 24 random bytes or more")
        self._client = client
        self._url = httpx.URL(url)
        self._webhook = Webhook(secret)

    async def take(self, key: str, message: dict[str, Any]) -> None:
        """Have it take a message; `key` is the webhook's id, the same for each attempt.

        Raises `NotDeliveredError`, or `CircuitOpenError` when it was not asked.
        """
        body, now = json.dumps(message), datetime.now(UTC)
        headers = {
            "content-type": "application/json",
            "webhook-id": key,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._webhook.sign(key, now, body),
        }
        try:
            response = await self._client.post(self._url, content=body, headers=headers)
        except httpx.HTTPError as error:
            raise NotDeliveredError(type(error).__name__) from error
        if not response.is_success:
            raise NotDeliveredError(str(response.status_code))
