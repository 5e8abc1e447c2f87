"""Suites that `make test` runs on SQLite, on PostgreSQL: whatever is the ledger's to hold."""

import os
import subprocess
import sys

import pytest

from tests.support.live_server import ROOT
from tests.support.postgres_server import Postgres


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    "suite", ["ledger", "commerce", "approvals", "notifications", "claims", "server/test_overview_routes.py"]
)
def test_the_suite_passes_on_postgres(postgres: Postgres, suite: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "2", "-q", "--no-header", f"tests/unit_tests/{suite}"],
        cwd=ROOT,
        env={**os.environ, "TEST_DATABASE_URL": postgres.url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-8000:] + ran.stderr[-2000:]
