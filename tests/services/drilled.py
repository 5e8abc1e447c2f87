"""A drill of kills as a command of its own, and what must hold after any."""

import json
import subprocess
import sys
from typing import Any

from tests.support.live_server import ROOT


def drilled(*command: str) -> dict[str, Any]:
    """Play it, with `--json`; what it tells, after nothing was lost or charged twice."""
    ran = subprocess.run(
        [sys.executable, "-m", *command, "--json"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.stdout, ran.stderr[-4000:]
    found: dict[str, Any] = json.loads(ran.stdout)
    assert found["violations"] == [], found["violations"]
    assert found["kills"] >= 3
    assert found["stages"]["completed"] > 0
    assert ran.returncode == 0, ran.stderr[-4000:]
    return found
