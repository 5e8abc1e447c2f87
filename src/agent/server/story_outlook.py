"""Who is waited for and until when, what goes on by itself and when, and what one could do now, as commands.

The times are those by which the reconciler and the clock act (`approvals.deadlines`, `commerce.expiry`, `Queries`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from croniter import croniter
from sqlalchemy import select
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from agent.approvals.card import roles_of as roles_asked
from agent.commerce.debt_outcomes import ATTEMPTS
from agent.commerce.expiry import STUCK, UNDELIVERED
from agent.commerce.lifecycle import AT_WORK, UNANSWERED
from agent.commerce.policy import RETURN_LIMIT, RETURN_REMINDER
from agent.commerce.tickets import asked_in_turn, roles_of
from agent.commerce.ways_out import ways_out
from agent.escalation import escalation_of
from agent.ledger.tables import ApprovalRow, DebtRow, OrderRow, ParcelRow, PaymentRow, ReturnRow, TicketRow
from agent.server.story import About
from agent.settings import Settings

_ENDS: Final = {way.state: way.end for way in ways_out() if way.what == "order"}


class Waited(TypedDict):
    """Somebody who is waited for, for what, and until when (ISO 8601; None: for ever)."""

    who: str
    what: str
    until: str | None


class Next(TypedDict):
    """What happens by itself, and when (None: when the reconciler is run by hand, as its cron is off)."""

    what: str
    when: str | None


class Possible(TypedDict):
    """A command that one could give now, and what it is for."""

    command: str
    why: str


@dataclass(frozen=True)
class Outlook:
    """Times in the future are sorted by when they come."""

    waits_for: list[Waited]
    next: list[Next]
    commands: list[Possible]


Hint = tuple[str, dict[str, str | None]]


def outlook(session: Session, about: About, config: Settings, now: datetime) -> Outlook:
    """What may come of a story, as things are."""
    hints = list(_hints(session, about, _Clock(config, now)))
    waits = [Waited(**hint) for kind, hint in hints if kind == "waits"]  # type: ignore[typeddict-item]
    coming = [Next(**hint) for kind, hint in hints if kind == "next"]  # type: ignore[typeddict-item]
    commands = {str(hint["command"]): str(hint["why"]) for kind, hint in hints if kind == "can"}
    return Outlook(
        waits,
        sorted(coming, key=lambda each: each["when"] or ""),
        [Possible(command=command, why=why) for command, why in commands.items()],
    )


class _Clock:
    """When the reconciler looks at something next."""

    def __init__(self, config: Settings, now: datetime) -> None:
        self.config, self.now = config, now

    def run(self, due: datetime | None = None) -> datetime | None:
        """Its first run from `due` on; None: it has no cron."""
        if not self.config.reconcile_cron:
            return None
        run: datetime = croniter(self.config.reconcile_cron, max(due or self.now, self.now)).get_next(datetime)
        return run


def _hints(session: Session, about: About, clock: _Clock) -> Iterator[Hint]:
    for request in about.requests:
        if request.status == "open":
            yield from _of_request(request, clock)
    if about.order:
        yield from _of_order(session, about.order, clock)
    for ticket in about.tickets:
        if ticket.status != "closed":
            yield from _of_ticket(ticket, clock)
    if about.damaged:
        yield _can("desk db quarantine --json", "the damaged states as they were, on the server's machine")


def _of_request(row: ApprovalRow, clock: _Clock) -> Iterator[Hint]:
    step, roles, since = row.chain[row.step], roles_asked(row), row.step_since
    due, expiry = (since + timedelta(seconds=step[name]) for name in ("due_seconds", "expiry_seconds"))
    yield _waits(" or ".join(roles), f"request {row.id}, step {row.step + 1} of {len(row.chain)}", expiry)
    reminder = since + timedelta(seconds=step["reminder_seconds"])
    if row.reminded_since != since and clock.now < due:
        yield _next(f"staff is reminded of request {row.id}", clock.run(reminder))
    if not row.escalated:
        yield _next(f"{escalation_of(row.chain, row.step)} may answer request {row.id} as well", clock.run(due))
    yield _next(f"the clock rejects request {row.id}", clock.run(expiry))
    yield _can(f"desk approvals show {row.id} --as {roles[-1]}", "the card")
    yield _can(f"desk approvals approve {row.id} --as {roles[-1]}", "say yes; reject, edit and ask likewise")


def _of_ticket(row: TicketRow, clock: _Clock) -> Iterator[Hint]:
    roles = roles_of(row)
    yield _waits(row.taken_by or " or ".join(roles), f"ticket {row.id}, {row.status}", row.due_at)
    if row.due_at:
        later = asked_in_turn(row.topic)[len(roles) :]
        told = f"{later[0]} is told of it as well" if later else f"{roles[-1]} is told again"
        yield _next(f"ticket {row.id}: {told}", clock.run(row.due_at))
    verb = "show" if row.status == "taken" else "take"
    yield _can(f"desk tickets {verb} {row.id} --as {roles[-1]}", "answer and close it then")


def _of_order(session: Session, order: OrderRow, clock: _Clock) -> Iterator[Hint]:
    config, own = clock.config, order.id
    if order.stage == "declined":
        until = order.touched_at + timedelta(seconds=config.payment_wait_seconds)
        yield _waits("the customer", "another payment method", until)
        yield _next(f"{own} is undone when no other method was named", clock.run(until))
        yield _can(f"desk orders pay {own} METHOD", "another method, in the customer's name")
    elif order.stage in ("parked", "cancelling"):
        yield _next(f"{own}: {_ENDS[order.stage]}", clock.run())
        yield _can("desk ops breakers", "is its provider or carrier away?")
    elif order.stage in AT_WORK and order.stage != "awaiting_approval":
        stale = order.touched_at + timedelta(seconds=config.stale_after_seconds)
        yield _next(f"{own}: {_ENDS[order.stage]}, if nothing moves it before", clock.run(stale))
    if order.stage in AT_WORK:
        if (stuck := order.placed_at + STUCK) > clock.now:
            yield _next(f"staff is told by ticket that {own} does not move", clock.run(stuck))
        yield _can("desk ops reconcile", "have the reconciler look now")
    if order.stage == "imported" or (order.status == "pending" and order.stage in AT_WORK):
        yield _can(f"desk orders cancel {own}", "undo it, in the customer's name")
    yield from _of_parcels(session, order, clock)
    yield from _of_money(session, order, clock)
    for returned in session.scalars(select(ReturnRow).where(ReturnRow.order_id == own, ReturnRow.state == "open")):
        yield _waits("the warehouse", f"{returned.kind} {returned.id} to come back", returned.at + RETURN_LIMIT)
        if returned.reminded_at is None:
            yield _next(f"the customer is reminded of {returned.id}", clock.run(returned.at + RETURN_REMINDER))
        yield _next(f"the rest of {returned.id} is closed", clock.run(returned.at + RETURN_LIMIT))
        yield _can(f"desk orders receive {own} --as warehouse", "it has come back")
    yield _can(f"desk orders show {own}", "lines, payments, parcels, approvals")


def _of_parcels(session: Session, order: OrderRow, clock: _Clock) -> Iterator[Hint]:
    states = set(session.scalars(select(ParcelRow.state).where(ParcelRow.order_id == order.id)))
    if "handed_over" in states:
        yield _waits("the carrier", "a parcel to arrive", None)
        if (late := order.touched_at + UNDELIVERED) > clock.now:
            yield _next("staff is told by ticket that nobody confirmed the delivery", clock.run(late))
        yield _can(f"desk orders deliver {order.id} --as warehouse", "it has arrived")
    if order.stage == "imported" and states & {"planned", "booked"}:
        yield _waits("the system that it came from", "its parcels to leave", None)
        yield _can(f"desk orders hand-over {order.id} --as warehouse", "they have left")


def _of_money(session: Session, order: OrderRow, clock: _Clock) -> Iterator[Hint]:
    unpaid = (PaymentRow.order_id == order.id, PaymentRow.attempt.is_(None))
    for payment in session.scalars(
        select(PaymentRow).where(*unpaid, PaymentRow.outcome.in_((*UNANSWERED, "declined")))
    ):
        if payment.outcome == "declined":
            yield _waits("the customer", f"another method for payment {payment.key}", None)
            yield _can(f"desk orders undo-change {order.id}", "have the items as they were")
        else:
            yield _next(f"payment {payment.key} is asked for again", clock.run(payment.next_at))
    for debt in session.scalars(select(DebtRow).where(DebtRow.order_id == order.id, ~DebtRow.settled)):
        attempt = f"attempt {debt.attempts + 1} of debt {debt.key}; people are asked after {ATTEMPTS}"
        pending = f"it is looked up whether debt {debt.key} is settled"
        yield _next(pending if debt.pending_since else attempt, clock.run(debt.next_at))
        yield _can("desk ops breakers", "is its provider or carrier away?")


def _waits(who: str, what: str, until: datetime | None) -> Hint:
    return "waits", {"who": who, "what": what, "until": until.isoformat() if until else None}


def _next(what: str, when: datetime | None) -> Hint:
    return "next", {"what": what, "when": when.isoformat() if when else None}


def _can(command: str, why: str) -> Hint:
    return "can", {"command": command, "why": why}
