"""A payment provider to copy: the port over an imaginary card API, plain JSON over HTTP with idempotency keys.

    POST /payments {amount, currency, card}    GET /payments/{key}    GET /payments?id=    POST /payments/{key}/cancel
    POST /refunds  {payment, amount}           GET /refunds/{key}     GET /books?since=&offset=

What each method promises is in the port; the steps from here to a shop that uses it are in docs/customizing.md.
"""

from datetime import datetime
from typing import Any, Final, Literal, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from agent.providers import payment as port
from agent.providers.payment import Attempt, Charge, Movement, NoCharge, RefundState

NOT_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
UNREAD: Final = (429, 503)  # a 503 only where it is promised that it had no effect
OUR_FAULT: Final = (400, 401, 403, 409)
Form = TypeVar("Form")


class Payment(BaseModel, strict=True):
    """A payment as the API tells it."""

    id: str
    key: str
    amount: int
    currency: str
    status: Literal["captured", "declined", "pending"]
    reason: str


class Refund(BaseModel, strict=True):
    """A refund as the API tells it."""

    key: str
    amount: int
    status: RefundState


class CardApi(port.PaymentProvider):
    """The port at the card API. `client` bounds a call's time and breaks the circuit; nothing here is sent twice."""

    name = "card_api"  # in the settings, in the ledger, and in the tokens of payment methods

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def capture(self, attempt: Attempt) -> Charge:
        body = {"amount": attempt.amount, "currency": attempt.currency, "card": attempt.token}
        charge = _charge(attempt, await self._call(Payment, "POST", "/payments", attempt.key, body))
        if isinstance(charge, NoCharge):
            raise port.PaymentUnknownError(f"the payment is {charge.value}")
        return charge

    async def find(self, attempt: Attempt) -> Charge | NoCharge:
        return _charge(attempt, await self._call(Payment, "GET", f"/payments/{quote(attempt.key, safe='')}"))

    async def void(self, attempt: Attempt) -> Charge | None:
        path = f"/payments/{quote(attempt.key, safe='')}/cancel"
        charge = _charge(attempt, await self._call(Payment, "POST", path, attempt.key))
        if charge is NoCharge.UNDECIDED:
            raise port.PaymentUnknownError("the payment is pending, and cannot be cancelled")
        return charge if isinstance(charge, Charge) else None

    async def credit(self, key: str, amount: int, currency: str, token: str) -> RefundState:  # noqa: ARG002
        raise port.PaymentRejectedError("the card API pays nothing to a card that did not pay in: people do it by hand")

    async def refund(self, key: str, provider_id: str, amount: int) -> RefundState:
        body = {"payment": provider_id, "amount": amount}
        refund = await self._call(Refund, "POST", "/refunds", key, body)
        if refund is None or (refund.key, refund.amount) != (key, amount):
            raise port.PaymentUnknownError("the answer is about something else")
        return refund.status

    async def find_refund(self, key: str, provider_id: str) -> RefundState | None:  # noqa: ARG002
        refund = await self._call(Refund, "GET", f"/refunds/{quote(key, safe='')}")
        return refund.status if refund else None

    async def taken(self, provider_id: str, currency: str) -> int | None:
        payment = await self._call(Payment, "GET", f"/payments?id={quote(provider_id, safe='')}")
        taken = payment and (payment.status, payment.currency) == ("captured", currency)
        return payment.amount if payment and taken else None

    async def movements(self, since: datetime) -> list[Movement]:
        found: list[Movement] = []
        while page := await self._call(
            list[Movement], "GET", f"/books?since={int(since.timestamp())}&offset={len(found)}"
        ):
            found += page
        return found

    async def _call(
        self, form: type[Form], method: str, path: str, key: str = "", body: dict[str, Any] | None = None
    ) -> Form | None:
        """The answer; None for what the API says that it never got. Else raises what is known of the effect."""
        try:
            response = await self._client.request(method, path, json=body, headers={"Idempotency-Key": key})
        except NOT_SENT as error:
            raise port.PaymentNotSentError(f"no connection ({type(error).__name__})") from error
        except httpx.HTTPError as error:
            raise port.PaymentUnknownError(f"no answer ({type(error).__name__})") from error
        status = response.status_code
        if status == 404 and "never_came" in response.text:  # any other 404, of a proxy, tells nothing
            return None
        if status in UNREAD:
            raise port.PaymentNotSentError(f"refused unread with {status}")
        if 400 <= status < 500:
            fault = port.PaymentFaultError if status in OUR_FAULT else port.PaymentRejectedError
            raise fault(f"rejected with {status}")
        try:
            return TypeAdapter(form).validate_json(response.raise_for_status().content)
        except (httpx.HTTPStatusError, ValidationError) as error:
            raise port.PaymentUnknownError(f"answered {status}, and cannot be read") from error


def _charge(attempt: Attempt, payment: Payment | None) -> Charge | NoCharge:
    if payment is None:
        return NoCharge.NEVER_CAME
    if (payment.key, payment.amount) != (attempt.key, attempt.amount):
        raise port.PaymentUnknownError("the answer is about something else")
    if payment.status == "pending":
        return NoCharge.UNDECIDED
    return Charge(payment.key, payment.status, payment.id, payment.amount, payment.reason)
