"""The last hour by the ledger's own times, minute by minute: the same at every worker, and there after a restart."""

from collections import Counter
from datetime import datetime
from typing import Any

from sqlalchemy import String, cast, func, select
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from agent.ledger.base import total
from agent.ledger.tables import OrderRow, PaymentRow
from agent.server.recent import minutes


class PaymentsLine(TypedDict):
    """Attempts to take money of one provider that stand at one outcome: how many, and their sum in minor units."""

    provider: str
    outcome: str
    count: int
    amount: int


class LastHour(TypedDict):
    """Orders that ended, and attempts to take money that began. `since` begins the first of 60 minutes; the last is
    not over."""

    since: str
    ended: dict[str, int]
    ended_by_minute: list[int]
    payments: list[PaymentsLine]
    payments_by_minute: list[int]


def last_hour(session: Session, now: datetime) -> LastHour:
    """Read it, in a transaction of somebody else's."""
    hour, order, payment = minutes(now), OrderRow, PaymentRow
    ended, ended_by = Counter[str](dict.fromkeys(("completed", "cancelled"), 0)), Counter[str]()
    when = _minute(order.ended_at)
    query = select(when, order.stage, func.count()).where(order.ended_at >= hour[0]).group_by(when, order.stage)
    for minute, stage, count in session.execute(query):
        ended[stage] += count
        ended_by[minute] += count
    when = _minute(payment.at)
    columns = (when, payment.provider, payment.outcome)
    taken = select(*columns, func.count(), total(payment.amount)).where(payment.at >= hour[0]).group_by(*columns)
    lines, taken_by = dict[tuple[str, str], PaymentsLine](), Counter[str]()
    for minute, provider, outcome, count, amount in session.execute(taken):
        name = provider_name(provider, outcome)
        line = lines.setdefault((name, outcome), PaymentsLine(provider=name, outcome=outcome, count=0, amount=0))
        line["count"] += count
        line["amount"] += amount
        taken_by[minute] += count
    texts = [f"{each:%Y-%m-%d %H:%M}" for each in hour]
    return LastHour(
        since=hour[0].isoformat(),
        ended=dict(ended),
        ended_by_minute=[ended_by[each] for each in texts],
        payments=[lines[key] for key in sorted(lines)],
        payments_by_minute=[taken_by[each] for each in texts],
    )


def provider_name(provider: str | None, outcome: str) -> str:
    """Who was asked for the money; without a provider it was a gift card, or nobody yet."""
    return provider or ("gift_card" if outcome in ("captured", "declined") else "nobody_yet")


def _minute(column: Any) -> Any:
    """The minute of a time as text: both databases write a time in UTC from the year down (`engines`)."""
    return func.substr(cast(column, String), 1, len("2026-01-01 00:00"))
