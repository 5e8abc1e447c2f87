"""`desk serve` hands over to the platform's own server, which hears the signals itself."""

import os
import socket
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from agent.admin import serve
from agent.client.connection import DeskError, ExitCode
from agent.settings import Settings


def handed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *arguments: str, **given: Any) -> Any:
    """What `desk serve` becomes: program, arguments, environment."""
    became: list[Any] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(serve, "settings", lambda: Settings(**given))
    monkeypatch.setattr(os, "execve", lambda *what: became.append(what))
    result = CliRunner().invoke(serve.serve_app, [*arguments])
    return became[0] if became else result


def test_it_serves_with_the_config_that_keeps_everything_and_as_many_runs_as_are_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / serve.CONFIG).write_text("{}")
    (tmp_path / ".env").write_text("FROM_THE_FILE=1\nHOME_OF=file\n")
    monkeypatch.setenv("HOME_OF", "environment")

    program, arguments, environment = handed_over(
        monkeypatch, tmp_path, "--port", "2999", jobs_per_worker=3, data_dir=tmp_path / "data"
    )

    assert program == arguments[0]
    assert Path(program).name == "langgraph"
    assert arguments[1:] == [
        "dev", "--config", "langgraph.serve.json", "--no-browser", "--no-reload",
        "--host", "127.0.0.1", "--port", "2999", "--n-jobs-per-worker", "3",
    ]  # fmt: skip
    assert environment["NODE_CACHE_FILE"] == str(tmp_path / "data" / "node_cache.db")
    assert (environment["FROM_THE_FILE"], environment["HOME_OF"]) == ("1", "environment")


def test_elsewhere_than_in_the_project_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    refused = handed_over(monkeypatch, tmp_path)
    assert refused.exit_code != 0
    assert "langgraph.serve.json" in str(refused.exception) + refused.output


def test_a_port_that_is_taken_is_refused_where_langgraph_would_take_another_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / serve.CONFIG).write_text("{}")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])

        refused = handed_over(monkeypatch, tmp_path, "--port", port)

    assert isinstance(refused.exception, DeskError)
    assert refused.exception.exit_code == ExitCode.USAGE
    assert "can't listen: Address already in use" in refused.exception.message
    assert "--port" in refused.exception.message
