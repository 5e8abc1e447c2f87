"""A command line of the traffic or of the living shop that can't be read is refused with exit code 2, and told."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import show.__main__
import traffic.__main__

TRAFFIC, SHOW = traffic.__main__.main, show.__main__.main


@pytest.mark.parametrize("main", [TRAFFIC, SHOW])
@pytest.mark.parametrize(
    "option", ["--rate=nan", "--rate=inf", "--rate=0", "--seconds=nan", "--staff=nan", "--staff=inf", "--seed=1000"]
)
def test_what_is_no_number_of_customers_opens_nothing(
    main: Callable[[], int], option: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["show", option])
    with pytest.raises(SystemExit) as ended:
        main()
    assert (ended.value.code, "--rate" in capsys.readouterr().err) == (2, True)


@pytest.mark.parametrize("content", ["[]", '{"channel": "x"}', '{"channel": {}}', "x"])
def test_a_file_that_holds_no_tokens_is_named_and_loses_no_order(
    content: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    tokens = tmp_path / "tokens.json"
    tokens.write_text(content)
    tokens.chmod(0o600)
    monkeypatch.setattr(sys, "argv", ["traffic", "--tokens", str(tokens)])
    assert TRAFFIC() == 2
    assert f"{tokens} is not a token file" in capsys.readouterr().err


def test_an_address_that_is_none_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    tokens = tmp_path / "tokens.json"
    tokens.write_text('{"channel": {"token": "t", "identity": "channel-1"}}')
    tokens.chmod(0o600)
    monkeypatch.setattr(sys, "argv", ["traffic", "--tokens", str(tokens), "--url", "http://[::1"])
    assert TRAFFIC() == 2
    assert "http://[::1" in capsys.readouterr().err
