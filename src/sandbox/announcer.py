"""How the sandbox announces what has changed: a webhook, signed as Standard Webhooks has it (standardwebhooks.com).

A webhook is a hint to look something up and never the truth: it may come late, twice, in any order, or not at all.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid4

import httpx
from pydantic import BaseModel, ConfigDict
from standardwebhooks import Webhook

from sandbox.file import in_background

_log = logging.getLogger(__name__)

Announce = Callable[[str, str], None]
"""Says that something of this type ("charge.captured", "shipment.delivered") happened to what has this key."""


class Announcement(BaseModel):
    """The body of a webhook."""

    model_config = ConfigDict(frozen=True, strict=True)

    type: str
    key: str


def nobody(_type: str, _key: str) -> None:
    """The `Announce` of a world to which nobody listens."""


class Announcer:
    """The `Announce` that posts to `url`; nobody waits for it. `secret` is base64, with or without "whsec_" before it.

    Each webhook is sent once: whoever misses one has to look.
    """

    def __init__(self, url: str, secret: str) -> None:
        self._url = url
        self._webhook = Webhook(secret)
        self._client = httpx.AsyncClient(
            timeout=5.0,
            limits=httpx.Limits(max_keepalive_connections=0),  # nothing stays open
            trust_env=False,
        )

    def __call__(self, type_: str, key: str) -> None:
        """Sign it now and send it soon."""
        body = Announcement(type=type_, key=key).model_dump_json()
        sent_at, message_id = datetime.now(UTC), f"msg_{uuid4().hex}"
        headers = {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(sent_at.timestamp())),
            "webhook-signature": self._webhook.sign(message_id, sent_at, body),
        }
        in_background(self.send(self._client.build_request("POST", self._url, content=body, headers=headers)))

    async def send(self, request: httpx.Request) -> None:
        """Send one webhook. That nobody took it is a line in the log."""
        try:
            response = await self._client.send(request)
        except httpx.HTTPError as error:
            _log.warning("a webhook was not taken: %s", type(error).__name__)
            return
        if not response.is_success:
            _log.warning("a webhook was not taken: answered %d", response.status_code)
