"""Where notices go as webhooks: signed POSTs (https://www.standardwebhooks.com), behind a breaker.

What is sent, when, and how often, is decided in `commerce.outbox`.
"""

import asyncio
import json
import re
from datetime import UTC, datetime
from typing import Any, Final

import httpx
from standardwebhooks import Webhook

from agent.resilience import CircuitBreaker

TIMEOUT_SECONDS: Final = 5.0
"""For one attempt as a whole: who takes longer may do the work after the answer."""

_SECRET: Final = re.compile(r"whsec_[A-Za-z0-9+/]{32,}={0,2}")  # base64 of 24 bytes or more


class NoticeNotTakenError(Exception):
    """The receiver did not say that it took the notice. `why` is a status, or the name of an error."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the notice was not taken: {why}")
        self.why = why


class NoticeReceiver:
    """Somebody's endpoint for notices.

    Args:
        client: for this receiver alone.
        url: where to POST.
        secret: `whsec_` and base64; the receiver verifies with the same.
        breaker: says when not to try at all.
        timeout: seconds for one attempt.

    Raises:
        ValueError: the secret is not of that form.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        url: str,
        secret: str,
        breaker: CircuitBreaker,
        timeout: float = TIMEOUT_SECONDS,
    ) -> None:
        if not _SECRET.fullmatch(secret):
            raise ValueError("NOTICE_WEBHOOK_SECRET must be whsec_ and the base64 of 24 random bytes or more")
        self._client = client
        self._url = httpx.URL(url)
        self._webhook = Webhook(secret)
        self._breaker = breaker
        self._timeout = timeout

    async def take(self, key: str, message: dict[str, Any]) -> None:
        """Have it take a message; `key` is the webhook's id, the same for each attempt.

        Raises `NoticeNotTakenError`, or `CircuitOpenError` when it was not asked.
        """
        try:
            await self._breaker.call(self._post, key, message)
        except httpx.HTTPStatusError as error:
            raise NoticeNotTakenError(str(error.response.status_code)) from error
        except (httpx.HTTPError, TimeoutError) as error:
            raise NoticeNotTakenError(type(error).__name__) from error

    async def _post(self, key: str, message: dict[str, Any]) -> None:
        body, now = json.dumps(message), datetime.now(UTC)
        headers = {
            "content-type": "application/json",
            "webhook-id": key,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._webhook.sign(key, now, body),
        }
        async with (
            asyncio.timeout(self._timeout),
            self._client.stream("POST", self._url, content=body, headers=headers) as response,
        ):
            response.raise_for_status()  # the rest of the answer is not read
