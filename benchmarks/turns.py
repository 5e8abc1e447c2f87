"""What a customer's message costs without a model, beside the build before: the same messages, interleaved, in one run.

`python -m benchmarks.turns`; `--quick` takes fewer of them, `--old TREE` compares with another source tree of ours.
"""

import argparse
import asyncio
import random
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks.builds import OLD, Build, old_build, progress
from benchmarks.figures import Figure, report
from benchmarks.rivals import OURS, multiple, started
from tests.support.live_server import ROOT

ROUNDS: Final = 5
_EXAMPLES: Final = ROOT / "src" / "agent" / "capabilities" / "examples"


def messages(count: int) -> list[str]:
    """So many of the capabilities' example utterances, with numbers where they say "order"."""
    lines = [line for path in sorted(_EXAMPLES.glob("*.txt")) for line in path.read_text(encoding="utf-8").splitlines()]
    said = [line.replace("order", "order W-1002", 1) for line in lines if line and ": " not in line]
    return random.Random(1).sample(said, count)  # noqa: S311


async def figures(old: Build, texts: list[str], folder: Path) -> AsyncIterator[Figure]:
    """The processor time of reading a message, and of a whole turn as a multiple of the old build's."""
    contenders = {OURS: ("talking", Build()), OLD: ("talking", old)}
    with started(folder, contenders) as running:
        for what in ("readings", "turns"):
            took: dict[str, list[float]] = {name: [] for name in running}
            for number in range(ROUNDS + 1):
                for name in list(running) if number % 2 else reversed(list(running)):
                    asked: dict[str, Any] = {"name": f"{what}-{number}"} if what == "turns" else {}
                    found = await asyncio.to_thread(running[name].ask, what, texts=texts, **asked)
                    milliseconds = found["cpu"] / len(texts) * 1000
                    progress(f"{what} {number}/{ROUNDS} {name}: {milliseconds:.3f} ms of processor a message")
                    if number:
                        took[name].append(milliseconds)
            if what == "turns":
                yield multiple("embedded_turn", "ms of processor a message", took, OLD, at_most=0.5)
                continue
            ours = median(took[OURS])
            yield Figure(
                figure="embedded_reading",
                value=round(ours, 3),
                unit="ms of processor a message",
                bar="<= 1",
                holds=ours <= 1,
                peers={OLD: round(median(took[OLD]), 3)},
            )


def main() -> int:
    """Measure; 0 if every figure holds."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.turns", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer messages: for a look, not for a record")
    parser.add_argument("--old", type=Path, help=f"a source tree to compare with (default: commit {OLD})")
    asked: Any = parser.parse_args()
    old = Build(asked.old.absolute()) if asked.old else old_build()
    with tempfile.TemporaryDirectory() as folder:
        return 0 if asyncio.run(report(figures(old, messages(60 if asked.quick else 500), Path(folder)))) else 1


if __name__ == "__main__":
    sys.exit(main())
