"""`desk` run as from a shell, its ledger in a folder of the test."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent.client.cli import main
from agent.settings import settings


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Its one JSON document."""
        return json.loads(self.out)


Desk = Callable[..., Result]


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
