"""The sandbox: a fake card network that speaks HTTP and keeps a ledger of its own.

It stands for all that a real provider is to the shop: another process, another database, slow or gone at the
worst moment. It reads no settings and imports nothing of ours; what a charge does depends on its test card:

    tok_approve                 captured; so is every card that is not listed here
    tok_decline                 declined, and the decline is kept
    tok_slow                    captured, then the answer takes `slow_seconds`
    tok_down                    503, unread: nothing is kept
    tok_timeout_after_charge    captured, then the first answer never comes

`python -m agent.providers.sandbox_server --port PORT --data FILE` runs it as a process of its own.
"""

import argparse
import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import uuid4

import aiosqlite
import uvicorn
from fastapi import FastAPI, Header, HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

_log = logging.getLogger(__name__)

NEVER_SECONDS = 60.0
"""How long "never" lasts at most, in seconds; a client that leaves ends it."""

_TABLES = (
    "CREATE TABLE IF NOT EXISTS charges (key TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, status TEXT NOT NULL,"
    " amount INTEGER NOT NULL, currency TEXT NOT NULL, token TEXT NOT NULL, reason TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS refunds (key TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE,"
    " charge_id TEXT NOT NULL REFERENCES charges (id), amount INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS credits (key TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE,"
    " amount INTEGER NOT NULL, currency TEXT NOT NULL, token TEXT NOT NULL)",
)

Amount = Annotated[int, Field(gt=0, le=10**12)]


class ChargeRequest(BaseModel):
    """A charge, or a credit, as it is asked for. `amount` in minor units."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    amount: Amount
    currency: str = Field(pattern="^[A-Z]{3}$")
    token: str = Field(min_length=1, max_length=100)


class RefundRequest(BaseModel):
    """A refund as it is asked for: `amount` (minor units) of the charge with the network's id `charge_id`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    charge_id: str
    amount: Amount


class ChargeAnswer(BaseModel):
    """A charge as the network keeps and tells it. `reason` is set when it was declined."""

    model_config = ConfigDict(frozen=True, strict=True)

    id: str
    key: str
    status: Literal["captured", "declined"]
    amount: int
    reason: str


class RefundAnswer(BaseModel):
    """A refund as the network keeps and tells it."""

    model_config = ConfigDict(frozen=True, strict=True)

    id: str
    key: str
    charge_id: str
    amount: int


class CreditAnswer(BaseModel):
    """Money paid out to a card that did not pay it in."""

    model_config = ConfigDict(frozen=True, strict=True)

    id: str
    key: str
    amount: int


class NoSuchCharge(BaseModel):
    """The network never got a charge with this key. The body of its 404; any other 404 says nothing."""

    model_config = ConfigDict(frozen=True, strict=True)

    no_such_charge: str


class Ledger(BaseModel):
    """Everything that the network did, oldest first."""

    charges: list[ChargeAnswer]
    refunds: list[RefundAnswer]
    credits: list[CreditAnswer] = []


class CardNetwork:
    """Charges and refunds by idempotency key, in one SQLite file that several processes may share."""

    def __init__(self, database: Path) -> None:
        self._database = database

    async def charge(self, key: str, asked: ChargeRequest) -> tuple[ChargeAnswer, bool]:
        """Decide a charge once; also says whether this was the first time. 409: the key is another's."""
        async with self._transaction() as db:
            if known := await _row(db, "SELECT * FROM charges WHERE key = ?", key):
                _same_parameters(key, known, asked)
                return ChargeAnswer.model_validate(known), False
            declined = asked.token == "tok_decline"  # noqa: S105  (a test card)
            answer = ChargeAnswer(
                id=f"ch_{uuid4().hex}",
                key=key,
                status="declined" if declined else "captured",
                amount=asked.amount,
                reason="the card was declined" if declined else "",
            )
            await db.execute(
                "INSERT INTO charges (id, key, status, amount, reason, currency, token)"
                " VALUES (:id, :key, :status, :amount, :reason, :currency, :token)",
                answer.model_dump() | asked.model_dump(),
            )
            return answer, True

    async def refund(self, key: str, asked: RefundRequest) -> RefundAnswer:
        """Give money back once. 422: more than is left of the capture. 409: the key is another refund's."""
        async with self._transaction() as db:
            if known := await _row(db, "SELECT * FROM refunds WHERE key = ?", key):
                _same_parameters(key, known, asked)
                return RefundAnswer.model_validate(known)
            left = await _row(
                db,
                "SELECT amount - (SELECT coalesce(sum(amount), 0) FROM refunds WHERE charge_id = charges.id)"
                " AS amount FROM charges WHERE id = ? AND status = 'captured'",
                asked.charge_id,
            )
            if left is None:
                raise HTTPException(422, "charge_id: nothing was captured under this id")
            if asked.amount > left["amount"]:
                raise HTTPException(
                    422, f"amount: {asked.amount} is more than the {left['amount']} left of this charge"
                )
            answer = RefundAnswer(id=f"re_{uuid4().hex}", key=key, **asked.model_dump())
            await db.execute(
                "INSERT INTO refunds (id, key, charge_id, amount) VALUES (:id, :key, :charge_id, :amount)",
                answer.model_dump(),
            )
            return answer

    async def credit(self, key: str, asked: ChargeRequest) -> CreditAnswer:
        """Pay money out once. 409: the key is another credit's."""
        async with self._transaction() as db:
            if known := await _row(db, "SELECT * FROM credits WHERE key = ?", key):
                _same_parameters(key, known, asked)
                return CreditAnswer.model_validate(known)
            answer = CreditAnswer(id=f"cr_{uuid4().hex}", key=key, amount=asked.amount)
            await db.execute(
                "INSERT INTO credits (id, key, amount, currency, token) VALUES (:id, :key, :amount, :currency, :token)",
                answer.model_dump() | asked.model_dump(),
            )
            return answer

    async def find(self, key: str) -> ChargeAnswer | None:
        """The charge with this idempotency key."""
        async with self._transaction() as db:
            known = await _row(db, "SELECT * FROM charges WHERE key = ?", key)
            return ChargeAnswer.model_validate(known) if known else None

    async def ledger(self) -> Ledger:
        """All charges and refunds."""
        async with self._transaction() as db:
            charges = await db.execute_fetchall("SELECT * FROM charges ORDER BY rowid")
            refunds = await db.execute_fetchall("SELECT * FROM refunds ORDER BY rowid")
            credits_ = await db.execute_fetchall("SELECT * FROM credits ORDER BY rowid")
            return Ledger(
                charges=[ChargeAnswer.model_validate(dict(row)) for row in charges],
                refunds=[RefundAnswer.model_validate(dict(row)) for row in refunds],
                credits=[CreditAnswer.model_validate(dict(row)) for row in credits_],
            )

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[aiosqlite.Connection]:
        """A connection for one transaction: nothing stays open, so the app needs no lifespan.

        Everyone takes the write lock first and waits for it. Not WAL: switching a new file to it fails with
        "database is locked" when two first requests race, whatever the timeout.
        """
        await asyncio.to_thread(self._database.parent.mkdir, parents=True, exist_ok=True)
        async with aiosqlite.connect(self._database, timeout=15, isolation_level=None) as db:
            db.row_factory = aiosqlite.Row
            await db.execute("BEGIN IMMEDIATE")
            for table in _TABLES:
                await db.execute(table)
            yield db
            await db.commit()  # not reached after an error: closing rolls back


