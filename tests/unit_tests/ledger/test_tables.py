"""What the tables themselves refuse, whoever writes, and times that keep their zone."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError, StatementError
from sqlalchemy.orm import Session

from agent.ledger.database import Database, Effect, Json
from agent.ledger.tables import CustomerRow, EffectRow, OrderRow, ProductRow, VariantRow
from tests.support.clock import Clock

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
async def ledger(ledger_url: str, clock: Clock) -> AsyncIterator[Database]:
    """A ledger with one variant in it: 3 pieces, none reserved."""
    database = Database(ledger_url, clock)
    with database.writing() as session:
        session.add(ProductRow(id="lamp", name="Lamp"))
        session.flush()
        session.add(VariantRow(sku="LAMP-OAK", product_id="lamp", options={}, price=69_00, warehouse="east", on_hand=3))
    yield database
    await database.close()


def customer(changed_at: datetime) -> CustomerRow:
    return CustomerRow(
        id="ada", first_name="Ada", last_name="Park", email="a@b", address={}, profile_changed_at=changed_at
    )


async def test_a_time_without_zone_is_refused(ledger: Database) -> None:
    with pytest.raises(StatementError, match="time zone aware"), ledger.writing() as session:
        session.add(customer(NOON.replace(tzinfo=None)))
    with ledger.reading() as session:
        assert session.get(CustomerRow, "ada") is None


async def test_a_clock_without_zone_leaves_no_effect(ledger: Database, clock: Clock) -> None:
    def act(session: Session) -> Json:
        session.add(ProductRow(id="rug", name="Rug"))
        return {}

    clock.now = NOON.replace(tzinfo=None)
    with pytest.raises(StatementError, match="time zone aware"):
        await ledger.once(Effect("key", "Add", "ada", "ada"), act)
    with ledger.reading() as session:
        assert session.get(EffectRow, "key") is None
        assert session.get(ProductRow, "rug") is None


async def test_a_time_comes_back_as_the_same_moment_in_utc(ledger: Database) -> None:
    with ledger.writing() as session:
        session.add(customer(NOON.astimezone(timezone(timedelta(hours=-7)))))
    with ledger.reading() as session:
        kept = session.get_one(CustomerRow, "ada").profile_changed_at
    assert kept == NOON
    assert kept.tzinfo is UTC


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"reserved": 4}, "never_oversold"),
        ({"on_hand": -1}, "never_oversold"),
        ({"reserved": -1}, "reserved_not_negative"),
        ({"price": -1}, "price_not_negative"),
    ],
)
async def test_no_writer_can_oversell(ledger: Database, change: dict[str, Any], constraint: str) -> None:
    with pytest.raises(IntegrityError, match=constraint), ledger.writing() as session:
        session.execute(update(VariantRow).values(**change))


async def test_an_order_of_nobody_is_refused(ledger: Database) -> None:
    with pytest.raises(IntegrityError, match=r"(?i)foreign key"), ledger.writing() as session:
        session.add(
            OrderRow(
                id="A-1",
                customer_id="nobody",
                status="pending",
                stage="placed",
                total=1,
                currency="USD",
                payment_method_id="none",
                ship_to={},
                placed_by="nobody",
                placed_at=NOON,
                touched_at=NOON,
            )
        )
