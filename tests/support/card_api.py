"""The imaginary card API that `examples/payment_provider.py` speaks to: in memory, served over real HTTP."""

import asyncio
from typing import Any, Final

from fastapi import FastAPI, Header, Request
from fastapi.responses import JSONResponse

PAGE: Final = 50
SLOW_SECONDS: Final = 1.0
"""How long `card_slow` takes to answer after it has paid."""

Entry = dict[str, Any]


class FakeCardApi:
    """One account. Cards: `card_declines`, `card_pending`, `card_slow`; any other pays."""

    def __init__(self) -> None:
        self.payments: dict[str, Entry] = {}
        self.refunds: dict[str, Entry] = {}
        self.cancelled: set[str] = set()
        self.books: list[Entry] = []
        self.app = FastAPI()
        for method, path, act in (
            ("POST", "/payments", self._pay),
            ("GET", "/payments", self._by_id),
            ("GET", "/payments/{key}", self._by_key),
            ("POST", "/payments/{key}/cancel", self._cancel),
            ("POST", "/refunds", self._refund),
            ("GET", "/refunds/{key}", self._refund_by_key),
            ("GET", "/books", self._page),
        ):
            self.app.add_api_route(path, act, methods=[method], response_model=None)

    async def _pay(self, request: Request, idempotency_key: str = Header()) -> JSONResponse:
        asked, key = await request.json(), idempotency_key
        card = asked.pop("card")
        if key in self.payments:
            return _same(self.payments[key], asked)
        status = {"card_declines": "declined", "card_pending": "pending"}.get(card, "captured")
        if key in self.cancelled:
            status = "declined"
        reason = "no money" if status == "declined" else ""
        made = {"id": f"pay_{len(self.payments)}", "key": key, "status": status, "reason": reason} | asked
        self.payments[key] = made
        if status == "captured":
            self._book("capture", key, made["id"], asked["amount"])
        await asyncio.sleep(SLOW_SECONDS if card == "card_slow" else 0)
        return JSONResponse(made)

    async def _by_id(self, id: str) -> JSONResponse:
        return _known(next((each for each in self.payments.values() if each["id"] == id), None))

    async def _by_key(self, key: str) -> JSONResponse:
        return _known(self.payments.get(key))

    async def _cancel(self, key: str) -> JSONResponse:
        self.cancelled.add(key)
        return _known(self.payments.get(key))

    async def _refund(self, request: Request, idempotency_key: str = Header()) -> JSONResponse:
        asked, key = await request.json(), idempotency_key
        if key in self.refunds:
            return _same(self.refunds[key], asked)
        captured = next(each["amount"] for each in self.payments.values() if each["id"] == asked["payment"])
        given = sum(each["amount"] for each in self.refunds.values() if each["payment"] == asked["payment"])
        if given + asked["amount"] > captured:
            return JSONResponse({"error": "more than is left"}, 422)
        self.refunds[key] = {"key": key, "status": "succeeded"} | asked
        self._book("refund", key, asked["payment"], asked["amount"])
        return JSONResponse(self.refunds[key])

    async def _refund_by_key(self, key: str) -> JSONResponse:
        return _known(self.refunds.get(key))

    async def _page(self, offset: int) -> JSONResponse:
        return JSONResponse(self.books[offset : offset + PAGE])

    def _book(self, kind: str, key: str, payment: str, amount: int) -> None:
        self.books.append({"kind": kind, "key": key, "provider_id": payment, "amount": amount})


def _known(entry: Entry | None) -> JSONResponse:
    return JSONResponse(entry) if entry else JSONResponse({"error": "never_came"}, 404)


def _same(before: Entry, asked: Entry) -> JSONResponse:
    """The first answer again, if it was to the same question."""
    return JSONResponse(before) if before | asked == before else JSONResponse({"error": "another's key"}, 409)
