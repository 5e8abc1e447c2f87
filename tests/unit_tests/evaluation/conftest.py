"""`desk eval` and `desk classify` as from a shell, in this process, with nothing set that the outside has set."""

import os
from pathlib import Path

import pytest
import structlog

from agent.client.cli import main
from agent.settings import settings
from tests.support.desk import Desk, Result

SHOPS = ("home", "market")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    """Run one command line."""
    monkeypatch.setenv("SHOP_DIR", os.environ.get("SHOP_DIR", ""))  # as it is, and so again afterwards
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    for name in ("OPENAI_API_KEY", "LANGSMITH_API_KEY", "LANGCHAIN_API_KEY", "LANGSMITH_TRACING"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str | Path) -> Result:
        settings.cache_clear()
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        settings.cache_clear()
        structlog.reset_defaults()
        streams = capsys.readouterr()
        return Result(int(ended.value.code or 0), streams.out, streams.err)

    return run
