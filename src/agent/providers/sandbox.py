"""The sandbox provider: our side of the wire to the fake card network of the package `sandbox`.

Turns HTTP into the port's words: captured, declined, surely without effect, unknown. It neither retries nor
breaks the circuit; that is `resilience`. Nothing here knows orders.
"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError
from standardwebhooks import Webhook

from agent.providers.payment import (
    Attempt,
    Charge,
    Movement,
    NoCharge,
    PaymentFaultError,
    PaymentNotSentError,
    PaymentProvider,
    PaymentRejectedError,
    PaymentUnknownError,
    RefundState,
)
from agent.providers.sandbox_wire import (
    ChargeAnswer,
    CreditAnswer,
    Movements,
    NoSuchCharge,
    NoSuchRefund,
    RefundAnswer,
    RefundStanding,
    read_webhook,
)

_Answer = TypeVar("_Answer", bound=BaseModel)

_PAGE = 100
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
_OUR_FAULT = (400, 401, 403, 409)
_REFUSED_UNREAD = (429, 503)  # the network promises this of 503 and of no other 5xx; 429 says it by itself


class RejectedRequestError(PaymentRejectedError):
    """The network answered 4xx; carries the status."""

    def __init__(self, call: str, status: int) -> None:
        super().__init__(f"{call}: the provider rejected the request with {status}")
        self.status = status


class FaultyRequestError(RejectedRequestError, PaymentFaultError):
    """The network refused it by our own fault: we may not ask it, or the key was another request's."""


EVER: Final = datetime.min.replace(tzinfo=UTC)


class SandboxProvider(PaymentProvider):
    """The `PaymentProvider` port over HTTP. Besides the port's errors it raises `RejectedRequestError`.

    `timeout` (seconds) bounds each call as a whole: httpx counts per read, and in process not at all.
    Without `webhook_secret` every webhook is refused.
    """

    def __init__(
        self, client: httpx.AsyncClient, timeout: float, name: str = "sandbox", webhook_secret: str = ""
    ) -> None:
        self.name = name
        self._client = client
        self._timeout = timeout
        self._webhook = Webhook(webhook_secret) if webhook_secret else None

    async def capture(self, attempt: Attempt) -> Charge:
        """Take the money; the same key again gives the first answer."""
        body = {"amount": attempt.amount, "currency": attempt.currency, "token": attempt.token}
        answer = _read(ChargeAnswer, await self._send(self._post("/charges", attempt.key, body)))
        _check_same((answer.key, answer.amount), (attempt.key, attempt.amount))
        return _charge(answer)

    async def find(self, attempt: Attempt) -> Charge | NoCharge:
        """What became of the attempt. The network decides at once: what it has not decided, it never got."""
        request = self._client.build_request("GET", f"/charges/{quote(attempt.key, safe='')}")
        return self._found(attempt, await self._send(request, accept=(200, 404))) or NoCharge.NEVER_CAME

    async def void(self, attempt: Attempt) -> Charge | None:
        """Make sure that the attempt never takes money any more; what it did before that comes back."""
        return self._found(attempt, await self._send(self._post("/voids", attempt.key, {}), accept=(200, 404)))

    def _found(self, attempt: Attempt, response: httpx.Response) -> Charge | None:
        if response.status_code == 404:
            _check_same(_read(NoSuchCharge, response).no_such_charge, attempt.key)
            return None
        answer = _read(ChargeAnswer, response)
        _check_same(answer.key, attempt.key)
        return _charge(answer)

    async def refund(self, key: str, provider_id: str, amount: int) -> RefundState:
        """Give `amount` (minor units) of a capture back; the same `key` again changes nothing."""
        body = {"charge_id": provider_id, "amount": amount}
        response = await self._send(self._post("/refunds", key, body))
        answer = _read(RefundAnswer, response)
        _check_same((answer.key, answer.charge_id, answer.amount), (key, provider_id, amount))
        return answer.state

    async def find_refund(self, key: str, provider_id: str) -> RefundState | None:  # noqa: ARG002  (the port's)
        """How a refund or a credit stands now; None when the network says that it never got it."""
        request = self._client.build_request("GET", f"/refunds/{quote(key, safe='')}")
        response = await self._send(request, accept=(200, 404))
        if response.status_code == 404:
            _check_same(_read(NoSuchRefund, response).no_such_refund, key)
            return None
        answer = _read(RefundStanding, response)
        _check_same(answer.key, key)
        return answer.state

    async def credit(self, key: str, amount: int, currency: str, token: str) -> RefundState:
        """Pay `amount` (minor units) out to the card `token`; the same `key` again changes nothing."""
        body = {"amount": amount, "currency": currency, "token": token}
        answer = _read(CreditAnswer, await self._send(self._post("/credits", key, body)))
        _check_same((answer.key, answer.amount), (key, amount))
        return answer.state

    async def taken(self, provider_id: str, currency: str) -> int | None:  # noqa: ARG002  (the network keeps none)
        """What a charge took; None for no such one."""
        taken = {each.provider_id: each.amount for each in await self.movements(EVER) if each.kind == "capture"}
        return taken.get(provider_id)

    async def movements(self, since: datetime) -> list[Movement]:  # noqa: ARG002  (the network keeps no times)
        """All that was ever taken and given back."""
        found: list[Movement] = []
        while True:
            page = {"offset": str(len(found)), "limit": str(_PAGE)}
            request = self._client.build_request("GET", "/movements", params=page)
            listed = _read(Movements, await self._send(request)).movements
            found += [Movement(**each.model_dump()) for each in listed]
            if len(listed) < _PAGE:
                return found

    def read_refund_webhook(self, headers: Mapping[str, str], body: bytes) -> str | None:
        """The key of the refund to look up, else as `read_webhook`."""
        return read_webhook(self._webhook, headers, body, about="refund")

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> str | None:
        """The key of the attempt to look up; None when it is about something else. Raises `WebhookRefusedError`."""
        return read_webhook(self._webhook, headers, body, about="charge")

    def _post(self, path: str, key: str, body: dict[str, object]) -> httpx.Request:
        return self._client.build_request("POST", path, json=body, headers={"Idempotency-Key": key})

    async def _send(self, request: httpx.Request, accept: tuple[int, ...] = (200,)) -> httpx.Response:
        """The response when its status is accepted; anything else raises what it means."""
        call = f"{request.method} {request.url.path}"
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._client.send(request)
        except _NOT_SENT as error:
            raise PaymentNotSentError(f"{call}: no connection ({type(error).__name__})") from error
        except (httpx.HTTPError, TimeoutError) as error:
            raise PaymentUnknownError(f"{call}: no answer ({type(error).__name__})") from error
        status = response.status_code
        if status in accept:
            return response
        if status in _REFUSED_UNREAD:
            raise PaymentNotSentError(f"{call}: refused unread with {status}")
        if 400 <= status < 500:
            raise (FaultyRequestError if status in _OUR_FAULT else RejectedRequestError)(call, status)
        raise PaymentUnknownError(f"{call}: answered {status}")


def _read(form: type[_Answer], response: httpx.Response) -> _Answer:
    try:
        return form.model_validate_json(response.content)
    except ValidationError as error:
        raise PaymentUnknownError("the provider's answer cannot be read") from error


def _check_same(told: object, asked: object) -> None:
    if told != asked:
        raise PaymentUnknownError("the provider's answer is about something else")


def _charge(answer: ChargeAnswer) -> Charge:
    return Charge(answer.key, answer.status, answer.id, answer.amount, answer.reason)
