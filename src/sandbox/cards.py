"""The sandbox's card network. What a charge does depends on its test card:

tok_approve                 captured; so is every card that is not listed here
tok_decline                 declined, and the decline is kept
tok_slow                    captured, then the answer takes `slow_seconds`
tok_down                    503, unread: nothing is kept
tok_timeout_after_charge    captured, then the first answer never comes
tok_gone                    404: the card was removed; nothing is kept
tok_refund_pends            captured; its refunds stay pending until the network decides them, by `POST /refunds/KEY`
"""

import asyncio
from sqlite3 import Connection
from uuid import uuid4

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.announcer import Announce
from sandbox.card_forms import (
    ChargeAnswer,
    ChargeRequest,
    CreditAnswer,
    Decision,
    Ledger,
    MovementAnswer,
    Movements,
    NoSuchCharge,
    NoSuchRefund,
    PageRequest,
    RefundAnswer,
    RefundRequest,
    RefundStanding,
)
from sandbox.file import SandboxFile, row, same_parameters
from sandbox.requests import NoBody, answer, effect

NEVER_SECONDS = 60.0
"""How long "never" lasts at most, in seconds; a client that leaves ends it."""

CARD_TABLES = (
    "CREATE TABLE IF NOT EXISTS charges (key TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, status TEXT NOT NULL,"
    " amount INTEGER NOT NULL, currency TEXT NOT NULL, token TEXT NOT NULL, reason TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS voids (key TEXT PRIMARY KEY)",
    "CREATE TABLE IF NOT EXISTS refunds (key TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE,"
    " charge_id TEXT NOT NULL REFERENCES charges (id), amount INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS refund_states (key TEXT PRIMARY KEY, state TEXT NOT NULL)",  # else it has succeeded
    "CREATE TABLE IF NOT EXISTS credits (key TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE,"
    " amount INTEGER NOT NULL, currency TEXT NOT NULL, token TEXT NOT NULL)",
    "CREATE VIEW IF NOT EXISTS refunds_now AS SELECT refunds.*, coalesce(state, 'succeeded') AS state"
    " FROM refunds LEFT JOIN refund_states USING (key) ORDER BY refunds.rowid",
    "CREATE VIEW IF NOT EXISTS given_now AS SELECT key, state FROM refunds_now"
    " UNION ALL SELECT key, 'succeeded' FROM credits",
    "CREATE VIEW IF NOT EXISTS movements AS"
    " SELECT 1 AS part, rowid AS n, 'capture' AS kind, key, id AS provider_id, amount, 0 AS failed FROM charges"
    " WHERE status = 'captured' UNION ALL"
    " SELECT 2, refunds.rowid, 'refund', key, charge_id, amount, coalesce(state = 'failed', 0) FROM refunds"
    " LEFT JOIN refund_states USING (key) UNION ALL"
    " SELECT 3, rowid, 'refund', key, '', amount, 0 FROM credits ORDER BY part, n",
)


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
            if known := row(db, "SELECT * FROM refunds_now WHERE key = ?", key):
                same_parameters(key, known, asked)
                return RefundAnswer.model_validate(known)
            left = row(
                db,
                "SELECT token, amount - (SELECT coalesce(sum(amount), 0) FROM refunds_now"
                " WHERE charge_id = charges.id AND state != 'failed') AS amount"
                " FROM charges WHERE id = ? AND status = 'captured'",
                asked.charge_id,
            )
            if left is None:
                raise HTTPException(422, "charge_id: nothing was captured under this id")
            if asked.amount > left["amount"]:
                raise HTTPException(
                    422, f"amount: {asked.amount} is more than the {left['amount']} left of this charge"
                )
            pends = left["token"] == "tok_refund_pends"  # noqa: S105  (a test card)
            given = RefundAnswer(
                id=f"re_{uuid4().hex}", key=key, state="pending" if pends else "succeeded", **asked.model_dump()
            )
            db.execute(
                "INSERT INTO refunds (id, key, charge_id, amount) VALUES (:id, :key, :charge_id, :amount)",
                given.model_dump(),
            )
            if pends:
                db.execute("INSERT INTO refund_states (key, state) VALUES (?, ?)", (key, given.state))
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

    async def find_refund(self, key: str) -> RefundStanding | None:
        """The refund or credit with this idempotency key."""
        known = await self._file.transaction(lambda db: row(db, "SELECT * FROM given_now WHERE key = ?", key))
        return RefundStanding.model_validate(known) if known else None

    async def decide_refund(self, key: str, decision: Decision) -> RefundStanding | None:
        """Decide a refund that is pending; another one stays as it is."""

        def decide(db: Connection) -> None:
            db.execute("UPDATE refund_states SET state = ? WHERE key = ? AND state = 'pending'", (decision.state, key))

        await self._file.transaction(decide)
        return await self.find_refund(key)

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
            refunds = db.execute("SELECT * FROM refunds_now")
            credits_ = db.execute("SELECT * FROM credits ORDER BY rowid")
            return Ledger(
                charges=[ChargeAnswer.model_validate(dict(each)) for each in charges],
                refunds=[RefundAnswer.model_validate(dict(each)) for each in refunds],
                credits=[CreditAnswer.model_validate(dict(each)) for each in credits_],
            )

        return await self._file.transaction(read)

    async def movements(self, page: PageRequest) -> Movements:
        """A part of what was captured, refunded and paid out, by kind and in the order in which it came."""

        def read(db: Connection) -> Movements:
            rows = db.execute("SELECT * FROM movements LIMIT :limit OFFSET :offset", page.model_dump())
            return Movements(movements=[MovementAnswer.model_validate(dict(each)) for each in rows])

        return await self._file.transaction(read)


