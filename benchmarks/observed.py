"""What it costs an order to be observed: the desk as it is, beside the same with nothing recorded; interleaved.

`python -m benchmarks.observed`; `--quick` takes fewer and smaller rounds. Traces are off.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

from benchmarks.builds import Build
from benchmarks.figures import Figure, report
from benchmarks.rivals import OURS, interleaved, multiple, started

UNOBSERVED: Final = "the same, unobserved"
MOST_MICROSECONDS: Final = 20.0


async def figures(folder: Path, rounds: int, orders: int) -> AsyncIterator[Figure]:
    """Processor an order, as a ratio of medians; processor an event."""
    contenders = {OURS: ("observed", Build()), UNOBSERVED: ("unobserved", Build())}
    with started(folder, contenders) as running:
        event = running[OURS].ask("events")["microseconds"]
        taken = interleaved(running, rounds, orders, 10, 2, name="observed-")
    cpu = {name: each.cpu for name, each in taken.items()}
    unit = "ms of processor an order"
    yield multiple("cpu_an_order_against_the_same_unobserved", unit, cpu, UNOBSERVED, at_most=1.08)
    yield Figure(
        figure="cpu_of_an_event",
        value=round(event, 1),
        unit="µs of processor: count, log line in JSON, mark",
        bar=f"<= {MOST_MICROSECONDS:.0f}",
        holds=event <= MOST_MICROSECONDS,
    )


def main() -> int:
    """Measure; 0 if every figure holds."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.observed", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer and smaller rounds: for a look, not for a record")
    asked: Any = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measured = figures(Path(folder), 3 if asked.quick else 7, 30 if asked.quick else 60)
        return 0 if asyncio.run(report(measured)) else 1


if __name__ == "__main__":
    sys.exit(main())
