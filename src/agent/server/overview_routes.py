"""`GET /ops/overview`: how the shop stands, and what is wrong first; `GET /ops/lists/…`: the orders behind its numbers.

The operations page and `desk ops` show them. They only read.
"""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Final, NamedTuple

from fastapi import APIRouter, HTTPException, Query, Request
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from agent.commerce.lifecycle import AT_WORK
from agent.commerce.policy import money
from agent.ledger.database_errors import UNUSABLE
from agent.server.behind import Line, UnknownListError, behind
from agent.server.callers import caller_of_request
from agent.server.last_hour import LastHour, last_hour
from agent.server.ledger_facts import LedgerFacts, Some, ledger_facts
from agent.server.recent import RECENT, Event
from agent.server.watchdog import how_reconciler_is, is_late
from agent.server.wrong import Wrong, what_is_wrong
from agent.services import Services, services

router = APIRouter(prefix="/ops")

WRITE_WAITS_SECONDS: Final = 1.0
"""How long a write may take to come through before the ledger counts as one that can't be written."""


class Reconciler(TypedDict):
    """How it is (off, late, on time), and when it last began to run (ISO 8601)."""

    state: str
    last_run: str | None


class LedgerView(TypedDict):
    """What the ledger knows, times in ISO 8601. `stages`, `debts`: those of which there is something, and all stages
    of work; the `sum` of debts is as the shop writes money. `hour` is by its own times."""

    stages: dict[str, dict[str, Any]]
    requests: dict[str, dict[str, Any]]
    tickets: dict[str, dict[str, Any]]
    debts: dict[str, dict[str, Any]]
    unknown: dict[str, Any]
    undelivered: dict[str, Any]
    quarantined: int
    hour: LastHour


class Process(TypedDict):
    """What the worker that answers has seen in the last hour, by minute, the present one last; None: not known."""

    events: list[Event]
    failures: list[int | None]
    waiting: list[int | None]


class Overview(TypedDict):
    """How the shop stands. `ledger` is None while it can't be read."""

    at: str
    wrong: list[Wrong]
    reconciler: Reconciler
    ledger: LedgerView | None
    process: Process


class _Read(NamedTuple):
    facts: LedgerFacts
    hour: LastHour


@router.get("/overview")
async def overview(request: Request) -> Overview:
    """How the shop stands, and what is wrong: all that an operator looks at, as of one moment."""
    caller_of_request(request, "operator", "admin")
    shop = await services()
    refusal = await shop.readiness.refusal(WRITE_WAITS_SECONDS)
    try:
        read = await shop.database.read(lambda session: _read(session, shop))
    except UNUSABLE as error:
        read, refusal = None, str(error)
    if read:
        RECENT.sample(read.facts)
    last = read.facts.reconciled if read else None
    state = how_reconciler_is(shop, last) if read else "off"
    wrong = what_is_wrong(
        refusal=refusal,
        facts=read.facts if read else None,
        late=read is not None and is_late(shop, last),
        has_cron=bool(shop.settings.reconcile_cron),
        breakers=await shop.breakers.look(),
        shared=shop.breakers.shared,
        recent=RECENT,
    )
    return Overview(
        at=shop.database.clock().isoformat(),
        wrong=wrong,
        reconciler=Reconciler(state=state if read else "unknown", last_run=last.isoformat() if last else None),
        ledger=_view(read) if read else None,
        process=Process(events=RECENT.events(), failures=RECENT.failures(), waiting=RECENT.waiting()),
    )


@router.get("/lists/{name}")
async def list_(
    name: str,
    request: Request,
    of: Annotated[str, Query(max_length=100)] = "",
    limit: Annotated[int, Query(ge=1, le=100)] = 100,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> dict[str, list[Line] | bool]:
    """What is behind a number of the overview, and whether there is more: `orders` of a stage, `ended`, `payments`
    (`PROVIDER:OUTCOME`, of the last hour), `unknown`, `debts` of a kind, `requests` and `tickets` of a role,
    `undelivered`, `quarantine`. HTTP 404 for another, and for what it can't be of."""
    caller_of_request(request, "operator", "admin")
    shop = await services()
    try:
        found = await shop.database.read(
            lambda session: behind(session, shop, name, of, limit=limit + 1, offset=offset)
        )
    except UnknownListError as error:
        raise HTTPException(404, str(error)) from error
    return {"lines": found[:limit], "more": len(found) > limit}


def _read(session: Session, shop: Services) -> _Read:
    return _Read(ledger_facts(session, shop), last_hour(session, shop.database.clock()))


def _view(read: _Read) -> LedgerView:
    facts = read.facts
    return LedgerView(
        stages={stage: _as_json(facts.stages.get(stage, Some())) for stage in AT_WORK},
        requests={role: _as_json(queue) for role, queue in facts.requests.items()},
        tickets={role: _as_json(queue) for role, queue in facts.tickets.items()},
        debts={kind: _as_json(owed) | {"sum": money(owed.amount)} for kind, owed in facts.debts.items()},
        unknown=_as_json(facts.unknown),
        undelivered=_as_json(facts.undelivered),
        quarantined=facts.quarantined,
        hour=read.hour,
    )


def _as_json(some: Some) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in asdict(some).items()
        if name != "failing"
    }
