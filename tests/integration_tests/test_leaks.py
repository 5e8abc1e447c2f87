"""Demo, show, attack and input that is wrong: nobody of either shop stands in what the servers of these tell."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from agent.tokens import digest_of
from tests.support.leaks import find, leaks, of_ledger, of_shops, tokens_in
from tests.support.live_server import FOR_SERVERS, KEEP_IN, ROOT
from tests.support.trace_sinks import TraceSink

COMMANDS: Final = {
    "demo": ["demo", "--json"],
    "show": ["show", "--headless", "--json", "--seconds", "15", "--rate", "1", "--staff", "1"],
    "attack": ["attack", "--json"],
    "wrong input": [
        "pytest", "-n", "0", "-q", "-p", "no:cacheprovider",
        "tests/integration_tests/test_wrong_input.py", "tests/integration_tests/test_access.py",
    ],
}  # fmt: skip

RUNS: Final = [
    ("demo", "home"), ("demo", "market"), ("show", "home"), ("show", "market"), ("attack", "home"),
    ("wrong input", "market"),
]  # fmt: skip
"""The last two have the customers of `home` in either shop's hands."""


@pytest.mark.thorough
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("what", "shop"), RUNS)
def test_nobody_is_in_what_servers_tell(what: str, shop: str, tmp_path: Path) -> None:
    with TraceSink() as sink:
        tells = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": sink.url,
            "LANGSMITH_TRACING": "true",
            "LANGSMITH_API_KEY": "none",
            "LANGSMITH_ENDPOINT": sink.url,
        }
        env = os.environ | {FOR_SERVERS + name: value for name, value in tells.items()}
        env |= {KEEP_IN: str(tmp_path), "TEST_SHOP": shop, "SHOP_DIR": str(ROOT / "shops" / shop)}
        output = tmp_path / "output.txt"
        with (
            output.open("wb") as into,
            subprocess.Popen(
                [sys.executable, "-m", *COMMANDS[what]], cwd=ROOT, env=env, stdout=into, stderr=subprocess.STDOUT
            ) as lived,
        ):
            try:
                lived.wait()
            finally:
                lived.terminate()
    assert lived.returncode == 0, output.read_text()[-5000:]

    told = {
        "logs": "\n".join(log.read_text() for log in tmp_path.glob("*/server.log")),
        "metrics": "\n".join(metrics.read_text() for metrics in tmp_path.glob("*/metrics.txt")),
        "traces": b"\n".join(sink.bodies).decode(errors="replace"),
    }
    assert all(len(text) > 10_000 for text in told.values())
    assert sink.spans
    assert sink.runs
    ledgers = [of_ledger(ledger) for ledger in tmp_path.glob("*/data/ledger.db")]
    assert ledgers
    assert all(ledgers)
    assert leaks(told, of_shops().union(*ledgers)) == {}
    digests = "".join(file.read_text() for file in tmp_path.glob("*/tokens.sha256.json"))
    assert tokens_in(told, digests.split('"')) == []


def test_the_search_finds_what_it_looks_for() -> None:
    for text, whose in (("of Ada Park", "Ada Park"), ("GET /x?mail=ada%40example.com", "ada@example.com")):
        assert find(text, whose) >= 0
    assert find("of Ada Parker", "Ada Park") < 0
    assert tokens_in({"logs": "a token's form: " + "x" * 32}, [digest_of("x" * 32)]) == ["logs: a token's form: "]