async def _row(db: aiosqlite.Connection, query: str, value: str) -> dict[str, Any] | None:
    async with db.execute(query, (value,)) as cursor:
        row = await cursor.fetchone()
    return dict(row) if row else None


def _same_parameters(key: str, known: dict[str, Any], asked: BaseModel) -> None:
    if differing := [name for name, value in asked.model_dump().items() if known[name] != value]:
        raise HTTPException(409, f"idempotency key {key!r} was used before with another {', '.join(differing)}")


async def _wait(request: Request, seconds: float) -> None:
    """Wait this long, or until the client is gone."""
    try:
        async with asyncio.timeout(seconds):
            await request.receive()  # the body has been read: what is left to receive is the disconnect
    except TimeoutError:
        return


def _given(idempotency_key: str | None) -> str:
    if not idempotency_key:
        raise HTTPException(400, "send an Idempotency-Key header")
    return idempotency_key


IdempotencyKey = Annotated[str | None, Header(max_length=250)]


def create_app(database: Path, *, slow_seconds: float = 3.0) -> FastAPI:
    """The card network as an ASGI app. Requests open `database`; `slow_seconds` is what `tok_slow` takes."""
    network = CardNetwork(database)
    delays = {"tok_slow": slow_seconds, "tok_timeout_after_charge": NEVER_SECONDS}
    app = FastAPI(title="Sandbox card network", redirect_slashes=False)

    @app.exception_handler(aiosqlite.Error)
    async def database_failed(_: Request, error: aiosqlite.Error) -> JSONResponse:
        _log.error("the sandbox's own database failed", exc_info=error)
        return JSONResponse({"detail": "the network's own database failed"}, 500)

    @app.post("/charges")
    async def charge(asked: ChargeRequest, request: Request, idempotency_key: IdempotencyKey = None) -> ChargeAnswer:
        if asked.token == "tok_down":  # noqa: S105  (a test card)
            raise HTTPException(503, "refused unread: try again later")
        answer, is_new = await network.charge(_given(idempotency_key), asked)
        if is_new and (delay := delays.get(asked.token)):
            await _wait(request, delay)
        return answer

    @app.get("/charges")
    async def ledger() -> Ledger:
        return await network.ledger()

    @app.get("/charges/{key:path}", response_model=ChargeAnswer)
    async def find(key: str) -> ChargeAnswer | JSONResponse:
        found = await network.find(key)
        return found or JSONResponse(NoSuchCharge(no_such_charge=key).model_dump(), 404)

    @app.post("/refunds")
    async def refund(asked: RefundRequest, idempotency_key: IdempotencyKey = None) -> RefundAnswer:
        return await network.refund(_given(idempotency_key), asked)

    @app.post("/credits")
    async def credit(asked: ChargeRequest, idempotency_key: IdempotencyKey = None) -> CreditAnswer:
        return await network.credit(_given(idempotency_key), asked)

    return app


def main() -> None:
    """Serve the card network on loopback until a signal ends it; a port in use is an error."""
    parser = argparse.ArgumentParser(prog="sandbox_server", description="A fake card network for drills and tests.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True, help="SQLite file of the network's own ledger")
    parser.add_argument("--slow-seconds", type=float, default=3.0, help="how long tok_slow takes to answer")
    options = parser.parse_args()
    app = create_app(options.data, slow_seconds=options.slow_seconds)
    uvicorn.run(app, host="127.0.0.1", port=options.port, access_log=False, timeout_graceful_shutdown=1)


if __name__ == "__main__":
    main()
