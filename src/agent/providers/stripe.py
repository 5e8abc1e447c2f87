"""The Stripe provider: the payment port on the official SDK, with PaymentIntents. The wire under it is `stripe_http`.

An intent is created first, which moves no money, and then confirmed, which does. Our key goes with every POST, but
Stripe may forget idempotency keys after a day: so it is in the metadata too, and is looked for there before anything
is created. Stripe's lists, unlike its search, show what was just written; should one lag, the key is still young.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

import httpx
import stripe
from pydantic import ValidationError

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
from agent.providers.stripe_answers import Event, Intent, Page, Refund
from agent.providers.stripe_http import StripeHttp
from agent.providers.stripe_lists import PAGE, movements, with_key
from agent.providers.webhooks import WebhookRefusedError

_ANOTHER: Final = "Stripe's answer is about something else"
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
_DECIDING = ("payment_intent.succeeded", "payment_intent.payment_failed", "payment_intent.canceled")
_UNDECIDED = ("processing", "requires_capture")
_OF_REFUNDS = ("refund.updated", "refund.failed", "charge.refund.updated")


class StripeRejectedError(PaymentRejectedError):
    """Stripe read the request and refused it; carries the status and Stripe's code."""

    def __init__(self, status: int | None, code: str | None) -> None:
        super().__init__(f"Stripe rejected the request with {status} ({code or 'no code'})")
        self.status = status
        self.code = code


class StripeFaultError(StripeRejectedError, PaymentFaultError):
    """Stripe refused it by our own fault: the API key, its permissions, a key that was another request's."""


class CreditNotSupportedError(PaymentRejectedError):
    """Money that another method paid can't be sent to a card: a person has to."""


