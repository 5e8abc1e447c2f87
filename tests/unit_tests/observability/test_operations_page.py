"""The operator's page knows every event, and none that there is not."""

import re
from pathlib import Path
from typing import get_args

from agent.observability.events import EventName

PAGE = (Path(__file__).parents[3] / "docs" / "operations.md").read_text()


def test_every_event_has_its_line() -> None:
    rows = "\n".join(line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `"))
    assert set(re.findall(r"`([a-z_.]+)`", rows)) == set(get_args(EventName))
