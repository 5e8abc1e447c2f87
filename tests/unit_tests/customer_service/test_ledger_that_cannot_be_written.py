"""The ledger's disk is full, or read-only: what needs no write is answered, and the rest is told, with nothing done."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import event

from agent.customer_service.reply_templates import SAYINGS
from agent.ledger.database_errors import DatabaseUnavailableError
from agent.ledger.engines import ledger_file
from agent.services import Services
from agent.settings import Settings
from tests.support.conversations import ADA, conversation, say
from tests.support.goods import W1001, W1002
from tests.support.orders import SMALL, place
from tests.support.routes import Ask, asking, beside_a_stub
from tests.support.scenes import dump
from tests.support.threads import events, staff

READ_ONLY = "PRAGMA query_only = ON"
FULL = "PRAGMA max_page_count = 1"  # SQLite's own limit: it may not grow by a page


@pytest.fixture
def config(config: Settings) -> Settings:
    if config.database_url:
        pytest.skip("how a disk is full is the embedded ledger's to say")
    return config


@pytest.fixture
async def ask(shop: Services, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Ask]:
    """Send a request to the custom routes as somebody."""
    beside_a_stub(monkeypatch)
    async with asking() as send:
        yield send


@pytest.fixture
def spoil(shop: Services) -> Iterator[Callable[[str], None]]:
    """From now on each connection of the ledger has this pragma."""
    spoiled: list[Callable[..., None]] = []

    def begin(pragma: str) -> None:
        def on_connect(connection: Any, _: Any) -> None:
            connection.execute(pragma)

        spoiled.append(on_connect)
        event.listen(shop.database._engine, "connect", on_connect)
        shop.database._engine.dispose()

    yield begin
    for each in spoiled:
        event.remove(shop.database._engine, "connect", each)
    shop.database._engine.dispose()


@pytest.mark.parametrize(
    ("question", "answer"),
    [(f"where is {W1001}?", "delivered"), ("How do I return something?", ""), ("where is my order?", W1002)],
)
async def test_what_needs_no_write_is_answered(
    shop: Services, spoil: Callable[[str], None], question: str, answer: str
) -> None:
    as_ever = await say(conversation("before"), question)
    spoil(READ_ONLY)
    before = events("ledger.unusable")

    told = await say(conversation("after"), question)

    assert told == as_ever
    assert answer in told
    assert events("ledger.unusable") > before  # that this conversation was heard could not be noted


@pytest.mark.parametrize("wish", [f"cancel {W1002}, no longer needed", f"refund 60.00 of {W1001}"])
async def test_a_change_is_not_made_and_waits_for_another_yes(
    shop: Services, spoil: Callable[[str], None], wish: str
) -> None:
    thread = conversation()
    await say(thread, wish)
    before = await dump(shop)
    spoil(READ_ONLY)

    assert SAYINGS["not_now"] in await say(thread, "yes")

    assert await dump(shop) == before


async def test_a_cancel_over_http_is_503_with_its_cause_and_health_says_so(
    shop: Services,
    spoil: Callable[[str], None],
    ask: Ask,
) -> None:
    spoil(READ_ONLY)

    refused = await ask("POST", f"/ops/orders/{W1002}/cancel", ADA, json={"reason": "no longer needed"})

    assert refused.status_code == 503
    assert refused.json()["detail"] == (
        "the ledger's database can't be used now: its file or folder is read-only "
        "(attempt to write a readonly database)"
    )
    assert (await ask("GET", f"/ops/orders/{W1002}", ADA)).json()["status"] == "pending"
    health, ready = (await ask("GET", "/ops/health")), await ask("GET", "/ops/ready")
    assert (health.status_code, health.json()["status"], ready.status_code) == (200, "read-only", 503)
    assert "its file or folder is read-only" in health.json()["why"]
    assert "its file or folder is read-only" in ready.json()["why"]


async def test_a_full_disk_is_named(shop: Services, spoil: Callable[[str], None], ask: Ask) -> None:
    def fill(session: Any) -> None:
        session.connection().exec_driver_sql("CREATE TABLE filler AS SELECT randomblob(100000) AS noise")

    spoil(FULL)
    with pytest.raises(Exception, match="its disk is full"):
        await shop.database.write(fill)


async def test_a_disk_that_is_nearly_full_is_not_ready(
    shop: Services,
    monkeypatch: pytest.MonkeyPatch,
    ask: Ask,
) -> None:
    assert (await ask("GET", "/ops/ready")).json() == {"status": "ready"}
    monkeypatch.setattr("agent.ledger.readiness.LEAST_FREE_BYTES", 2**62)
    shop.readiness._began = -100.0

    assert (await ask("GET", "/ops/ready")).json()["why"].startswith("the ledger's disk is full")


@pytest.mark.parametrize("gone", ["file", "folder"])
async def test_a_ledger_whose_file_is_gone_takes_nothing_until_it_is_put_back(
    shop: Services, ask: Ask, gone: str
) -> None:
    before = await dump(shop, "heartbeats")
    assert (await ask("GET", "/ops/ready")).json() == {"status": "ready"}
    file = ledger_file(shop.settings.ledger_url)
    assert file
    taken = file if gone == "file" else file.parent
    away = taken.rename(taken.with_name("away"))
    shop.readiness._began = -100.0

    assert "is not in its folder" in (await ask("GET", "/ops/ready")).json()["why"]
    told = (await ask("GET", "/ops/overview", staff("operator"))).json()
    assert "is not in its folder" in told["wrong"][0]["what"]
    refused = await ask("POST", f"/ops/orders/{W1002}/cancel", ADA, json={"reason": "no longer needed"})
    assert (refused.status_code, f"its file {file.name} is not in its folder" in refused.text) == (503, True)
    with pytest.raises(DatabaseUnavailableError, match=f"its file {file.name} is not in its folder"):
        await place(SMALL)
    assert not file.exists()

    away.rename(taken)
    shop.readiness._began = -100.0
    assert (await ask("GET", "/ops/ready")).json() == {"status": "ready"}
    assert await dump(shop, "heartbeats") == before
    _, values = await place(SMALL)
    assert values["processing_stage"] == "completed"


async def test_however_many_ask_the_ledger_writes_once(shop: Services, ask: Ask) -> None:
    writes: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if "heartbeats" in statement and not statement.startswith("SELECT"):
            writes.append(statement)

    event.listen(shop.database._engine, "before_cursor_execute", note)
    for _ in range(20):
        assert (await ask("GET", "/ops/ready", staff("customer"))).status_code == 200
    event.remove(shop.database._engine, "before_cursor_execute", note)

    assert len(writes) == 1