class StripeProvider(PaymentProvider):
    """The `PaymentProvider` port at Stripe. A token is `cus_…/pm_…`: a card that is saved with a customer there.

    Args:
        client: the HTTP client to send with; whoever made it closes it.
        api_key: the secret key.
        webhook_secret: the signing secret of the webhook endpoint.
        timeout: seconds that each call may take as a whole, all its requests together.
        url: another address than Stripe's own.
        name: what the ledger knows it by.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        api_key: str,
        webhook_secret: str,
        timeout: float,
        *,
        url: str = stripe.DEFAULT_API_BASE,
        name: str = "stripe",
    ) -> None:
        self.name = name
        http = StripeHttp(client)
        sdk = stripe.StripeClient(api_key, http_client=http, base_addresses={"api": url}, max_network_retries=0)
        self._intents = sdk.v1.payment_intents
        self._refunds = sdk.v1.refunds
        self._webhook_secret = webhook_secret
        self._timeout = timeout

    async def capture(self, attempt: Attempt) -> Charge:
        """Take the money; the same key again gives the first answer.

        The customer is not there to authenticate: a card that asks for it is declined, `authentication_required`.
        """
        _, card = _customer_and_card(attempt)
        async with self._call():
            intent = await self._found_or_created(attempt)
            if intent.unconfirmed:
                confirm = self._intents.confirm_async(
                    intent.id,
                    {"payment_method": card, "off_session": True},
                    {"idempotency_key": f"{attempt.key}:confirm"},
                )
                intent = await _decided(confirm, attempt)
        return _charge(intent) or Charge(attempt.key, "declined", intent.id, attempt.amount, "canceled")

    async def find(self, attempt: Attempt) -> Charge | NoCharge:
        """What became of the attempt. An intent that was never confirmed, or was cancelled, takes nothing by itself."""
        async with self._call():
            intent = await self._found(attempt)
        if intent is None or intent.unconfirmed:
            return NoCharge.NEVER_CAME
        return NoCharge.UNDECIDED if intent.status in _UNDECIDED else _charge(intent) or NoCharge.NEVER_CAME

    async def void(self, attempt: Attempt) -> Charge | None:
        """Cancel the attempt's intent, so that it takes no money any more; what it did before that comes back.

        One that there is none of is not made for that: Stripe would refuse it for what the capture was refused for.
        Should the capture still come, from a worker that was held up, its money is known to be late (`Payments`).
        """
        async with self._call():
            intent = await self._found(attempt)
            if intent and intent.unconfirmed:
                cancel = self._intents.cancel_async(intent.id, {}, {"idempotency_key": f"{attempt.key}:void"})
                intent = await _decided(cancel, attempt)
        return _charge(intent) if intent else None

    async def refund(self, key: str, provider_id: str, amount: int) -> RefundState:
        """Give `amount` (minor units) of a capture back, in parts if need be; the same `key` again changes nothing.

        A refund may be pending for days, and then fail at the card's bank; under its key it stays failed.
        """
        async with self._call():
            refund = await self._refund_found(key, provider_id)
            if refund is None:
                created = await self._refunds.create_async(
                    {"payment_intent": provider_id, "amount": amount, "metadata": {"key": key}},
                    {"idempotency_key": key},
                )
                refund = Refund.model_validate(created)
                if (refund.key, refund.payment_intent) != (key, provider_id):
                    raise PaymentUnknownError(_ANOTHER)
        if refund.amount != amount:
            raise PaymentFaultError("the key is another refund's")
        return refund.state

    async def find_refund(self, key: str, provider_id: str) -> RefundState | None:
        """How a refund of this capture stands now; None for no such one. Only reads."""
        async with self._call():
            refund = await self._refund_found(key, provider_id)
        return refund.state if refund else None

    async def credit(self, key: str, amount: int, currency: str, token: str) -> RefundState:  # noqa: ARG002  (the port's)
        """Raises `CreditNotSupportedError`; nothing is sent."""
        raise CreditNotSupportedError("Stripe does not pay out to a card that did not pay in")

    async def taken(self, provider_id: str, currency: str) -> int | None:
        """What an intent took, whoever made it; None for no such one, or another currency. Only reads."""
        async with self._call():
            try:
                intent = Intent.model_validate(await self._intents.retrieve_async(provider_id))
            except stripe.InvalidRequestError as error:
                if error.http_status != httpx.codes.NOT_FOUND:
                    raise
                return None
        return intent.taken if (intent.status, intent.currency) == ("succeeded", currency.lower()) else None

    async def movements(self, since: datetime) -> list[Movement]:
        """What was taken and given back under our keys since then."""
        return await movements(self._call, self._intents, self._refunds, since)

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> str | None:
        """The key of the attempt that something happened to; None for an event about nothing of ours.

        Events come twice and in any order, so none is taken for the truth: `find` tells it. `headers` are in lower
        case, or do not care. Raises `WebhookRefusedError`.
        """
        event = self._event(headers, body)
        return (event.data.object.key or None) if event.type in _DECIDING else None

    def read_refund_webhook(self, headers: Mapping[str, str], body: bytes) -> str | None:
        """The key of the refund that something happened to, else as `read_webhook`."""
        event = self._event(headers, body)
        return (event.data.object.key or None) if event.type in _OF_REFUNDS else None

    def read_dispute_webhook(self, headers: Mapping[str, str], body: bytes) -> str | None:
        """The id of the intent whose customer disputes it at their bank, else as `read_webhook`."""
        event = self._event(headers, body)
        return event.data.object.payment_intent if event.type == "charge.dispute.created" else None

    def _event(self, headers: Mapping[str, str], body: bytes) -> Event:
        """What Stripe signed just now. Raises `WebhookRefusedError`."""
        try:
            stripe.WebhookSignature.verify_header(
                body, headers.get("stripe-signature"), self._webhook_secret, stripe.Webhook.DEFAULT_TOLERANCE
            )
            return Event.model_validate_json(body)
        except (stripe.SignatureVerificationError, ValidationError, UnicodeDecodeError) as error:
            raise WebhookRefusedError(f"not an event of Stripe's ({type(error).__name__})") from None  # may quote it

    async def _found_or_created(self, attempt: Attempt) -> Intent:
        """The attempt's one intent. One that seems just created may be an earlier call's, and decided since."""
        if found := await self._found(attempt):
            return found
        customer, _ = _customer_and_card(attempt)
        created = self._intents.create_async(
            {
                "amount": attempt.amount,
                "currency": attempt.currency.lower(),
                "customer": customer,
                "allowed_payment_method_types": ["card"],
                "metadata": {"key": attempt.key},
            },
            {"idempotency_key": f"{attempt.key}:intent"},
        )
        return _about(attempt, await created)

    async def _found(self, attempt: Attempt) -> Intent | None:
        customer, _ = _customer_and_card(attempt)
        intents = self._intents.list_async({"customer": customer, "limit": PAGE})
        found = await with_key(attempt.key, Page[Intent], intents)
        if found and (found.amount, found.currency) != (attempt.amount, attempt.currency.lower()):
            raise PaymentFaultError("the key is another attempt's")
        return found

    async def _refund_found(self, key: str, provider_id: str) -> Refund | None:
        made = self._refunds.list_async({"payment_intent": provider_id, "limit": PAGE})
        return await with_key(key, Page[Refund], made)

    @asynccontextmanager
    async def _call(self) -> AsyncIterator[None]:
        """One call of the port: bounded in time, its failures in the port's words."""
        try:
            async with asyncio.timeout(self._timeout):
                yield
        except _NOT_SENT as error:
            raise PaymentNotSentError(f"no connection to Stripe ({type(error).__name__})") from error
        except httpx.HTTPStatusError as error:
            status = error.response.status_code
            kind = PaymentNotSentError if status == httpx.codes.TOO_MANY_REQUESTS else PaymentUnknownError
            raise kind(f"Stripe answered {status}") from error
        except (httpx.HTTPError, TimeoutError) as error:
            raise PaymentUnknownError(f"no answer from Stripe ({type(error).__name__})") from error
        except (stripe.APIError, ValidationError, UnicodeDecodeError):
            raise PaymentUnknownError("Stripe's answer cannot be read") from None  # they quote it, names and all
        except (stripe.AuthenticationError, stripe.PermissionError, stripe.IdempotencyError) as error:
            raise StripeFaultError(error.http_status, error.code) from error
        except stripe.StripeError as error:
            raise StripeRejectedError(error.http_status, error.code) from error


