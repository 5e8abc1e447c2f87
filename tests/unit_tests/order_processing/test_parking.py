"""Orders that must wait for something that is broken, and are taken on again."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from agent import services as composition
from agent.commerce import fulfilment
from agent.commerce.commands import NewOrder
from agent.commerce.fulfilment import Fulfilment
from agent.commerce.orders import Orders
from agent.ledger.tables import OrderRow, ParcelRow, PaymentRow
from agent.order_processing import nodes
from agent.providers.factory import guarded
from agent.providers.payment import Charge, PaymentUnknownError
from agent.providers.sandbox import SandboxProvider
from agent.resilience import CircuitBreaker
from agent.services import Services
from tests.support.clock import Clock
from tests.support.commands import cancel_order, place_order
from tests.support.orders import SMALL, charges, order, place, redrive_order, stock, thread_of
from tests.support.outside import at_providers, only
from tests.support.scenes import lost, wire
from tests.support.threads import events


async def test_while_the_provider_is_down_an_order_is_parked_and_nothing_is_undone(shop: Services) -> None:
    before = await stock(shop)
    shop.breakers["payment"].force_open()

    _, ended = await place(SMALL)

    assert (ended["processing_stage"], ended["payment_status"], ended["denial"]) == ("parked", "deferred", None)
    assert ended["error_count"] == 1
    view = await shop.queries.get("N-1")
    assert (view["stage"], view["status"]) == ("parked", "pending")
    assert (await stock(shop))["MUG-BLUE"][1] == before["MUG-BLUE"][1] + 2
    assert [order["id"] for order in await shop.queries.unfinished(stale_seconds=120)] == ["N-1"]


async def test_while_the_provider_is_known_to_be_down_nobody_is_noted_as_asked(shop: Services) -> None:
    shop.breakers["payment"].force_open()
    await place(SMALL)

    with shop.database.reading() as session:
        [payment] = session.scalars(select(PaymentRow).where(PaymentRow.order_id == "N-1")).all()
    assert (payment.outcome, payment.provider, payment.attempts_sent) == ("open", None, 0)


async def test_a_parked_order_is_taken_on_and_charged_once(shop: Services) -> None:
    shop.breakers["payment"].force_open()
    thread, _ = await place(SMALL)
    assert (await redrive_order(thread))["processing_stage"] == "parked"
    shop.breakers["payment"].reset()

    ended = await redrive_order(thread)

    assert (ended["processing_stage"], ended["payment_status"]) == ("completed", "captured")
    assert (await redrive_order(thread))["processing_stage"] == "completed"
    assert len(await charges(shop)) == 1


async def test_a_parked_order_whose_thread_is_lost_is_taken_on_by_another(shop: Services) -> None:
    shop.breakers["payment"].force_open()
    await place(SMALL)
    shop.breakers["payment"].reset()

    assert (await redrive_order(thread_of()))["processing_stage"] == "completed"
    assert len(await charges(shop)) == 1


async def test_an_answer_that_is_lost_is_looked_up_and_not_asked_for_again(shop: Services) -> None:
    with wire(shop.providers.clients[0], response=only("/charges", lost)):
        _, ended = await place({"MUG-BLUE": 1})

    assert (ended["processing_stage"], ended["retry_count"]) == ("completed", 1)
    assert len(await charges(shop)) == 1


@pytest.fixture
def answer_lost(shop: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next capture is made, its answer never comes, and then the provider is away."""
    capture = SandboxProvider.capture

    async def lose(provider: SandboxProvider, *asked: Any) -> Charge:
        await capture(provider, *asked)
        shop.breakers["payment"].force_open()
        raise PaymentUnknownError("no answer")

    monkeypatch.setattr(SandboxProvider, "capture", lose)


@pytest.mark.usefixtures("answer_lost")
async def test_an_unknown_payment_is_parked_and_then_found(shop: Services) -> None:
    thread, parked = await place(SMALL)
    assert (parked["processing_stage"], parked["payment_status"]) == ("parked", "unknown")
    shop.breakers["payment"].reset()

    ended = await redrive_order(thread)

    assert (ended["processing_stage"], ended["payment_status"]) == ("completed", "captured")
    assert len(await charges(shop)) == 1


@pytest.mark.usefixtures("answer_lost")
async def test_a_cancelled_order_waits_for_the_fate_of_its_payment_and_then_gives_it_back(
    shop: Services, clock: Clock
) -> None:
    thread, _ = await place(SMALL)
    await cancel_order(shop, "N-1", reason="no longer needed", subject="ada_park", key="plan:1")

    assert (await redrive_order(thread))["processing_stage"] == "cancelling"
    assert [order["id"] for order in await shop.queries.unfinished(stale_seconds=120)] == ["N-1"]
    shop.breakers["payment"].reset()
    clock.advance(minutes=2)  # the debt is not tried again at once

    ended = await redrive_order(thread)

    assert (ended["processing_stage"], ended["denial"]["rule"]) == ("cancelled", "CUSTOMER-CANCELLED")
    refunds = (await shop.providers.clients[0].get("/charges")).json()["refunds"]
    assert [refund["amount"] for refund in refunds if refund["key"].startswith("N-1")] == [123_00]


