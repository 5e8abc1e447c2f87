"""`desk` run as from a shell, its ledger in a folder of the test."""

from pathlib import Path

import pytest

from agent.client.cli import main
from agent.settings import settings
from tests.support.desk import Desk, Result


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Where the ledger is."""
    return tmp_path / "data"


@pytest.fixture
def desk(data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    """Run one command line."""
    monkeypatch.setenv("DATA_DIR", str(data))

    def run(*arguments: str | Path) -> Result:
        settings.cache_clear()
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        settings.cache_clear()
        streams = capsys.readouterr()
        return Result(int(ended.value.code or 0), streams.out, streams.err)

    return run