def card_routes(file: SandboxFile, slow_seconds: float, announce: Announce) -> list[Route]:
    """The card network over HTTP, its account in `file`; `slow_seconds` is what `tok_slow` takes.

    Announces `charge.captured` and `charge.declined`, before it answers.
    """
    network = CardNetwork(file)
    delays = {"tok_slow": slow_seconds, "tok_timeout_after_charge": NEVER_SECONDS}

    async def charge(request: Request) -> Response:
        key, asked = await effect(request, ChargeRequest)
        if asked.token == "tok_gone":  # noqa: S105  (a test card)
            raise HTTPException(404, "token: there is no such card any more")
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

    async def movements(request: Request) -> Response:
        return answer(await network.movements(PageRequest.model_validate(dict(request.query_params))))

    async def find(request: Request) -> Response:
        key = request.path_params["key"]
        return _found(key, await network.find(key))

    async def void(request: Request) -> Response:
        key, _ = await effect(request, NoBody)
        return _found(key, await network.void(key))

    async def refund(request: Request) -> Response:
        return answer(await network.refund(*await effect(request, RefundRequest)))

    async def find_refund(request: Request) -> Response:
        return _standing(request, await network.find_refund(request.path_params["key"]))

    async def decide_refund(request: Request) -> Response:
        key, decision = request.path_params["key"], Decision.model_validate_json(await request.body())
        standing = await network.decide_refund(key, decision)
        announce(f"refund.{decision.state}", key)
        return _standing(request, standing)

    async def credit(request: Request) -> Response:
        return answer(await network.credit(*await effect(request, ChargeRequest)))

    return [
        Route("/charges", charge, methods=["POST"]),
        Route("/charges", ledger, methods=["GET"]),
        Route("/charges/{key:path}", find, methods=["GET"]),
        Route("/movements", movements, methods=["GET"]),
        Route("/voids", void, methods=["POST"]),
        Route("/refunds", refund, methods=["POST"]),
        Route("/refunds/{key:path}", find_refund, methods=["GET"]),
        Route("/refunds/{key:path}", decide_refund, methods=["POST"]),
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


def _standing(request: Request, refund: RefundStanding | None) -> Response:
    return answer(refund) if refund else answer(NoSuchRefund(no_such_refund=request.path_params["key"]), 404)
