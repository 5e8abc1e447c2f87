"""`desk customers`: what refuses, what a cut leaves, what comes back, and who is told. The platform is a stub.

That nothing personal is left on a live server is for the integration tests.
"""

import asyncio
import json
import shutil
import sqlite3
from collections.abc import Callable, Coroutine
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph_sdk.errors import NotFoundError

from agent.admin import customers
from agent.client.connection import ExitCode
from agent.services import Services, build
from agent.settings import Settings
from agent.tokens import TokensError
from tests.support.desk import Desk
from tests.support.goods import goods
from tests.support.scenes import Scene, awaiting, cancel, new_order, paid, parked, placed
from tests.support.threads import events

WHO = "jonas_weber"
FREE = "iris_tanaka"
"""A customer without anything open."""


class Platform:
    """Threads, each with its customer in its state; as the server's API gives them."""

    def __init__(self) -> None:
        self.threads: dict[str, dict[str, Any]] = {}
        self.away = False
        self.client = SimpleNamespace(threads=self)

    def add(self, thread_id: str, customer_id: str, status: str = "idle") -> None:
        said = {"customer_id": customer_id, "messages": [{"content": "of my aunt Berta"}]}
        self.threads[thread_id] = {"thread_id": thread_id, "status": status, "values": said}

    async def __aenter__(self) -> Any:
        return self.client

    async def __aexit__(self, *_: object) -> None:
        """Nothing to close."""

    async def search(self, *, values: Any, offset: int, limit: int, **_: Any) -> list[dict[str, Any]]:
        if self.away:
            raise httpx.ConnectError("nobody listens")
        theirs = [each for each in self.threads.values() if values and values.items() <= each["values"].items()]
        return theirs[offset : offset + limit]

    async def get(self, thread_id: str) -> dict[str, Any]:
        if thread_id not in self.threads:
            gone = httpx.Response(404, request=httpx.Request("GET", "http://desk"))
            raise NotFoundError("gone", response=gone, body=None)
        return self.threads[thread_id]

    async def delete(self, thread_id: str) -> None:
        del self.threads[thread_id]


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Platform:
    stub = Platform()

    async def client(_: Settings) -> Any:
        return stub

    monkeypatch.setattr(customers, "service_client", client)
    return stub


@pytest.fixture
def on_ledger(data: Path, demo_shop: Settings, platform: Platform) -> Callable[..., Any]:
    """Do something with the shop's services, on the ledger that `desk` works on."""
    shutil.copytree(demo_shop.data_dir, data)

    def run(act: Callable[[Services], Coroutine[Any, Any, Any]]) -> Any:
        async def whole() -> Any:
            shop = await build(demo_shop.model_copy(update={"data_dir": data}))
            try:
                return await act(shop)
            finally:
                await shop.close()

        return asyncio.run(whole())

    return run


def row(data: Path, query: str, *of: str) -> Any:
    with closing(sqlite3.connect(data / "ledger.db")) as ledger:
        return ledger.execute(query, of).fetchone()


def test_one_without_anything_open_is_forgotten_once(
    desk: Desk, on_ledger: Any, platform: Platform, data: Path
) -> None:
    platform.add("0a21e2b6-6e53-5590-92a6-b9e1a245af8e", FREE)
    platform.add("1a21e2b6-6e53-5590-92a6-b9e1a245af8e", WHO)
    before = events("customer.forgotten")

    told = desk("customers", "forget", FREE, "--yes", "--json")
    again = desk("customers", "forget", FREE, "--yes", "--json")

    assert told.code == 0, told.err
    assert (told.document["threads"], told.document["again"]) == (1, False)
    assert (again.document["threads"], again.document["again"]) == (0, True)
    assert list(platform.threads) == ["1a21e2b6-6e53-5590-92a6-b9e1a245af8e"]
    assert events("customer.forgotten") == before + 1
    kept = row(data, "SELECT first_name, email, address FROM customers WHERE id = ?", FREE)
    assert kept == ("(erased)", f"(erased) {FREE}", "{}")
    assert row(data, "SELECT count(*) FROM effects WHERE name = 'ForgetCustomer' AND subject = ?", FREE) == (1,)
    assert (data / "forgotten.json").stat().st_mode & 0o777 == 0o600
    assert desk("db", "check").code == desk("audit", "verify").code == 0


