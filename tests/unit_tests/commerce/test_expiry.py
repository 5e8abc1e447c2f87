"""What time does to orders of which nobody hears any more."""

from sqlalchemy import delete, select, update

from agent.ledger.tables import NotificationRow, OrderRow, TicketRow
from agent.services import Services
from tests.support.clock import Clock
from tests.support.goods import W1006, W1012

SENT = (W1006, W1012)  # of the demo shop, two and three days ago; the others have arrived


async def cases(shop: Services) -> list[str | None]:
    """The orders that people are to look into."""
    query = select(TicketRow.order_id).order_by(TicketRow.order_id)
    return list(await shop.database.read(lambda session: session.scalars(query).all()))


async def test_each_order_that_does_not_arrive_is_a_case_for_people_once(shop: Services, clock: Clock) -> None:
    clock.advance(days=17)
    assert await shop.expiry.enforce_deadlines() == {}
    for _ in range(8):
        clock.advance(days=1)
        await shop.expiry.enforce_deadlines()
    assert await cases(shop) == list(SENT)


async def test_an_order_that_is_touched_again_is_looked_at_again_in_its_time(shop: Services, clock: Clock) -> None:
    clock.advance(days=40)
    assert set(await shop.expiry.enforce_deadlines()) == set(SENT)
    with shop.database.writing() as session:  # as if people had never been told
        session.execute(delete(NotificationRow).where(NotificationRow.event == "order.stuck"))
        session.execute(update(OrderRow).where(OrderRow.id == W1012).values(touched_at=clock()))
    assert await shop.expiry.enforce_deadlines() == {}
    clock.advance(days=22)
    assert set(await shop.expiry.enforce_deadlines()) == {W1012}
