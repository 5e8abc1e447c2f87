"""Access tokens by OAuth 2.0 client credentials (RFC 6749, section 4.4), for `resilience.credentials.TokenAuth`."""

from collections.abc import Awaitable, Callable

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

VISIBLE = r"^[!-~]+$"
"""Characters of a token (RFC 6750, section 2.1, and what others put in): no space, no line end."""


class _TokenAnswer(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    access_token: str = Field(min_length=1, max_length=8192, pattern=VISIBLE)  # what a header can hold


def client_credentials(
    client: httpx.AsyncClient, url: str, client_id: str, client_secret: str
) -> Callable[[], Awaitable[str]]:
    """What gets a new token from the endpoint at `url`. Its expiry is not read: a token that is refused is replaced.

    Raises of each call `httpx.HTTPError`: no answer, a refusal, or no token in it.
    """

    async def fetch() -> str:
        try:
            answer = await client.post(url, data={"grant_type": "client_credentials"}, auth=(client_id, client_secret))
        except httpx.InvalidURL as error:  # which is no HTTPError
            raise httpx.UnsupportedProtocol(f"the token endpoint's address can't be read: {error}") from error
        answer.raise_for_status()
        try:
            return _TokenAnswer.model_validate_json(answer.content).access_token
        except ValidationError:  # which may quote secrets
            raise httpx.DecodingError("the token endpoint's answer has no access_token") from None

    return fetch
