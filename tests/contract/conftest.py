"""Whose adapter the contract is run against: ours, unless `--payment-provider` names another."""

from collections.abc import AsyncIterator
from pathlib import Path
from pkgutil import resolve_name

import pytest

from tests.contract.world import World
from tests.contract.worlds import OURS


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--payment-provider",
        metavar="MODULE:WORLD",
        help="run the contract against this provider alone: an async context manager that takes an empty folder and "
        "gives a tests.contract.world.World, such as tests.contract.worlds:card_api",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "world" in metafunc.fixturenames:
        named = metafunc.config.getoption("payment_provider", None)
        try:
            worlds = [resolve_name(named)] if named else OURS
        except (ImportError, AttributeError, ValueError) as error:
            raise pytest.UsageError(f"--payment-provider={named}: {error}") from error
        metafunc.parametrize("world", worlds, indirect=True, ids=lambda made: made.__name__)


@pytest.fixture
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    async with request.param(tmp_path) as made:
        yield made
