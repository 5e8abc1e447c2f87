"""What a start waits for: libraries that take long to import are imported when a setting or a verb asks for them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.ledgers import new_ledger

pytestmark = pytest.mark.thorough

SERVER = """
import agent.customer_service.graph, agent.order_processing.graph, agent.reconciler.graph
import agent.server.entry, agent.server.webapp
"""

SHOP = f"""{SERVER}
import asyncio
from agent.services import services
async def once(): await (await services()).close()
asyncio.run(once())
"""

LINE = "import agent.client.cli"

OPTIONAL = ("aiohttp", "alembic", "jwt", "langchain_openai", "openai", "redis", "stripe", "textual")
"""Asked for by settings, or by `desk watch`."""


@pytest.mark.parametrize(
    ("begun", "left_alone"),
    [
        pytest.param(SERVER, OPTIONAL, id="the server"),
        pytest.param(SHOP, OPTIONAL, id="a shop with no setting set"),
        pytest.param(LINE, (*OPTIONAL, "fastapi", "psycopg", "sqlalchemy"), id="the command line"),
    ],
)
def test_a_start_waits_for_no_library_that_it_does_not_use(
    tmp_path: Path, begun: str, left_alone: tuple[str, ...]
) -> None:
    script = f"{begun}\nimport sys\nprint(*sorted(sys.modules.keys() & {set(left_alone)}))"
    bare = {"PYTHONPATH": os.pathsep.join(sys.path), "SEED_SHOP": "false"}
    new_ledger(tmp_path / ".data")  # a first start makes it, with what that takes
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=bare,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout.split()) == (0, []), done.stderr
