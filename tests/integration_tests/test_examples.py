"""The examples do on a live server what their words say."""

import os
import re
import subprocess
import sys

from tests.support.books import CardNetwork
from tests.support.chains import OF_LARGE, outsider
from tests.support.driver import Driver, an_order
from tests.support.live_server import ROOT


def approve(driver: Driver, role: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the script as whoever has this role's token."""
    env = {**os.environ, "DESK_URL": driver.server.url, "DESK_TOKEN": driver.server.tokens[role]}
    script = [sys.executable, str(ROOT / "examples" / "approve.py"), *words]
    return subprocess.run(script, env=env, capture_output=True, text=True, timeout=60, check=False)


def test_an_approver_lists_shows_and_answers_with_the_sdk_alone(driver: Driver, network: CardNetwork) -> None:
    thread = driver.order(an_order("EXAMPLE-1", {"TABLE-WALNUT": 1})).thread

    listed = approve(driver, OF_LARGE[0], "list").stdout
    assert f"{thread}  apr-" in listed
    assert "EXAMPLE-1" in approve(driver, OF_LARGE[0], "show", thread).stdout

    refused = approve(driver, outsider("large_order"), "approve", thread)
    assert (refused.returncode, "APPROVAL-ROLE" in refused.stderr) == (1, True)
    assert network.captured("EXAMPLE-1") == {}

    assert approve(driver, OF_LARGE[0], "approve", thread).returncode == 0
    assert len(network.captured("EXAMPLE-1")) == 1
    assert "waits for nobody" in approve(driver, OF_LARGE[0], "approve", thread).stderr


def test_the_lines_of_the_readme_place_an_order(driver: Driver, network: CardNetwork) -> None:
    found = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert found
    lines = (
        found[1]
        .replace("http://127.0.0.1:2024", driver.server.url)
        .replace(".tokens.json", str(driver.server.tokens_file))
    )
    told = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, timeout=60, check=False)
    assert told.returncode == 0, told.stderr
    assert "completed" in told.stdout.splitlines()[-1]
    assert len(network.captured("W-3001")) == 1


def test_words_that_it_does_not_know_are_answered_with_how_to_use_it(driver: Driver) -> None:
    told = approve(driver, OF_LARGE[0], "aprove", "x")
    assert (told.returncode, "python examples/approve.py list" in told.stderr) == (1, True)
