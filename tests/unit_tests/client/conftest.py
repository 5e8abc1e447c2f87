"""A stub server, and `desk` run against it as from a shell."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from agent.client import outage
from agent.client.cli import main
from tests.support.desk import Desk, Result
from tests.unit_tests.client.stub import Stub, serve


@pytest.fixture(autouse=True)
def _short_outages(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server here is away for a moment at most."""
    for name, seconds in {"PATIENCE": 2.0, "SETTLING": 0.3, "LOOK_EVERY": 0.02}.items():
        monkeypatch.setattr(outage, name, seconds)


@pytest.fixture(scope="session")
def _served() -> Iterator[Stub]:
    stub = Stub()
    stop = serve(stub)
    yield stub
    stop()


@pytest.fixture
def stub(_served: Stub) -> Stub:
    """The server, with nothing scripted yet."""
    _served.calls.clear()
    _served.scripts.clear()
    return _served


@pytest.fixture
def desk(stub: Stub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    """Run one command line against the stub; a tokens file with a few roles is in place."""
    tokens = tmp_path / "tokens.json"
    roles = ("channel", "operator", "order_manager")
    tokens.write_text(json.dumps({role: {"token": f"{role}-token", "identity": role} for role in roles}))
    monkeypatch.setenv("DESK_URL", stub.url)
    monkeypatch.setenv("TOKENS_FILE", str(tokens))
    monkeypatch.delenv("DESK_TOKEN", raising=False)

    def run(*arguments: str, stdin: bytes = b"") -> Result:
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(stdin)))
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        streams = capsys.readouterr()
        return Result(int(ended.value.code or 0), streams.out, streams.err)

    return run
