"""Orders of the demo shop, on a ledger and a card network of their own."""

import shutil
from pathlib import Path

import pytest

from agent.settings import Settings


@pytest.fixture
def config(config: Settings, demo_data: Path) -> Settings:
    """The demo shop is there already, so that its import is not waited for each time."""
    shutil.copytree(demo_data, config.data_dir)
    return config
