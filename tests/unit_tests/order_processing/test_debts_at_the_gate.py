"""A debt that failed too often: people are asked about it on the order's thread, and the order is left as it is."""

from typing import Any

import pytest
from sqlalchemy import select, update

from agent.commerce.debt_outcomes import ATTEMPTS
from agent.identity import Caller
from agent.ledger.tables import ApprovalRow, DebtRow
from agent.services import Services
from agent.settings import Settings
from agent.shop import SHOP
from tests.support.chains import DEBT, expiry_seconds, outsider
from tests.support.clock import Clock
from tests.support.commands import cancel_order
from tests.support.orders import ADA, SMALL, order, place, redrive_order, thread_of
from tests.support.outside import at_the_carrier
from tests.support.scenes import entries, repaid
from tests.support.threads import APPROVE, Thread, events, reject, seen, staff

from .standing import standing_before

DIRECTOR = staff(DEBT[0])


async def tried_too_often(shop: Services) -> None:
    with shop.database.writing() as session:
        session.execute(update(DebtRow).where(DebtRow.settled.is_(False)).values(attempts=ATTEMPTS))


async def requests(shop: Services) -> list[ApprovalRow]:
    with shop.database.reading() as session:
        return list(session.scalars(select(ApprovalRow).order_by(ApprovalRow.created_at)).all())


async def owing(shop: Services) -> Thread:
    """The thread of a cancelled order whose refund failed until nobody tried any more."""
    thread = await standing_before(shop, "ship")
    await cancel_order(shop, "N-1")
    shop.breakers["payment"].force_open()
    ended = await thread.run(None, ADA)
    assert ended["processing_stage"] == "cancelled"
    shop.breakers["payment"].reset()
    await tried_too_often(shop)
    return thread


async def test_the_finance_director_is_asked_once_and_the_order_stays_as_it_is(shop: Services) -> None:
    thread = await owing(shop)
    before = await shop.queries.get("N-1")

    told = await redrive_order(thread)
    view = await thread.waits_for()
    for _ in range(2):
        await redrive_order(thread)

    assert view is not None
    assert (view["case"], view["roles"], view["order_id"]) == ("debt", [DEBT[0]], "N-1")
    assert view["action_requests"][0]["args"] == {
        "debt": "N-1:pay:1:rest", "kind": "refund", "order_id": "N-1", "amount": SHOP.amount(123_00),
        "request_id": view["request_id"],
    }  # fmt: skip
    assert told["processing_stage"] == "cancelled"
    assert await thread.waits_for() == view
    assert len(await requests(shop)) == 1
    assert await shop.queries.get("N-1") == before
    assert await repaid(shop, "N-1") == []


async def test_a_yes_books_it_as_done_by_hand_and_the_network_is_not_asked(shop: Services) -> None:
    thread, by_hand = await owing(shop), events("debt.settled_by_hand")
    await redrive_order(thread)

    ended = await thread.answer(APPROVE, DIRECTOR)

    assert ended["processing_stage"] == "cancelled"
    assert await thread.waits_for() is None
    assert ("hand_refund", -123_00) in await entries(shop, "N-1")
    assert await repaid(shop, "N-1") == []
    assert events("debt.settled_by_hand") == by_hand + 1
    assert await shop.debts.past_limit() == []


async def test_a_no_with_its_reason_has_it_tried_again(shop: Services) -> None:
    thread = await owing(shop)
    await redrive_order(thread)

    ended = await thread.answer(reject("the provider is well again"), DIRECTOR)

    assert ended["processing_stage"] == "cancelled"
    assert [refund.amount for refund in await repaid(shop, "N-1")] == [123_00]
    assert await shop.debts.past_limit() == []