async def _decided(request: Awaitable[stripe.PaymentIntent], attempt: Attempt) -> Intent:
    """Confirm or cancel. A refusal that names what the intent has come to is an answer too."""
    try:
        intent = _about(attempt, await request)
    except (stripe.CardError, stripe.InvalidRequestError) as error:
        told = error.error and error.error.payment_intent
        if told is None or (intent := _about(attempt, told)).unconfirmed:
            raise
    return intent


def _customer_and_card(attempt: Attempt) -> tuple[str, str]:
    customer, _, card = attempt.token.partition("/")
    if not (customer and card):
        raise PaymentRejectedError("a token at Stripe is cus_…/pm_…")
    return customer, card


def _about(attempt: Attempt, answer: object) -> Intent:
    intent = Intent.model_validate(answer)
    if (intent.key, intent.amount, intent.currency) != (attempt.key, attempt.amount, attempt.currency.lower()):
        raise PaymentUnknownError(_ANOTHER)
    return intent


def _charge(intent: Intent) -> Charge | None:
    """What the intent did; None when it was cancelled before it did anything."""
    match intent.status:
        case "succeeded":
            return Charge(intent.key, "captured", intent.id, intent.amount)
        case "canceled":
            return None
        case "requires_action":  # only its client secret could complete it, and nobody is given that
            return Charge(intent.key, "declined", intent.id, intent.amount, "authentication_required")
        case "requires_payment_method" if failure := intent.last_payment_error:
            reason = failure.decline_code or failure.code or "declined"
            return Charge(intent.key, "declined", intent.id, intent.amount, reason)
        case _:
            raise PaymentUnknownError(f"the payment is {intent.status}")
