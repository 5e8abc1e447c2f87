"""The operator's overview: what is wrong and since when, numbers that are the ledger's, and the orders behind them."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.identity import ROLES, Role
from agent.ledger.database_errors import DatabaseUnavailableError
from agent.ledger.tables import (
    DebtRow,
    NotificationRow,
    OrderRow,
    PaymentRow,
    QuarantineRow,
    TicketRow,
)
from agent.observability.events import emit, listening
from agent.resilience import BreakerSnapshot, BreakerState
from agent.server import overview_routes
from agent.server.recent import MINUTES, Recent
from agent.server.wrong import Wrong, what_is_wrong
from agent.services import Services
from tests.support.chains import BILLING, OF_LARGE
from tests.support.clock import Clock
from tests.support.goods import W1001
from tests.support.orders import LARGE, SMALL, place
from tests.support.query_plans import statements_of
from tests.support.routes import Ask
from tests.support.scenes import cancel, new_order, paid
from tests.support.threads import staff
from tests.unit_tests.commerce.test_plans import explainer

OPERATOR = staff("operator")
PAGE = (Path(__file__).parents[3] / "docs" / "operations.md").read_text()


@pytest.fixture(autouse=True)
def recent(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recent]:
    """What this process has seen, of this test alone."""
    made = Recent(clock)
    monkeypatch.setattr(overview_routes, "RECENT", made)
    with listening(made.hear):
        yield made


@pytest.fixture(autouse=True)
async def _reconciled(shop: Services) -> None:
    await shop.heartbeat.record()


async def overview(ask: Ask) -> Any:
    answer = await ask("GET", "/ops/overview", OPERATOR)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def lines(ask: Ask, name: str, of: str = "", **query: int) -> list[Any]:
    answer = await ask("GET", f"/ops/lists/{name}", OPERATOR, params={"of": of} | query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["lines"])


def payment(key: str, at: datetime, **more: Any) -> PaymentRow:
    given = {"order_id": W1001, "method_id": "ada_card", "amount": 1_00, "provider": "exchange", "tries": 1}
    return PaymentRow(key=key, at=at, **given | more)


async def add(shop: Services, *rows: Any) -> None:
    await shop.database.write(lambda session: session.add_all(rows))


@pytest.mark.parametrize("role", ROLES)
async def test_it_is_for_operators(ask: Ask, role: Role) -> None:
    for path in ("overview", "lists/unknown"):
        status = (await ask("GET", f"/ops/{path}", staff(role))).status_code
        assert status == (200 if role in ("operator", "admin") else 403), path


async def test_in_a_shop_where_all_is_well_nothing_is_wrong(ask: Ask) -> None:
    await place(SMALL)
    told = await overview(ask)
    assert (told["wrong"], told["reconciler"]["state"]) == ([], "on time")
    assert told["ledger"]["hour"]["ended"] == {"completed": 1, "cancelled": 0}
    assert [each["at"] <= told["at"] for each in told["process"]["events"]] == [True] * len(told["process"]["events"])
    assert {"order.placed", "order.stage"} <= {each["event"] for each in told["process"]["events"]}


async def test_each_thing_that_is_wrong_is_a_line_with_its_age_and_the_orders_behind_it(
    shop: Services, ask: Ask, clock: Clock
) -> None:
    began = clock.now
    await place(LARGE, order_id="N-1")
    await add(
        shop,
        payment("unknown", began, outcome="unknown"),
        DebtRow(key="d", kind="refund", order_id=W1001, amount=5_00, attempts=1, next_at=began, at=began),
        TicketRow(id="tic-1", topic="billing", text="?", status="open", at=began, due_at=began, order_id=W1001),
        QuarantineRow(id="q", thread_id="t-1", order_id=W1001, node="charge", found="total: text", state={}, at=began),
        NotificationRow(
            key="n", event="order.cancelled", order_id=W1001, attempts=20, facts={}, at=began, next_at=began
        ),
    )
    shop.webhook_delivery._receivers = {"customers": None}  # type: ignore[dict-item]
    shop.breakers["carrier"].force_open()
    clock.advance(hours=9)

    told = await overview(ask)

    wrong = {each["what"]: each for each in told["wrong"]}
    late = f"1 request is late, for {OF_LARGE[0].replace('_', ' ')}"
    assert {what: each["behind"] for what, each in wrong.items()} == {
        "carrier was opened by hand: nothing is sent": None,
        "The reconciler does not run: nothing that waits goes on by itself": None,
        "1 payment is unknown: its answer was lost": "unknown",
        "1 refund has failed and is owed": "debts/refund",
        late: f"requests/{OF_LARGE[0]}",
        f"1 ticket is late, for {BILLING[0].replace('_', ' ')}": f"tickets/{BILLING[0]}",
        "1 notification is not taken": "undelivered",
        "1 thread's state was damaged in the last day": "quarantine",
    }
    assert wrong["1 payment is unknown: its answer was lost"]["since"] == began.isoformat()
    due = datetime.fromisoformat(wrong[late]["since"])
    assert began < due < clock.now
    for each in told["wrong"]:
        assert each["do"]
        page, _, section = each["docs"].partition(", Events: ")
        assert (page, f"`{section}`" in PAGE) == ("docs/operations.md", True), each
        if each["behind"]:
            name, _, of = each["behind"].partition("/")
            [line] = await lines(ask, name, of)
            assert line["order_id"] == ("N-1" if name == "requests" else W1001)


async def test_where_no_cron_is_configured_it_says_so_and_since_when_the_reconciler_has_not_run(
    shop: Services, ask: Ask, clock: Clock
) -> None:
    object.__setattr__(shop, "settings", shop.settings.model_copy(update={"reconcile_cron": ""}))
    last = clock.now
    clock.advance(minutes=4)
    assert (await overview(ask))["wrong"] == []
    clock.advance(hours=3)

    told = await overview(ask)

    [wrong] = told["wrong"]
    assert wrong["what"].startswith("The reconciler has no cron (RECONCILE_CRON is empty) and has not run")
    assert (wrong["since"], told["reconciler"]["state"]) == (last.isoformat(), "off")
    assert "desk ops reconcile" in wrong["do"]
    await shop.heartbeat.record()
    assert (await overview(ask))["wrong"] == []


async def test_an_open_breaker_is_wrong_until_a_call_finds_that_its_dependency_is_well(clock: Clock) -> None:
    def told(state: BreakerState) -> list[Wrong]:
        snapshot = BreakerSnapshot("carrier", state, 600.0, "timeout", 0.0 if state == "open" else None, {})
        nothing = {"refusal": None, "facts": None, "late": False, "has_cron": True, "shared": None}
        found = what_is_wrong(**nothing, breakers=[snapshot], recent=Recent(clock))  # type: ignore[arg-type]
        return [each for each in found if "carrier" in each["what"]]

    [wrong] = told("open")
    assert wrong["what"] == "carrier does not answer well (timeout)"
    assert "the first call after its wait probes it" in wrong["do"]
    assert told("closed") == []


async def test_orders_that_ended_and_payments_are_counted_in_their_minute_whoever_took_them(
    shop: Services, ask: Ask, clock: Clock
) -> None:
    await paid(shop, new_order())
    await cancel(shop)
    clock.advance(minutes=30)
    await place(SMALL)
    await add(
        shop,
        payment("old", clock.now - timedelta(hours=2), outcome="captured"),
        payment("no", clock.now, outcome="declined", provider=None),
    )

    hour = (await overview(ask))["ledger"]["hour"]

    assert hour["ended"] == {"completed": 1, "cancelled": 1}
    assert len(hour["ended_by_minute"]) == len(hour["payments_by_minute"]) == MINUTES
    assert [(at, count) for at, count in enumerate(hour["ended_by_minute"]) if count] == [(29, 1), (59, 1)]
    assert sum(hour["payments_by_minute"]) == 3
    by = {(each["provider"], each["outcome"]): each["count"] for each in hour["payments"]}
    assert by.pop(("gift_card", "declined")) == 1
    assert list(by.values()) == [2]
    assert [each["order_id"] for each in await lines(ask, "payments", "gift_card:declined")] == [W1001]
    assert len(await lines(ask, "payments")) == 3
    assert [each["order_id"] for each in await lines(ask, "ended", "completed")] == ["N-1"]


async def test_what_was_delivered_long_after_it_was_completed_does_not_end_again(shop: Services, clock: Clock) -> None:
    await place(SMALL)
    ended = clock.now
    clock.advance(days=3)
    view = await shop.queries.get("N-1")
    for parcel in view["parcels"]:
        await shop.commerce.delivered(parcel["id"], "ada_park", "warehouse-1")
    with shop.database.reading() as session:
        order = session.get_one(OrderRow, "N-1")
        assert (order.status, order.ended_at) == ("delivered", ended)


async def test_a_ledger_that_can_not_be_read_is_the_first_thing_that_is_wrong(
    shop: Services, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_: Any) -> Any:
        raise DatabaseUnavailableError("no connection")

    monkeypatch.setattr(shop.database, "read", away)
    told = await overview(ask)
    assert told["wrong"][0]["what"].startswith("The ledger can't be read: ")
    assert (told["ledger"], told["reconciler"]["state"]) == (None, "unknown")


async def test_failures_and_who_waits_are_kept_for_an_hour_and_no_longer(
    shop: Services, ask: Ask, clock: Clock
) -> None:
    emit("node.failed", node="charge", error="ExchangeTimeoutError", why="card of ada@example.com")
    emit("trail.broken", request_id="apr-1", found="x")
    told = await overview(ask)
    assert (told["process"]["failures"][-1], told["process"]["waiting"][-1]) == (1, 0)
    assert told["process"]["failures"][0] is None  # it had not begun
    assert [each["what"] for each in told["wrong"]] == ["A request's seal does not hold"]
    assert told["process"]["events"][1]["fields"] == {"node": "charge", "error": "ExchangeTimeoutError"}

    clock.advance(hours=1)
    await shop.heartbeat.record()
    emit("node.failed", node="ship", error="OSError")
    told = await overview(ask)
    assert (told["process"]["failures"], told["wrong"]) == ([0] * (MINUTES - 1) + [1], [])
    assert told["process"]["waiting"] == [None] * (MINUTES - 1) + [0]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("lists/secrets", 404),
        ("lists/orders?of=explode", 404),
        ("lists/orders", 404),
        ("lists/ended?of=parked", 404),
        ("lists/payments?of=captured", 404),
        ("lists/payments?of=exchange:taken", 404),
        ("lists/debts?of=refunds", 404),
        ("lists/requests?of=order_managers", 404),
        ("lists/tickets?of=billing", 404),
        ("lists/unknown?of=exchange", 404),
        ("lists/undelivered?of=customers", 404),
        ("lists/quarantine?of=charge", 404),
        ("lists/unknown?limit=101", 422),
        ("lists/unknown?offset=-1", 422),
    ],
)
async def test_a_list_that_is_not_there_says_which_are(ask: Ask, path: str, status: int) -> None:
    answer = await ask("GET", f"/ops/{path}", OPERATOR)
    assert answer.status_code == status
    assert status != 404 or " are: " in answer.text


async def test_a_list_is_given_page_by_page(shop: Services, ask: Ask, clock: Clock) -> None:
    await add(shop, *(payment(f"p{at}", clock.now + timedelta(seconds=at), outcome="unknown") for at in range(3)))
    answer = (await ask("GET", "/ops/lists/unknown", OPERATOR, params={"limit": 2})).json()
    assert (len(answer["lines"]), answer["more"]) == (2, True)
    assert [each["at"] for each in await lines(ask, "unknown", limit=2, offset=2)] == [
        (clock.now + timedelta(seconds=2)).isoformat()
    ]


LISTS = (
    "orders?of=parked", "orders?of=completed", "ended", "ended?of=cancelled", "payments",
    "payments?of=exchange:captured", "unknown", "debts", "debts?of=refund", "requests", "requests?of=order_manager",
    "tickets", "tickets?of=billing_agent", "undelivered", "quarantine",
)  # fmt: skip


async def test_nothing_that_grows_is_read_from_end_to_end(shop: Services, ask: Ask) -> None:
    """But for states that were set aside, which are counted."""
    shop.webhook_delivery._receivers = {"customers": None}  # type: ignore[dict-item]
    await place(LARGE)
    with statements_of(shop) as made:
        await overview(ask)
        for path in LISTS:
            assert (await ask("GET", f"/ops/lists/{path}", OPERATOR)).status_code == 200
        await ask("GET", "/ops/tickets?status=closed", OPERATOR)
    assert len(made) > 20
    with explainer(shop.settings.ledger_url) as scanned:
        found = {statement: tables for statement, given in made if (tables := scanned(statement, given))}
    assert {frozenset(each) for each in found.values()} <= {frozenset({"quarantine"})}, found
