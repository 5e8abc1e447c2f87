"""Half a minute of `python -m tests.cluster --chaos`: each worker is killed in turn while the world outside fails."""

import json
import subprocess
import sys

import pytest

from tests.support.live_server import ROOT


@pytest.mark.timeout(400)
def test_kills_of_either_worker_lose_no_order_and_charge_none_twice(engine: None) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.cluster", "--chaos", "0.6", "--seed", "5", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stdout, ran.stderr[-4000:]
    found = json.loads(ran.stdout)
    assert found["violations"] == []
    assert found["kills"] >= 3
    assert found["stages"]["completed"] > 0
    assert ran.returncode == 0, ran.stderr[-4000:]