async def test_what_fails_on_after_a_no_is_asked_about_anew(shop: Services) -> None:
    thread = await owing(shop)
    await redrive_order(thread)
    shop.breakers["payment"].force_open()
    await thread.answer(reject("try again"), DIRECTOR)
    assert await thread.waits_for() is None
    with shop.database.writing() as session:
        session.execute(update(DebtRow).values(attempts=2 * ATTEMPTS))

    await redrive_order(thread)

    view = await thread.waits_for()
    assert view
    assert [(request.id == view["request_id"], request.status) for request in await requests(shop)] == [
        (False, "rejected"),
        (True, "open"),
    ]


@pytest.mark.parametrize(
    ("said", "who", "rule"),
    [
        (APPROVE, staff(outsider("debt")), "APPROVAL-ROLE"),
        (APPROVE, ADA, "APPROVAL-ROLE"),
        (APPROVE, None, "APPROVAL-ROLE"),
        (reject(""), DIRECTOR, "APPROVAL-NOTE"),
        ({"paid": True}, DIRECTOR, "APPROVAL-UNREADABLE"),
    ],
)
async def test_an_answer_that_does_not_count_moves_nothing(
    shop: Services, said: Any, who: Caller | None, rule: str
) -> None:
    thread = await owing(shop)
    await redrive_order(thread)

    await thread.answer(said, who)

    view = await thread.waits_for()
    assert view
    assert str(view["refused"]).startswith(rule)
    assert len(await shop.debts.past_limit("N-1")) == 1
    await thread.answer(APPROVE, DIRECTOR)
    assert await thread.waits_for() is None


async def test_a_silence_has_it_tried_again(shop: Services, clock: Clock) -> None:
    thread = await owing(shop)
    await redrive_order(thread)
    clock.advance(seconds=expiry_seconds("debt"))
    await shop.deadlines.enforce_deadlines()

    await redrive_order(thread)

    assert await thread.waits_for() is None
    assert [refund.amount for refund in await repaid(shop, "N-1")] == [123_00]
    assert await shop.deadlines.threads_to_wake() == []


async def test_a_customer_who_sends_the_order_again_does_not_end_the_waiting(shop: Services) -> None:
    thread = await owing(shop)
    await redrive_order(thread)
    view = await thread.waits_for()

    told = await thread.run(order(SMALL), ADA)

    assert (told["processing_stage"], told["denial"]) == ("cancelled", None)
    assert await thread.waits_for() == view


async def test_a_lost_thread_is_asked_the_same_request_on_a_new_one(shop: Services) -> None:
    lost = await owing(shop)
    await redrive_order(lost)
    view = await lost.waits_for()

    thread = thread_of()
    await redrive_order(thread)

    assert await thread.waits_for() == view
    await thread.answer(APPROVE, DIRECTOR)
    assert ("hand_refund", -123_00) in await entries(shop, "N-1")


class TestAwaitingTheVan:
    """Parcels that are booked, at a carrier that can't be told to stop them."""

    @pytest.fixture
    def config(self, config: Settings) -> Settings:
        return config.model_copy(update={"carrier_hand_over_seconds": 3600.0})

    async def test_each_debt_is_asked_about_in_turn_and_the_order_is_undone_after_the_last(
        self, shop: Services
    ) -> None:
        thread, _ = await place(SMALL)
        await cancel_order(shop, "N-1")
        shop.breakers["carrier"].force_open()
        assert (await redrive_order(thread))["processing_stage"] == "cancelling"
        await tried_too_often(shop)
        await redrive_order(thread)

        asked = []
        while view := await thread.waits_for():
            asked.append(view["action_requests"][0]["args"]["debt"])
            ended = await thread.answer(seen(view, APPROVE), DIRECTOR)

        assert asked == ["N-1/east:stop", "N-1/west:stop"]
        assert ended["processing_stage"] == "cancelled"
        assert [refund.amount for refund in await repaid(shop, "N-1")] == [123_00]
        assert set((await at_the_carrier(shop)).values()) == {"booked"}  # people saw to it, elsewhere
