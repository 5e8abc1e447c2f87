"""What stands between an httpx client and the wire: an httpx transport that bounds, signs, guards and remembers calls.

cache → rate limit → auth → breaker → bulkhead → timeout → wire, and the answer into the cache. What a stage does is in
`capacity`, `credentials`, `circuit_breaker` and `response_cache`; their order is here. Nothing here retries.
"""

import asyncio
from dataclasses import dataclass, field
from typing import cast

import httpx

from agent.resilience.capacity import Bulkhead, LocalRejectionError, RateLimit, within
from agent.resilience.circuit_breaker import CircuitBreaker
from agent.resilience.credentials import Auth
from agent.resilience.failures import CircuitOpenError
from agent.resilience.response_cache import CacheRules, ResponseCache


class CredentialUnavailableError(LocalRejectionError):
    """No credential could be had. At most one request was sent, and refused for the one before."""


class ExchangeTimeoutError(httpx.TimeoutException):
    """The whole answer, its body included, did not come in time. The request may have had its effect."""


class AnswerTooLongError(httpx.DecodingError):
    """The answer went on for longer than we read. The request may have had its effect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportConfig:
    """How a backend is called. A call takes at most `rate_wait + concurrency_wait + timeout`, and fetching a token.

    Args:
        name: of the backend, in errors.
        rate: the most calls, such as `100/second` (see `capacity`); None: no limit.
        rate_wait: seconds that a call waits for its turn in the rate.
        redis_url: where the workers meet that share the rate; empty: each has its own.
        max_concurrent: calls in flight; no more than the wire has connections, or httpx's own pool refuses first.
        concurrency_wait: seconds that a call waits for a place among them; the breaker counts them to its duration.
        timeout: seconds for one exchange, from the connection to the end of the body.
        max_body: bytes of an answer's body, as sent.
        media_type: what a success must be, such as `application/json`: else, to the breaker, it is a `bad_response`,
            such as a proxy's page.
        cache: which answers are kept; None: none.

    Raises:
        ValueError: a value is out of range.
    """

    name: str
    rate: str | None = None
    rate_wait: float = 1.0
    redis_url: str = field(default="", repr=False)
    max_concurrent: int = 100
    concurrency_wait: float = 1.0
    timeout: float = 10.0
    max_body: int = 10 * 2**20
    media_type: str | None = None
    cache: CacheRules | None = None

    def __post_init__(self) -> None:
        for name in ("max_concurrent", "timeout", "max_body"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0")
        for name in ("rate_wait", "concurrency_wait"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be below 0")


class ResilientTransport(httpx.AsyncBaseTransport):
    """Put under an `httpx.AsyncClient`; closing that closes this and the wire.

    Every answer that comes is returned, whatever its status. To the breaker those of 4xx and 5xx are what the
    classifier says of an `httpx.HTTPStatusError`. Bodies are read here to the end: this is no transport for streams.

    - A cached answer passes nothing: it costs no call of the rate and is given while the breaker is open.
    - A call that the breaker refuses has taken its turn in the rate: were it the other way round, waiting for a turn
      would look like a slow backend, and hold up probes.
    - A 401 to a renewable credential says nothing about the backend: the request is sent once more with a new one, in
      the same turn, and what comes then counts.

    Args:
        wire: what sends.
        config: the bounds.
        breaker: of this backend alone.
        auth: who we are there; None: as the request says.

    Raises of each call:
        LocalRejectionError: there was no room in the rate or the bulkhead, or no credential; nothing was sent.
        CircuitOpenError: the breaker refused; nothing was sent.
        ExchangeTimeoutError, AnswerTooLongError: sent, without a whole answer.
        httpx.TransportError: what the wire raises.
    """

    def __init__(
        self, wire: httpx.AsyncBaseTransport, config: TransportConfig, breaker: CircuitBreaker, auth: Auth | None = None
    ) -> None:
        self._wire = wire
        self._config = config
        self._breaker = breaker
        self._auth = auth
        self._rate = RateLimit(config.name, config.rate, config.rate_wait, config.redis_url) if config.rate else None
        self._bulkhead = Bulkhead(config.name, config.max_concurrent, config.concurrency_wait)
        self._cache = ResponseCache(config.cache) if config.cache else None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request, from the cache or from the wire."""
        if self._cache and (kept := self._cache.find(request)):
            return kept
        if self._rate:
            await self._rate.take()
        try:
            response = await self._signed(request, self._auth) if self._auth else await self._guarded(request)
        except BadAnswerError as error:  # for the breaker's ears; callers get the answer itself
            return error.response
        if self._cache:
            self._cache.keep(request, response)
        return response

    async def aclose(self) -> None:
        """Close the wire, and what the rate is shared by."""
        await self._wire.aclose()
        if self._rate:
            await self._rate.close()

    async def _signed(self, request: httpx.Request, auth: Auth) -> httpx.Response:
        """With our credential; when it is refused, once more with a new one, if that can be."""
        may_renew = auth.renewable and isinstance(request.stream, httpx.ByteStream)  # a stream can't be sent again
        value = await self._credential(auth)
        try:
            return await self._guarded(_with_header(request, auth.header, value), may_renew=may_renew)
        except _CredentialRefusedError:
            newer = await self._credential(auth, refused=value)
        return await self._guarded(_with_header(request, auth.header, newer))

    async def _credential(self, auth: Auth, refused: str | None = None) -> str:
        try:
            async with asyncio.timeout(self._config.timeout):
                return await auth.value(refused)
        except (httpx.HTTPError, TimeoutError, LocalRejectionError, CircuitOpenError) as error:
            why = f"{self._config.name}: no credential ({type(error).__name__}); look at where it comes from"
            raise CredentialUnavailableError(why) from None  # it may quote secrets

    async def _guarded(self, request: httpx.Request, *, may_renew: bool = False) -> httpx.Response:
        return await self._breaker.call(self._answer, request, may_renew)

    async def _answer(self, request: httpx.Request, may_renew: bool) -> httpx.Response:
        """A good answer; any other is raised, as what a breaker should make of it."""
        response = await self._exchange(request)
        if may_renew and response.status_code == httpx.codes.UNAUTHORIZED:
            raise _CredentialRefusedError
        if response.is_error or not self._is_expected(response):
            raise BadAnswerError(str(response.status_code), request=request, response=response)
        return response

    def _is_expected(self, response: httpx.Response) -> bool:
        expected = self._config.media_type
        if expected is None or response.status_code == httpx.codes.NO_CONTENT:
            return True
        return response.is_success and response.headers.get("content-type", "").lower().startswith(expected)

    async def _exchange(self, request: httpx.Request) -> httpx.Response:
        """Send, and take in the whole answer as it is on the wire: to decode it is the client's."""
        name, seconds, most = self._config.name, self._config.timeout, self._config.max_body
        late = ExchangeTimeoutError(f"{name}: no whole answer within {seconds} s")
        async with self._bulkhead.place(), within(seconds, late):
            try:
                response = await self._wire.handle_async_request(request)
            except httpx.LocalProtocolError:  # it quotes the header, and nothing was sent
                raise CredentialUnavailableError(f"{name}: a header of ours is none; look at its credential") from None
            body = bytearray()
            try:
                async for chunk in cast(httpx.AsyncByteStream, response.stream):
                    body += chunk
                    if len(body) > most:
                        raise AnswerTooLongError(f"{name}: an answer of more than {most} bytes; see max_body")
            finally:
                await response.aclose()
        return httpx.Response(
            response.status_code,
            headers=response.headers,
            stream=httpx.ByteStream(bytes(body)),
            extensions=response.extensions,
        )


class ClientWire(httpx.AsyncBaseTransport):
    """A client as the wire: with its connections, hooks and proxies. Several transports may share one, each with a
    breaker of its own, where several services live at one address. Closing it closes the client.
    """

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request through the client; the body of the answer is yet to be read."""
        return await self._client.send(request, stream=True)

    async def aclose(self) -> None:
        """Close the client."""
        await self._client.aclose()


class BadAnswerError(httpx.HTTPStatusError):
    """An answer that a breaker should hear of; callers get the answer, and never this."""


class _CredentialRefusedError(Exception):
    """A 401 that a new credential may put right: it has no rule, so it is NEUTRAL to a breaker."""


def _with_header(request: httpx.Request, name: str, value: str) -> httpx.Request:
    """A copy: the caller's own request, which errors and answers carry about, never has our credential."""
    headers = request.headers.copy()
    try:
        headers[name] = value
    except UnicodeEncodeError:
        raise CredentialUnavailableError(f"the credential in {name} has characters that no header holds") from None
    return httpx.Request(
        request.method, request.url, headers=headers, stream=request.stream, extensions=request.extensions
    )
