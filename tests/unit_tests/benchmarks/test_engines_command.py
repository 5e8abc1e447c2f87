"""`python -m benchmarks.engines`: what is named on its command line is found, or the error lists the names."""

import json
import sys

import pytest

from benchmarks.engines.__main__ import main


def run(monkeypatch: pytest.MonkeyPatch, *given: str) -> int:
    monkeypatch.setattr(sys, "argv", ["benchmarks.engines", *given])
    return main()


@pytest.mark.parametrize("name", ["dbos_line", "dbos", "DBOS", "ours,dbos"])
def test_an_engine_is_named_as_it_is_called_or_as_its_module(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert run(monkeypatch, "--engines", name, "--only", "lines") == 0
    assert list(json.loads(capsys.readouterr().out)["peers"]) == ["DBOS"]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (("--engines", "dbso"), "no such engine: dbso; there are ours, bare, dbos, restate"),
        (("--only", "speedy,lines"), "no such part: speedy; there are speed, kills, lines"),
        (("--engines", ""), "there are ours, bare, dbos, restate"),
    ],
)
def test_a_wrong_name_is_an_error_that_lists_the_names(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], given: tuple[str, ...], why: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, *given)
    assert (ended.value.code, why in capsys.readouterr().err) == (2, True)
