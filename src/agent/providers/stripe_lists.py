"""Stripe's lists, page by page: what carries our key, and what was taken and given back since a moment."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Final

import stripe

from agent.providers.payment import Movement, PaymentRejectedError
from agent.providers.stripe_answers import Intent, KeyedT, Page, Refund

PAGE: Final = 100
"""The most that Stripe lists at once."""
_MOST: Final = 20_000
"""Of each list; a shop that moves more in the time asked about asks about less."""

Call = Callable[[], AbstractAsyncContextManager[None]]


async def with_key(key: str, form: type[Page[KeyedT]], listed: Awaitable[stripe.ListObject[Any]]) -> KeyedT | None:
    """What carries our key in a list, all its pages."""
    while True:
        answer = await listed
        page = form.model_validate(answer)
        if found := next((each for each in page.data if each.key == key), None):
            return found
        if not page.has_more:
            return None
        listed = answer.next_page_async()


async def movements(call: Call, intents: Any, refunds: Any, since: datetime) -> list[Movement]:
    """Captures and refunds under our keys that were begun since then (UTC, to the second).

    `call` bounds one request and puts its failures in the port's words; the others are the SDK's services.
    """
    created = {"limit": PAGE, "created": {"gte": int(since.timestamp())}}
    taken = [each for each in await _all(call, Page[Intent], intents, created) if each.status == "succeeded"]
    given = await _all(call, Page[Refund], refunds, created)
    return [Movement("capture", each.key, each.id, each.amount) for each in taken if each.key] + [
        Movement("refund", each.key, each.payment_intent, each.amount, failed=each.status in ("failed", "canceled"))
        for each in given
        if each.key and each.payment_intent
    ]


async def _all(call: Call, form: type[Page[KeyedT]], service: Any, params: dict[str, Any]) -> list[KeyedT]:
    found: list[KeyedT] = []
    listed = service.list_async(params)
    while True:
        async with call():
            answer = await listed
            page = form.model_validate(answer)
        found += page.data
        if not page.has_more:
            return found
        if len(found) >= _MOST:
            raise PaymentRejectedError(f"Stripe has more than {_MOST} of them: ask about fewer days")
        listed = answer.next_page_async()
