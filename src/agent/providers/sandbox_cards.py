"""The sandbox's card network. What a charge does depends on its test card:

tok_approve                 captured; so is every card that is not listed here
tok_decline                 declined, and the decline is kept
tok_slow                    captured, then the answer takes `slow_seconds`
tok_down                    503, unread: nothing is kept
tok_timeout_after_charge    captured, then the first answer never comes
"""

import asyncio
from sqlite3 import Connection
from typing import Annotated, Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent.providers.sandbox_file import SandboxFile, row, same_parameters
from agent.providers.sandbox_requests import NoBody, answer, effect
from agent.providers.sandbox_webhooks import Announce

NEVER_SECONDS = 60.0
"""How long "never" lasts at most, in seconds; a client that leaves ends it."""

CARD_TABLES = (
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
    """Charges, voids, refunds and credits by idempotency key, in a file that has `CARD_TABLES`."""

    def __init__(self, file: SandboxFile) -> None:
        self._file = file

    async def charge(self, key: str, asked: ChargeRequest) -> tuple[ChargeAnswer, bool]:
        """Decide a charge once; also says whether this was the first time. 409: the key is another's."""

        def decide(db: Connection) -> tuple[ChargeAnswer, bool]:
            if known := row(db, "SELECT * FROM charges WHERE key = ?", key):
                same_parameters(key, known, asked)
                return ChargeAnswer.model_validate(known), False
            voided = row(db, "SELECT key FROM voids WHERE key = ?", key) is not None
            declined = voided or asked.token == "tok_decline"  # noqa: S105  (a test card)
            decided = ChargeAnswer(
                id=f"ch_{uuid4().hex}",
                key=key,
                status="declined" if declined else "captured",
                amount=asked.amount,
                reason="voided before it came" if voided else "the card was declined" if declined else "",
            )
            db.execute(
                "INSERT INTO charges (id, key, status, amount, reason, currency, token)"
                " VALUES (:id, :key, :status, :amount, :reason, :currency, :token)",
                decided.model_dump() | asked.model_dump(),
            )
            return decided, True

        return await self._file.transaction(decide)

    async def refund(self, key: str, asked: RefundRequest) -> RefundAnswer:
        """Give money back once. 422: more than is left of the capture. 409: the key is another refund's."""

        def give_back(db: Connection) -> RefundAnswer:
            if known := row(db, "SELECT * FROM refunds WHERE key = ?", key):
                same_parameters(key, known, asked)
                return RefundAnswer.model_validate(known)
            left = row(
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
            given = RefundAnswer(id=f"re_{uuid4().hex}", key=key, **asked.model_dump())
            db.execute(
                "INSERT INTO refunds (id, key, charge_id, amount) VALUES (:id, :key, :charge_id, :amount)",
                given.model_dump(),
            )
            return given

        return await self._file.transaction(give_back)

    async def credit(self, key: str, asked: ChargeRequest) -> CreditAnswer:
        """Pay money out once. 409: the key is another credit's."""

        def pay_out(db: Connection) -> CreditAnswer:
            if known := row(db, "SELECT * FROM credits WHERE key = ?", key):
                same_parameters(key, known, asked)
                return CreditAnswer.model_validate(known)
            paid = CreditAnswer(id=f"cr_{uuid4().hex}", key=key, amount=asked.amount)
            db.execute(
                "INSERT INTO credits (id, key, amount, currency, token) VALUES (:id, :key, :amount, :currency, :token)",
                paid.model_dump() | asked.model_dump(),
            )
            return paid

        return await self._file.transaction(pay_out)

    async def void(self, key: str) -> ChargeAnswer | None:
        """From now on a charge with this key is declined when it comes; one that came before is told."""

        def prevent(db: Connection) -> ChargeAnswer | None:
            if known := row(db, "SELECT * FROM charges WHERE key = ?", key):
                return ChargeAnswer.model_validate(known)
            db.execute("INSERT OR IGNORE INTO voids (key) VALUES (?)", (key,))
            return None

        return await self._file.transaction(prevent)

    async def find(self, key: str) -> ChargeAnswer | None:
        """The charge with this idempotency key."""
        known = await self._file.transaction(lambda db: row(db, "SELECT * FROM charges WHERE key = ?", key))
        return ChargeAnswer.model_validate(known) if known else None

    async def ledger(self) -> Ledger:
        """All charges, refunds and credits."""

        def read(db: Connection) -> Ledger:
            charges = db.execute("SELECT * FROM charges ORDER BY rowid")
            refunds = db.execute("SELECT * FROM refunds ORDER BY rowid")
            credits_ = db.execute("SELECT * FROM credits ORDER BY rowid")
            return Ledger(
                charges=[ChargeAnswer.model_validate(dict(each)) for each in charges],
                refunds=[RefundAnswer.model_validate(dict(each)) for each in refunds],
                credits=[CreditAnswer.model_validate(dict(each)) for each in credits_],
            )

        return await self._file.transaction(read)


def card_routes(file: SandboxFile, slow_seconds: float, announce: Announce) -> list[Route]:
    """The card network over HTTP, its account in `file`; `slow_seconds` is what `tok_slow` takes.

    Announces `charge.captured` and `charge.declined`, before it answers.
    """
    network = CardNetwork(file)
    delays = {"tok_slow": slow_seconds, "tok_timeout_after_charge": NEVER_SECONDS}

    async def charge(request: Request) -> Response:
        key, asked = await effect(request, ChargeRequest)
        if asked.token == "tok_down":  # noqa: S105  (a test card)
            raise HTTPException(503, "refused unread: try again later")
        decided, is_new = await network.charge(key, asked)
        if is_new:
            announce(f"charge.{decided.status}", key)
            if delay := delays.get(asked.token):
                await _wait(request, delay)
        return answer(decided)

    async def ledger(_: Request) -> Response:
        return answer(await network.ledger())

    async def find(request: Request) -> Response:
        key = request.path_params["key"]
        return _found(key, await network.find(key))

    async def void(request: Request) -> Response:
        key, _ = await effect(request, NoBody)
        return _found(key, await network.void(key))

    async def refund(request: Request) -> Response:
        return answer(await network.refund(*await effect(request, RefundRequest)))

    async def credit(request: Request) -> Response:
        return answer(await network.credit(*await effect(request, ChargeRequest)))

    return [
        Route("/charges", charge, methods=["POST"]),
        Route("/charges", ledger, methods=["GET"]),
        Route("/charges/{key:path}", find, methods=["GET"]),
        Route("/voids", void, methods=["POST"]),
        Route("/refunds", refund, methods=["POST"]),
        Route("/credits", credit, methods=["POST"]),
    ]


async def _wait(request: Request, seconds: float) -> None:
    """Wait this long, or until the client is gone."""
    try:
        async with asyncio.timeout(seconds):
            await request.receive()  # the body has been read: what is left to receive is the disconnect
    except TimeoutError:
        return


def _found(key: str, charge: ChargeAnswer | None) -> Response:
    return answer(charge) if charge else answer(NoSuchCharge(no_such_charge=key), 404)
