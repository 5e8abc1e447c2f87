"""The sandbox's card network. What a charge does depends on its test card:

tok_approve                 captured; so is every card that is not listed here
tok_decline                 declined, and the decline is kept
tok_slow                    captured, then the answer takes `slow_seconds`
tok_down                    503, unread: nothing is kept
tok_timeout_after_charge    captured, then the first answer never comes
"""

import asyncio
from pathlib import Path
from typing import Annotated, Literal
from uuid import uuid4

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from agent.providers.sandbox_file import IdempotencyKey, NoBody, row, same_parameters, transaction
from agent.providers.sandbox_webhooks import Announce

NEVER_SECONDS = 60.0
"""How long "never" lasts at most, in seconds; a client that leaves ends it."""

_TABLES = (
    "CREATE TABLE IF NOT EXISTS charges (key TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, status TEXT NOT NULL,"
    " amount INTEGER NOT NULL, currency TEXT NOT NULL, token TEXT NOT NULL, reason TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS voids (key TEXT PRIMARY KEY)",
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
    """Charges, voids, refunds and credits by idempotency key."""

    def __init__(self, database: Path) -> None:
        self._database = database

    async def charge(self, key: str, asked: ChargeRequest) -> tuple[ChargeAnswer, bool]:
        """Decide a charge once; also says whether this was the first time. 409: the key is another's."""
        async with transaction(self._database, _TABLES) as db:
            if known := await row(db, "SELECT * FROM charges WHERE key = ?", key):
                same_parameters(key, known, asked)
                return ChargeAnswer.model_validate(known), False
            voided = await row(db, "SELECT key FROM voids WHERE key = ?", key) is not None
            declined = voided or asked.token == "tok_decline"  # noqa: S105  (a test card)
            answer = ChargeAnswer(
                id=f"ch_{uuid4().hex}",
                key=key,
                status="declined" if declined else "captured",
                amount=asked.amount,
                reason="voided before it came" if voided else "the card was declined" if declined else "",
            )
            await db.execute(
                "INSERT INTO charges (id, key, status, amount, reason, currency, token)"
                " VALUES (:id, :key, :status, :amount, :reason, :currency, :token)",
                answer.model_dump() | asked.model_dump(),
            )
            return answer, True

    async def refund(self, key: str, asked: RefundRequest) -> RefundAnswer:
        """Give money back once. 422: more than is left of the capture. 409: the key is another refund's."""
        async with transaction(self._database, _TABLES) as db:
            if known := await row(db, "SELECT * FROM refunds WHERE key = ?", key):
                same_parameters(key, known, asked)
                return RefundAnswer.model_validate(known)
            left = await row(
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
        async with transaction(self._database, _TABLES) as db:
            if known := await row(db, "SELECT * FROM credits WHERE key = ?", key):
                same_parameters(key, known, asked)
                return CreditAnswer.model_validate(known)
            answer = CreditAnswer(id=f"cr_{uuid4().hex}", key=key, amount=asked.amount)
            await db.execute(
                "INSERT INTO credits (id, key, amount, currency, token) VALUES (:id, :key, :amount, :currency, :token)",
                answer.model_dump() | asked.model_dump(),
            )
            return answer

    async def void(self, key: str) -> ChargeAnswer | None:
        """From now on a charge with this key is declined when it comes; one that came before is told."""
        async with transaction(self._database, _TABLES) as db:
            if known := await row(db, "SELECT * FROM charges WHERE key = ?", key):
                return ChargeAnswer.model_validate(known)
            await db.execute("INSERT OR IGNORE INTO voids (key) VALUES (?)", (key,))
            return None

    async def find(self, key: str) -> ChargeAnswer | None:
        """The charge with this idempotency key."""
        async with transaction(self._database, _TABLES) as db:
            known = await row(db, "SELECT * FROM charges WHERE key = ?", key)
            return ChargeAnswer.model_validate(known) if known else None

    async def ledger(self) -> Ledger:
        """All charges, refunds and credits."""
        async with transaction(self._database, _TABLES) as db:
            charges = await db.execute_fetchall("SELECT * FROM charges ORDER BY rowid")
            refunds = await db.execute_fetchall("SELECT * FROM refunds ORDER BY rowid")
            credits_ = await db.execute_fetchall("SELECT * FROM credits ORDER BY rowid")
            return Ledger(
                charges=[ChargeAnswer.model_validate(dict(each)) for each in charges],
                refunds=[RefundAnswer.model_validate(dict(each)) for each in refunds],
                credits=[CreditAnswer.model_validate(dict(each)) for each in credits_],
            )


def card_routes(database: Path, slow_seconds: float, announce: Announce) -> APIRouter:
    """The card network over HTTP, its account in `database`; `slow_seconds` is what `tok_slow` takes.

    Announces `charge.captured` and `charge.declined`, before it answers.
    """
    network = CardNetwork(database)
    delays = {"tok_slow": slow_seconds, "tok_timeout_after_charge": NEVER_SECONDS}
    routes = APIRouter()

    @routes.post("/charges")
    async def charge(asked: ChargeRequest, request: Request, key: IdempotencyKey) -> ChargeAnswer:
        if asked.token == "tok_down":  # noqa: S105  (a test card)
            raise HTTPException(503, "refused unread: try again later")
        answer, is_new = await network.charge(key, asked)
        if is_new:
            announce(f"charge.{answer.status}", key)
            if delay := delays.get(asked.token):
                await _wait(request, delay)
        return answer

    @routes.get("/charges")
    async def ledger() -> Ledger:
        return await network.ledger()

    @routes.get("/charges/{key:path}", response_model=ChargeAnswer)
    async def find(key: str) -> ChargeAnswer | JSONResponse:
        return await network.find(key) or _no_such_charge(key)

    @routes.post("/voids", response_model=ChargeAnswer)
    async def void(_: NoBody, key: IdempotencyKey) -> ChargeAnswer | JSONResponse:
        return await network.void(key) or _no_such_charge(key)

    @routes.post("/refunds")
    async def refund(asked: RefundRequest, key: IdempotencyKey) -> RefundAnswer:
        return await network.refund(key, asked)

    @routes.post("/credits")
    async def credit(asked: ChargeRequest, key: IdempotencyKey) -> CreditAnswer:
        return await network.credit(key, asked)

    return routes


async def _wait(request: Request, seconds: float) -> None:
    """Wait this long, or until the client is gone."""
    try:
        async with asyncio.timeout(seconds):
            await request.receive()  # the body has been read: what is left to receive is the disconnect
    except TimeoutError:
        return


def _no_such_charge(key: str) -> JSONResponse:
    return JSONResponse(NoSuchCharge(no_such_charge=key).model_dump(), 404)
