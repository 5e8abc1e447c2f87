"""The operator's page knows every event and every metric, and none that there is not."""

import re
from pathlib import Path
from typing import get_args

from agent.customer_service import graph as _customer_service  # noqa: F401  (a graph announces its nodes)
from agent.observability.events import EventName
from agent.order_processing import graph as _order_processing  # noqa: F401
from agent.reconciler import graph as _reconciler  # noqa: F401
from agent.server import scrape
from agent.services import Services

PAGE = (Path(__file__).parents[3] / "docs" / "operations.md").read_text()
EVENTS, METRICS = PAGE.split("\n## Metrics")


def first_column(text: str) -> str:
    """What the rows of its tables are about."""
    return "\n".join(line.split("|")[1] for line in text.splitlines() if line.startswith("| `"))


def test_every_event_has_its_line() -> None:
    assert set(re.findall(r"`([a-z_.]+)`", first_column(EVENTS))) == set(get_args(EventName))


async def test_every_metric_has_its_line_and_its_labels(shop: Services) -> None:
    exposed = (await scrape.scraped()).decode()
    there = set(re.findall(r"^# TYPE (desk_[a-z_]+) ", exposed, re.MULTILINE))
    there -= {name for name in there if name.endswith("_created")}
    assert set(re.findall(r"`(desk_[a-z_]+)`", first_column(METRICS))) == there

    for row in (line.split("|") for line in METRICS.splitlines() if line.startswith("| `")):
        labels = {each.strip() for each in row[2].split(",") if each.strip()}
        for name in re.findall(r"`(desk_[a-z_]+)`", row[1]):
            series = re.findall(rf"^{name}(?:_count)?(?:{{(.*)}})? ", exposed, re.MULTILINE)
            assert series, f"{name} has no series from the start"
            assert {label for text in series for label in re.findall(r"(\w+)=", text)} == labels, name
