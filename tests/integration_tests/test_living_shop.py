"""The living shop lives through an outage of its card network and a kill of its server, and its books say so."""

import json
import subprocess
import sys
from typing import Any

import httpx
import pytest

from tests.support.live_server import ROOT, wait_for

PATIENCE = 60.0
OPEN_SECONDS = 75
"""On a busy machine too, enough for an outage, a kill and a new start."""


class Page:
    """The control page, as our own page in a browser speaks to it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._headers = {"origin": "/".join(url.split("/")[:3])}

    def state(self) -> dict[str, Any]:
        answer = httpx.get(f"{self._url}state", trust_env=False, timeout=PATIENCE)
        return dict(answer.raise_for_status().json())

    def press(self, button: str) -> None:
        body = {"button": button}
        answer = httpx.post(f"{self._url}press", json=body, headers=self._headers, trust_env=False, timeout=PATIENCE)
        answer.raise_for_status()

    def parked(self, number: int) -> bool:
        """Whether so many orders are on their way, which none leaves while the network is down."""
        return bool(self.state()["books"].get("on_the_way", 0) >= number)


@pytest.mark.thorough
@pytest.mark.timeout(300)
def test_nothing_is_lost_or_doubled_by_an_outage_and_a_kill() -> None:
    command = [sys.executable, "-m", "show", "--headless", "--json", "--rate", "1", "--staff", "1"]
    command += ["--seconds", str(OPEN_SECONDS)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as show:
        assert show.stdout
        try:
            page = Page(json.loads(show.stdout.readline())["control"])
            page.press("stop_network")
            wait_for(lambda: page.parked(3), PATIENCE, lambda: f"no order came: {page.state()}")
            assert page.state()["network"] == "stopped"
            page.press("start_network")
            page.press("kill_server")
            assert page.state()["server"] == "starting again"  # the page outlives it
            wait_for(lambda: page.state()["server"] == "up", PATIENCE, lambda: f"it is not started: {page.state()}")
            told = json.loads(show.stdout.readline())
            assert show.wait(timeout=PATIENCE) == 0, told
        finally:
            show.terminate()
    assert (told["lost"], told["doubled"], told["unsettled"], told["broken_promises"]) == (0, 0, 0, [])
    assert (told["starts"], told["pressed"]) == (2, {"stop_network": 1, "start_network": 1, "kill_server": 1})
    assert told["placed"] >= 5
    assert told["done"] + told["waiting"] == told["placed"]