def fails_once_for(method: Any, which: object) -> Any:
    """The method, which raises when it is first asked about this line or parcel, its last argument."""
    left = [which]

    async def asked(self: Any, *args: Any) -> Any:
        if left == [args[-1]]:
            left.clear()
            raise RuntimeError("broken")
        return await method(self, *args)

    return asked


async def test_a_line_that_could_not_be_looked_at_parks_the_order_with_the_other_lines_held(
    shop: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await stock(shop)
    monkeypatch.setattr(Orders, "reserve_line", fails_once_for(Orders.reserve_line, 2))

    thread, ended = await place(SMALL)

    assert (ended["processing_stage"], ended["error_count"]) == ("placed", 1)
    assert (await stock(shop))["MUG-BLUE"][1] == before["MUG-BLUE"][1] + 2
    assert (await redrive_order(thread))["processing_stage"] == "completed"
    assert (await stock(shop))["MUG-BLUE"] == (before["MUG-BLUE"][0] - 2, before["MUG-BLUE"][1])


async def test_what_was_left_lying_is_found_when_it_is_stale(shop: Services, clock: Clock) -> None:
    await place_order(shop, NewOrder.model_validate(order(SMALL)["order"]), actor="ada_park")
    assert await shop.queries.unfinished(stale_seconds=120) == []
    clock.advance(seconds=121)

    (left,) = await shop.queries.unfinished(stale_seconds=120)
    ended = await redrive_order(thread_of(), left["id"])

    assert ended["processing_stage"] == "completed"


async def test_a_parcel_that_could_not_leave_parks_the_order_and_is_the_only_one_tried_again(
    shop: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, leave = ["N-1/west"], fulfilment.leave

    def leave_or_break(session: Session, order: OrderRow, parcel: ParcelRow, *more: Any) -> None:
        if parcel.id in broken:
            broken.remove(parcel.id)
            raise RuntimeError("broken")
        leave(session, order, parcel, *more)

    monkeypatch.setattr(fulfilment, "leave", leave_or_break)

    thread, ended = await place(SMALL)

    assert (ended["processing_stage"], ended["payment_status"]) == ("paid", "captured")
    assert {p["warehouse"]: p["state"] for p in (await shop.queries.get("N-1"))["parcels"]} == {
        "east": "handed_over",
        "west": "booked",
    }
    assert (await redrive_order(thread))["processing_stage"] == "completed"
    assert len(await charges(shop)) == 1


@pytest.mark.parametrize(
    ("room", "step", "stage"),
    [
        (Orders, "reserve_line", "placed"),
        (nodes, "move_on", "placed"),
        (Fulfilment, "book", "paid"),
        (Fulfilment, "join", "paid"),
    ],
)
async def test_an_order_whose_every_branch_or_next_step_fails_is_parked_too(
    shop: Services, monkeypatch: pytest.MonkeyPatch, room: object, step: str, stage: str
) -> None:
    parked = events("order.parked")
    with monkeypatch.context() as broken:
        broken.setattr(room, step, always_fails)
        thread, ended = await place({"MUG-BLUE": 1})

    assert (ended["processing_stage"], events("order.parked")) == (stage, parked + 1)
    assert (await redrive_order(thread))["processing_stage"] == "completed"


def always_fails(*_: Any, **__: Any) -> Any:
    raise RuntimeError("broken")


async def test_each_failure_of_a_node_is_counted_as_an_event(shop: Services) -> None:
    failed, parked = events("node.failed"), events("order.parked")
    shop.breakers["payment"].force_open()

    await place(SMALL)

    assert (events("node.failed"), events("order.parked")) == (failed + 1, parked + 1)


def turning_away(shop: Services, retry_after: float) -> SandboxProvider:
    """The card network, which turns the first request away until a time that it names."""
    asked: list[str] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        if len(asked) == 1:
            return httpx.Response(429, headers={"retry-after": str(retry_after)})
        network, path = shop.providers.clients[0], request.url.path
        return await network.request(request.method, path, headers=request.headers, content=request.content)

    client = httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://sandbox")
    return SandboxProvider(guarded(client, CircuitBreaker("busy-network"), seconds=30), timeout=60)


async def test_a_provider_that_names_a_time_is_asked_again_then(shop: Services) -> None:
    composition.replace(at_providers(shop, turning_away(shop, retry_after=0.2)))

    _, ended = await place(SMALL)

    assert (ended["processing_stage"], ended["payment_status"]) == ("completed", "captured")
    assert len(await charges(shop)) == 1


async def test_a_time_that_is_too_far_away_is_not_waited_for(shop: Services) -> None:
    composition.replace(at_providers(shop, turning_away(shop, retry_after=3600)))

    thread, ended = await place(SMALL)

    assert (ended["processing_stage"], ended["payment_status"]) == ("parked", "deferred")
    assert (await redrive_order(thread))["processing_stage"] == "parked"
    assert await charges(shop) == []
