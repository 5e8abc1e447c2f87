"""The wire under the Stripe SDK: an `httpx.AsyncClient` of ours, so that what its transport does holds for Stripe too.

What goes wrong there comes out as httpx, or the transport, raised it. Nothing here retries, and nothing knows payments.
"""

from collections.abc import Mapping

import httpx
import stripe

stripe.enable_telemetry = False  # else the SDK reads and writes a file in the home directory, on the event loop

_CONFLICT, _TOO_MANY = 409, 429


class StripeHttp(stripe.HTTPClient):
    """The SDK's HTTP client over `client`, which stays its owner's to close.

    Raises `httpx.HTTPStatusError` for the answers that tell nothing about the request itself: 409, 429 and 5xx.
    """

    name = "httpx"

    def __init__(self, client: httpx.AsyncClient) -> None:
        super().__init__()
        self._client = client

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: str | None = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Send one request, once."""
        response = await self._client.request(method, url, headers=headers, content=post_data)
        if response.is_server_error or response.status_code in (_CONFLICT, _TOO_MANY):
            response.raise_for_status()
        return response.content, response.status_code, response.headers
