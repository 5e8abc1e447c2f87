"""What the order line costs, beside the build before, DBOS and a bare graph: interleaved, in one run.

`python -m benchmarks.orders --only orders,lines` chooses among the groups of figures; `--quick` takes fewer and smaller
rounds; `--tree` and `--python` name another source tree of ours to measure, and the interpreter that runs it.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, Final

from benchmarks.builds import Build, progress
from benchmarks.figures import Figure, report
from benchmarks.order_growth import size, talk
from benchmarks.order_line import crowd, lines, orders, postgres, statements
from benchmarks.order_server import dev, start
from benchmarks.rivals import Run

GROUPS: Final[dict[str, Callable[[Run], Iterator[Figure]]]] = {
    group.__name__: group for group in (statements, orders, postgres, lines, crowd, dev, start, talk, size)
}


async def figures(run: Run, groups: list[str]) -> AsyncIterator[Figure]:
    """Those of these groups, in turn."""
    for group in groups:
        progress(f"-- {group}: {GROUPS[group].__doc__}")
        measured = GROUPS[group](run)
        while figure := await asyncio.to_thread(next, measured, None):
            yield figure


def main() -> int:
    """Measure what the command line says; 0 if every figure holds."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.orders", description=__doc__)
    parser.add_argument("--only", default=",".join(GROUPS), help="groups of figures (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="fewer and smaller rounds: for a look, not for a record")
    parser.add_argument("--tree", type=Path, default=Build.tree, help="the source tree of ours (default: this one)")
    parser.add_argument("--python", type=Path, default=Build.python, help="what runs it (default: this interpreter)")
    asked: Any = parser.parse_args()
    groups = asked.only.split(",")
    if unknown := set(groups) - set(GROUPS):
        parser.error(f"no such group: {', '.join(unknown)}; there are {', '.join(GROUPS)}")
    with tempfile.TemporaryDirectory() as folder:
        run = Run(
            ours=Build(asked.tree.absolute(), asked.python.absolute()),
            rounds=3 if asked.quick else 5,
            orders=30 if asked.quick else 60,
            quick=asked.quick,
            folder=Path(folder),
        )
        return 0 if asyncio.run(report(figures(run, groups))) else 1


if __name__ == "__main__":
    sys.exit(main())
