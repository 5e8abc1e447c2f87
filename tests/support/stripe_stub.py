"""Stripe for tests: localstripe (cards, intents, charges, refunds) over real HTTP, and what it lacks of the real one.

Added are idempotency keys, a least amount, lists by customer, a card that comes with the confirm, what an error says of
its intent, and refunds that end with the money. Faults are a test's: an answer that is lost, or another in its place.
"""

import json
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # its handlers that are no coroutines
    from localstripe import resources, server  # type: ignore[import-untyped]
    from localstripe.errors import UserError  # type: ignore[import-untyped]

LEAST = 50
"""Minor units of US dollars: what Stripe takes at least."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Seen:
    """A request as it came."""

    call: str
    params: dict[str, str]
    key: str | None


@dataclass(frozen=True)
class Fault:
    """What befalls the next request whose path ends so: a status of ours, or None to hang up.

    `after` its effect, whose own answer is then lost; otherwise without any.
    """

    path: str
    status: int | None = None
    after: bool = False
    body: str = "{}"
    headers: dict[str, str] = field(default_factory=dict)


class StripeStub:
    """One account at Stripe, empty at first. `events` are the webhooks that it would send."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[Seen] = []
        self.faults: list[Fault] = []
        self.events: list[dict[str, Any]] = []
        self._answers: dict[str, tuple[str, web.Response]] = {}

    def customer(self) -> str:
        """A new customer's id."""
        made: str = resources.Customer().id
        return made

    def card(self, number: str) -> str:
        """The id of a new card; what it does is in its number."""
        card = {"number": number, "exp_month": "12", "exp_year": "2050", "cvc": "123"}
        made: str = resources.PaymentMethod(type="card", card=card).id
        return made

    def pays_elsewhere(self, customer: str, times: int) -> None:
        """New intents of this customer's that are not ours."""
        for _ in range(times):
            resources.PaymentIntent(500, "usd", customer)

    def forget_keys(self) -> None:
        """A day has passed."""
        self._answers.clear()

    def all(self, kind: str) -> list[Any]:
        """All objects of a kind: `payment_intent`, `charge`, `refund`."""
        return [each for key, each in resources.store.items() if key.startswith(f"{kind}:")]

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Serve on a free loopback port."""
        resources.store.clear()
        resources.store.dump_to_disk = lambda: None
        resources.schedule_webhook = lambda event: self.events.append(event._export())
        app = web.Application(middlewares=[self._front, server.error_middleware, server.auth_middleware])
        for method, url, act in _INSTEAD:  # the first route that matches is taken
            app.router.add_route(method, url, server.api_extra(act, url))
        for route in server.app.router.routes():
            if route.resource is not None:
                app.router.add_route(route.method, route.resource.canonical, route.handler)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield
        finally:
            await runner.cleanup()

    @web.middleware
    async def _front(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Remember, replay, harm; else pass on."""
        sent = f"{request.path_qs} {await request.text()}"
        key = request.headers.get("Idempotency-Key")
        params = dict(parse_qsl(request.query_string or await request.text()))
        self.requests.append(Seen(f"{request.method} {request.path}", params, key))
        fault = next((each for each in self.faults if request.path.endswith(each.path)), None)
        if fault:
            self.faults.remove(fault)
        answer = None if fault and not fault.after else await self._answer(request, handler, key, sent)
        if fault and fault.status is not None:
            return web.Response(status=fault.status, text=fault.body, headers=fault.headers)
        if fault or answer is None:
            assert request.transport
            request.transport.abort()
            return web.Response()
        return answer

    async def _answer(self, request: web.Request, handler: Handler, key: str | None, sent: str) -> web.Response:
        if key in self._answers:
            before, answer = self._answers[key]
            if before != sent:
                return web.json_response({"error": {"type": "idempotency_error"}}, status=400)
            return _again(answer)
        fresh = await handler(request)
        assert isinstance(fresh, web.Response)
        _, _, _, intent_id, *_ = [*request.path.split("/"), "", ""]
        if fresh.status >= 400 and f"payment_intent:{intent_id}" in resources.store:
            told = json.loads(fresh.text or "")
            told["error"]["payment_intent"] = resources.PaymentIntent._api_retrieve(intent_id)._export()
            fresh = web.json_response(told, status=fresh.status)
        if key:
            self._answers[key] = sent, fresh
        return _again(fresh)


def _again(answer: web.Response) -> web.Response:
    return web.Response(status=answer.status, body=answer.body, content_type="application/json")


def _create(allowed_payment_method_types: list[str], **params: Any) -> Any:
    assert allowed_payment_method_types == ["card"]
    if int(params["amount"]) < LEAST:
        raise UserError(400, "too small", {"code": "amount_too_small"})
    return resources.PaymentIntent._api_create(**params)


def _list(customer: str | None = None, created: dict[str, str] | None = None, **page: str) -> Any:
    listed = resources.PaymentIntent._api_list_all("/v1/payment_intents", **page)
    since = int(created["gte"]) if created else 0
    listed._list = [
        each for each in reversed(listed._list) if customer in (None, each.customer) and each.created >= since
    ]
    return listed


def _list_refunds(created: dict[str, str] | None = None, **asked: str) -> Any:
    listed = resources.Refund._api_list_all("/v1/refunds", **asked)
    since = int(created["gte"]) if created else 0
    listed._list = [each for each in listed._list if each.created >= since]
    return listed


def _confirm(id: str, payment_method: str, off_session: str) -> Any:
    intent = resources.PaymentIntent._api_retrieve(id)
    if intent.status != "requires_payment_method":
        raise UserError(400, "unexpected state", {"code": "payment_intent_unexpected_state"})
    intent.payment_method = resources.PaymentMethod._api_retrieve(payment_method).id
    intent._confirm(on_failure_now=intent._report_failure)
    if off_session == "true" and intent.next_action:
        intent.next_action = None
        intent.latest_charge = resources.Charge(intent.amount, intent.currency, source=intent.payment_method)
        intent.latest_charge.status, intent.latest_charge.failure_code = "failed", "authentication_required"
        intent._report_failure()
    return intent


def _refund(payment_intent: str, amount: str, **params: Any) -> Any:
    captured = resources.PaymentIntent._api_retrieve(payment_intent).amount
    refunds = [each for key, each in resources.store.items() if key.startswith("refund:")]
    if sum(each.amount for each in refunds if each.payment_intent == payment_intent) + int(amount) > captured:
        raise UserError(400, "more than is left", {"code": "charge_already_refunded"})
    return resources.Refund._api_create(payment_intent=payment_intent, amount=amount, **params)


_INSTEAD: list[tuple[str, str, Callable[..., Any]]] = [
    ("POST", "/v1/payment_intents", _create),
    ("GET", "/v1/payment_intents", _list),
    ("POST", "/v1/payment_intents/{id}/confirm", _confirm),
    ("POST", "/v1/refunds", _refund),
    ("GET", "/v1/refunds", _list_refunds),
]