async def keep_thread(file: Path, thread_id: str, **metadata: str) -> None:
    """As `desk serve` keeps it; its server has been killed since, and knows nothing of it."""
    async with AsyncSqliteSaver.from_conn_string(str(file)) as saver:
        of: Any = {"configurable": {"thread_id": thread_id, "checkpoint_ns": ""}}
        said: Any = {**empty_checkpoint(), "channel_values": {"words": "of my aunt Berta"}}
        await saver.aput_writes(await saver.aput(of, said, metadata, {}), [("words", "of my aunt Berta")], "task")  # type: ignore[arg-type]


def test_threads_on_disk_that_no_server_knows_are_erased_too(desk: Desk, on_ledger: Any, data: Path) -> None:
    file = data / "threads.db"
    asyncio.run(keep_thread(file, "theirs", customer_id=FREE))
    asyncio.run(keep_thread(file, "another's", customer_id=WHO))

    assert desk("customers", "forget", FREE, "--yes").code == 0

    with closing(sqlite3.connect(file)) as connection:
        for kept in ("checkpoints", "writes"):
            assert connection.execute(f"SELECT DISTINCT thread_id FROM {kept}").fetchall() == [("another's",)]  # noqa: S608
    assert file.read_bytes().count(b"of my aunt Berta") == 2


def test_the_id_is_confirmed_by_whoever_sits_there(
    desk: Desk, on_ledger: Any, monkeypatch: pytest.MonkeyPatch, data: Path
) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    for said, code in (("another", ExitCode.USAGE), (FREE, 0)):
        monkeypatch.setattr("typer.prompt", lambda *_, said=said, **__: said)
        assert desk("customers", "forget", FREE).code == code
        assert (data / "forgotten.json").exists() is (code == 0)


def test_what_is_left_on_a_gift_card_is_said_before(desk: Desk, on_ledger: Any) -> None:
    told = desk("customers", "forget", FREE, "--yes")
    assert "on gift card iris_gift is given up with it" in told.err


@pytest.mark.parametrize("verb", [("forget", "--yes"), ("export", "file.json")])
def test_nobody_is_not_found_and_a_server_that_is_away_leaves_all_as_it_was(  # noqa: PLR0917
    desk: Desk, on_ledger: Any, platform: Platform, data: Path, verb: tuple[str, str], tmp_path: Path
) -> None:
    arguments = [str(tmp_path / each) if each.endswith("json") else each for each in verb[1:]]
    assert desk("customers", verb[0], "nobody", *arguments).code == ExitCode.NOT_FOUND
    platform.away = True
    assert desk("customers", verb[0], FREE, *arguments).code == ExitCode.UNREACHABLE
    assert row(data, "SELECT forgotten_at FROM customers WHERE id = ?", FREE) == (None,)
    assert not (tmp_path / "file.json").exists()
    assert not (data / "forgotten.json").exists()


