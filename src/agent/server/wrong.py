"""What is wrong, since when, and what to do: one line each, the worst first. The only place that decides it; the
operations page and `desk ops status` say what is said here.

Each line names the part of docs/operations.md that says more.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from typing_extensions import TypedDict

from agent.observability.events import EventName
from agent.resilience import BreakerSnapshot
from agent.server.ledger_facts import LedgerFacts, Queue, Some
from agent.server.recent import Recent

A_WHILE: Final = timedelta(minutes=10)
"""How long an event that is no state counts as something that is wrong."""


class Wrong(TypedDict):
    """One thing. `since` is ISO 8601, None where nobody knows; `behind`, the list of `/ops/lists` with what it is
    about."""

    what: str
    since: str | None
    do: str
    docs: str
    behind: str | None


def what_is_wrong(
    *,
    refusal: str | None,
    facts: LedgerFacts | None,
    late: bool,
    has_cron: bool,
    breakers: Iterable[BreakerSnapshot],
    shared: bool | None,
    recent: Recent,
) -> list[Wrong]:
    """All of it.

    Args:
        refusal: why the ledger can't be written; None when it can.
        facts: what the ledger knows; None while it can't be read.
        late: whether the reconciler has not run for too long; `has_cron`, whether this server has one to start it.
        breakers: as they are now; `shared`, whether their store answers, None without one.
        recent: what this process has seen.
    """
    found = list(_of_ledger(refusal, facts))
    found += _of_events(recent)
    found += _of_breakers(breakers, shared, recent.clock())
    if facts:
        if late:
            found.append(_of_reconciler(facts.reconciled, has_cron=has_cron))
        found += _of_money(facts)
        found += _of_people(facts)
        found += _of_upkeep(facts)
    return found


def _of_ledger(refusal: str | None, facts: LedgerFacts | None) -> Iterator[Wrong]:
    if facts is None or refusal:
        what = "read" if facts is None else "written"
        do = "look at its disk, file or server; nothing was changed, and work goes on when it is back"
        why = f": {refusal}" if refusal else ""
        yield _wrong(f"The ledger can't be {what}{why}", None, do, _event("ledger.unusable"))


def _of_reconciler(last: datetime | None, *, has_cron: bool) -> Wrong:
    what, do = "does not run", "is the server's cron there (cron.ready in the log)? Until then: desk ops reconcile"
    if not has_cron:
        what = "has no cron (RECONCILE_CRON is empty) and has not run"
        do = "desk ops reconcile; see to whatever else is to start it, or set RECONCILE_CRON"
    return _wrong(f"The reconciler {what}: nothing that waits goes on by itself", last, do, _event("reconciler.late"))


_TOLD: Final[dict[EventName, tuple[str, str]]] = {
    "trail.broken": ("A request's seal does not hold", "desk audit verify; find out who writes to the ledger"),
    "approval.forged": ("An answer's identity does not hold", "desk audit verify; find out who writes to checkpoints"),
    "reconciler.failed": ("A job of the reconciler failed", "its error is in the log; it is tried again each minute"),
}


def _of_events(recent: Recent) -> Iterator[Wrong]:
    for event, (what, do) in _TOLD.items():
        if at := recent.last(event, A_WHILE):
            yield _wrong(what, at, do, _event(event))


def _of_breakers(breakers: Iterable[BreakerSnapshot], shared: bool | None, now: datetime) -> Iterator[Wrong]:
    for each in breakers:
        since = now - timedelta(seconds=each.for_seconds)
        match each.state:
            case "forced_open":
                what, do = (
                    "was opened by hand: nothing is sent",
                    f"when it is well: desk ops breakers reset {each.name}",
                )
            case "open" | "half_open":
                why = f" ({each.why.replace('_', ' ')})" if each.why else ""
                what, do = (
                    f"does not answer well{why}",
                    "look at the dependency; the first call after its wait probes it",
                )
            case _:
                continue
        yield _wrong(f"{each.name} {what}", since, do, _event("breaker.moved"))
    if shared is False:
        do = "bring Redis back; nothing is lost"
        yield _wrong(
            "The breakers' store does not answer: each worker learns for itself",
            None,
            do,
            _event("breaker.store_moved"),
        )


def _of_money(facts: LedgerFacts) -> Iterator[Wrong]:
    parked = facts.stages.get("parked", Some())
    if parked.count:
        do = "look at the provider's breaker; they are asked for by key until it can say"
        yield _wrong(
            _many(parked.count, "order is parked", "orders are parked"),
            parked.since,
            do,
            _event("order.parked"),
            "orders/parked",
        )
    if facts.unknown.count:
        do = "look at the provider's breaker; they are looked up until it can say"
        what = _many(
            facts.unknown.count,
            "payment is unknown: its answer was lost",
            "payments are unknown: their answers were lost",
        )
        yield _wrong(what, facts.unknown.since, do, _event("payment.unknown"), "unknown")
    for kind, owed in facts.debts.items():
        if owed.failing.count:
            do = "look at the provider's breaker; after 8 attempts people are asked"
            what = _many(owed.failing.count, f"{kind} has failed and is owed", f"{kind}s have failed and are owed")
            yield _wrong(what, owed.failing.since, do, _event("debt.failed"), f"debts/{kind}")


def _of_people(facts: LedgerFacts) -> Iterator[Wrong]:
    yield from _late("request", "requests", facts.requests, "approval.escalated")
    yield from _late("ticket", "tickets", facts.tickets, "ticket.escalated")


def _late(one: str, more: str, queues: Mapping[str, Queue], event: EventName) -> Iterator[Wrong]:
    for role, queue in queues.items():
        if queue.late:
            what = f"{_many(queue.late, f'{one} is late', f'{more} are late')}, for {role.replace('_', ' ')}"
            yield _wrong(
                what,
                queue.late_since,
                "remind them; the next role has been asked as well",
                _event(event),
                f"{more}/{role}",
            )


def _of_upkeep(facts: LedgerFacts) -> Iterator[Wrong]:
    if facts.undelivered.count:
        what = _many(facts.undelivered.count, "notification is not taken", "notifications are not taken")
        do = "look at the receiver's address and secret; they are tried on"
        yield _wrong(what, facts.undelivered.since, do, _event("notification.undelivered"), "undelivered")
    if facts.lately_quarantined.count:
        what = _many(facts.lately_quarantined.count, "thread's state was damaged", "threads' states were damaged")
        do = "desk db quarantine; often: look for who writes checkpoints"
        yield _wrong(
            f"{what} in the last day", facts.lately_quarantined.since, do, _event("state.quarantined"), "quarantine"
        )


def _many(count: int, one: str, more: str) -> str:
    return f"{count} {one if count == 1 else more}"


def _event(name: EventName) -> str:
    return f"docs/operations.md, Events: {name}"


def _wrong(what: str, since: datetime | None, do: str, docs: str, behind: str | None = None) -> Wrong:
    return Wrong(what=what, since=since.isoformat() if since else None, do=do, docs=docs, behind=behind)
