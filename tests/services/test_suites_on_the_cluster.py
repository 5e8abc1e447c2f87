"""The integration tests of orders, approvals, access and wrong input, at two workers on one PostgreSQL and one Redis: a
channel's requests go to one of them, an approver's to the other.

Those of conversations and of the forms of UIs pass there too, but for protocol v2, which that engine does not serve
here: `TEST_ENGINE=aegra pytest tests/integration_tests/test_wire_forms.py`.
"""

import os
import subprocess
import sys
from typing import Final

import pytest

from tests.support.live_server import ROOT

SUITES: Final = ("access", "careful_people", "orders", "wrong_input")

OTHERWISE: Final = {
    "test_access.py::test_a_stranger_is_told_nothing[Studio, which is off]": "our own routes say 401",
    "test_access.py::test_a_stream_ends_when_its_token_is_revoked": "there is no stream of a thread: 404",
    "test_access.py::test_what_the_server_is_made_of_is_told_to_no_stranger[/docs]": "404",
    "test_access.py::test_what_the_server_is_made_of_is_told_to_no_stranger[/openapi.json]": "404",
    "test_wrong_input.py::test_an_agent_that_calls_by_a2a_is_heard": "there is no A2A: 404",
}
"""What this engine answers another way. That nothing comes of it is shown in `test_cluster`."""

OWN_SERVER: Final = "test_studio or too_often or could_call"
"""Tests of these files that start a server of their own, of the platform."""


@pytest.mark.timeout(400)
def test_the_suites_pass_at_two_workers(engine: None) -> None:
    what = [f"tests/integration_tests/test_{suite}.py" for suite in SUITES]
    what += [f"--deselect=tests/integration_tests/{test}" for test in OTHERWISE]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--no-header", "-m", "not thorough", "-k", f"not ({OWN_SERVER})", *what],
        cwd=ROOT,
        env={**os.environ, "TEST_ENGINE": "aegra"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-8000:] + ran.stderr[-2000:]