def test_without_a_token_of_the_service_account_nothing_is_done(
    desk: Desk, on_ledger: Any, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nobody(_: Settings) -> Any:
        raise TokensError("tokens.json has no token of role service: add one")

    monkeypatch.setattr(customers, "service_client", nobody)
    refused = desk("customers", "forget", FREE, "--yes")
    assert (refused.code, "SERVICE_TOKEN" in refused.err) == (ExitCode.USAGE, True)


CUTS = (
    "agent.admin.erasure.erase",
    "agent.admin.forgotten.Forgotten.add",
    "agent.admin.customers._delete",
    "agent.admin.customers.compact",
)


@pytest.mark.parametrize("cut", CUTS)
def test_cut_at_any_point_it_is_given_again(  # noqa: PLR0917
    desk: Desk, on_ledger: Any, platform: Platform, data: Path, cut: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform.add("0a21e2b6-6e53-5590-92a6-b9e1a245af8e", FREE)

    def killed(*_: object) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(cut, killed)
        with pytest.raises(KeyboardInterrupt):
            customers.forget(FREE, yes=True, url=None, as_json=False)
    assert desk("customers", "forget", FREE, "--yes").code == 0
    assert FREE in json.loads((data / "forgotten.json").read_text())
    assert platform.threads == {}
    assert row(data, "SELECT first_name FROM customers WHERE id = ?", FREE) == ("(erased)",)


def test_a_thread_at_work_is_waited_for_and_then_said(
    desk: Desk, on_ledger: Any, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(customers, "TRIES", 2)
    platform.add("0a21e2b6-6e53-5590-92a6-b9e1a245af8e", FREE, status="busy")
    refused = desk("customers", "forget", FREE, "--yes")
    assert (refused.code, "give the command again" in refused.err) == (ExitCode.REFUSED, True)
    platform.add("0a21e2b6-6e53-5590-92a6-b9e1a245af8e", FREE)
    assert desk("customers", "forget", FREE, "--yes").code == 0


@pytest.mark.parametrize("scene", [placed, parked, awaiting, paid])
def test_an_open_order_is_in_the_way(desk: Desk, on_ledger: Any, data: Path, scene: Scene) -> None:
    on_ledger(lambda shop: scene(shop, new_order(customer=FREE, method="iris_card")))
    refused = desk("customers", "forget", FREE, "--yes", "--json")
    assert refused.code == ExitCode.REFUSED
    [stage] = row(data, "SELECT stage FROM orders WHERE id = 'A-1'")
    assert {"what": f"order A-1 is {stage}", "how": "desk debug A-1"} in refused.document["first"]
    assert not (data / "forgotten.json").exists()


def test_a_debt_is_in_the_way_until_it_is_settled(desk: Desk, on_ledger: Any) -> None:
    async def owe(shop: Services) -> None:
        await paid(shop, new_order(customer=FREE, method="iris_card"))
        await cancel(shop, subject=FREE)

    on_ledger(owe)
    assert "debt A-1" in str(desk("customers", "forget", FREE, "--yes", "--json").document["first"])
    on_ledger(lambda shop: shop.debts.settle())
    assert desk("customers", "forget", FREE, "--yes").code == 0


def test_a_key_of_another_server_proves_nothing_and_nothing_is_erased(
    desk: Desk, on_ledger: Any, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def decided(shop: Services) -> None:
        await awaiting(shop, new_order(customer=FREE, method="iris_card"))
        await cancel(shop, subject=FREE)

    on_ledger(decided)
    monkeypatch.setenv("TRAIL_KEY", "another server's")
    refused = desk("customers", "forget", FREE, "--yes")
    assert (refused.code, "TRAIL_KEY" in refused.err) == (ExitCode.REFUSED, True)
    assert not (data / "forgotten.json").exists()
    assert row(data, "SELECT first_name FROM customers WHERE id = ?", FREE) != ("(erased)",)
    monkeypatch.delenv("TRAIL_KEY")
    assert desk("customers", "forget", FREE, "--yes").code == 0
    assert desk("audit", "verify").code == 0


def test_a_later_import_does_not_bring_them_back_unseen(desk: Desk, on_ledger: Any, data: Path, tmp_path: Path) -> None:
    assert desk("customers", "forget", FREE, "--yes").code == 0
    for kept in data.glob("ledger.db*"):
        kept.unlink()
    assert desk("db", "upgrade", "--anew").code == 0
    file = tmp_path / "shop.json"
    file.write_text(goods().model_dump_json())

    refused = desk("import", file)
    taken = desk("import", file, "--again")

    assert (refused.code, FREE in refused.err) == (ExitCode.REFUSED, True)
    assert taken.code == 0, taken.err
    assert json.loads((data / "forgotten.json").read_text()) == {}


def test_a_backup_of_before_brings_them_back_and_that_is_said(desk: Desk, on_ledger: Any, tmp_path: Path) -> None:
    backup = tmp_path / "before.db"
    assert desk("db", "backup", backup).code == 0
    assert desk("customers", "forget", FREE, "--yes").code == 0
    assert desk("db", "restore", backup, "--force", "--json").document["back_again"] == [FREE]
    assert desk("customers", "forget", FREE, "--yes").code == 0
    after = tmp_path / "after.db"
    assert desk("db", "backup", after).code == 0
    assert desk("db", "restore", after, "--force", "--json").document["back_again"] == []


def test_a_list_of_another_form_is_said_and_nothing_is_erased(desk: Desk, on_ledger: Any, data: Path) -> None:
    (data / "forgotten.json").write_text("[1]")
    refused = desk("customers", "forget", FREE, "--yes")
    assert (refused.code, "no list of who was forgotten" in refused.err) == (ExitCode.USAGE, True)
    assert row(data, "SELECT forgotten_at FROM customers WHERE id = ?", FREE) == (None,)
