"""A shop of one test: an own ledger, an own card network, a clock that the test moves, no server."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path

import pytest
from langgraph_sdk.client import LangGraphClient

from agent import services as composition
from agent.approvals import index
from agent.commerce.shop_import import import_shop
from agent.ledger import engines
from agent.node_policies import BUDGETS
from agent.observability import events
from agent.services import Services
from agent.settings import Settings
from tests.support.clock import Clock
from tests.support.goods import goods
from tests.support.ledgers import engine_with_shared_statements, home
from tests.support.platform_stub import Platform


@pytest.fixture(scope="session", autouse=True)
def _statements_are_compiled_once() -> Iterator[None]:
    """And not once a test, which was a third of the time of those with a ledger."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engines, "create_engine", engine_with_shared_statements)
        yield


@pytest.fixture(autouse=True)
def _events_are_logged_where_the_test_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """And not by the logger that an earlier test had configured."""
    monkeypatch.setattr(events, "_kept", None)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger_url(tmp_path: Path) -> Iterator[str]:
    """A ledger of the test's own, with nothing in it."""
    with home(tmp_path / "ledger") as made:
        yield made.ledger_url


@pytest.fixture
def config(tmp_path: Path, demo_shop: Settings) -> Iterator[Settings]:
    """The goods are there already, so that their import is not waited for each time."""
    with home(tmp_path / "data", demo_shop, tokens_file=tmp_path / "tokens.json") as made:
        yield made


@pytest.fixture
async def shop(config: Settings, clock: Clock, indexed: Platform) -> AsyncIterator[Services]:
    """The demo shop, in place of the process's services. `indexed` is there, or it would look for a server."""
    built = await composition.build(config, clock)
    composition.replace(built)
    for budget in BUDGETS.values():  # a process's: the tests before this one had theirs
        budget._left = budget._most
    yield built
    composition.replace(None)
    await built.close()


@pytest.fixture
async def indexed(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Platform]:
    """The platform on whose threads it is written what they wait for."""
    built = Platform()

    async def client(_: Settings) -> AbstractAsyncContextManager[LangGraphClient]:
        return nullcontext(built.client)

    monkeypatch.setattr(index, "service_client", client)
    yield built
    await built.client.aclose()


@pytest.fixture(scope="session")
def demo_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A shop with the goods of tests: with a copy of its data, a test's shop need not import them."""

    async def fill(config: Settings) -> None:
        built = await composition.build(config, Clock())
        await import_shop(built.database, built.providers.past, goods(), pay_again=True)
        await built.close()

    with home(tmp_path_factory.mktemp("demo"), seed_shop=False) as config:
        asyncio.run(fill(config))
        yield config.model_copy(update={"seed_shop": True, "sandbox_slow_seconds": 0.05, "payment_timeout_seconds": 30})
