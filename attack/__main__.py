"""`python -m attack`: starts both servers, tries the 26 ways on each, and prints what came of them.

Exit code 0: ours held; 1: it did not; 130: told to stop.
"""

import argparse
import json
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from attack.findings import Finding, find, number_of_tries
from attack.ours import OurHouse
from attack.table import Row, for_people, rows, write_into
from attack.target import House
from attack.theirs import OrdinaryHouse


def _rows(console: Console) -> tuple[list[Row], list[str]]:
    """What came of each way; and what is broken of ours after all of them."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with (
        ThreadPoolExecutor(2) as pool,
        TemporaryDirectory(prefix="order-desk-attack-") as folder,
        ExitStack() as houses,  # left before the pool: an ended server ends what is tried on it
        Progress(*columns, console=console, transient=True) as progress,
    ):
        theirs = houses.enter_context(closing(OrdinaryHouse(Path(folder) / "theirs")))
        ours = houses.enter_context(closing(OurHouse(Path(folder) / "ours")))

        def tried(name: str, house: House) -> list[Finding]:
            task = progress.add_task(name, total=number_of_tries(house))
            house.wait()
            return find(house, lambda: progress.advance(task))

        found = [pool.submit(tried, "an ordinary gate", theirs), pool.submit(tried, "ours", ours)]
        return rows(*(each.result() for each in found)), ours.books.broken()


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


def main() -> int:
    """Run all of it; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m attack", description="26 ways round an approval gate.")
    parser.add_argument("--json", action="store_true", help="print one JSON document a way")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="also put the table into this file")
    options = parser.parse_args()
    console = Console(highlight=False, quiet=options.json)
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _stop)
    try:
        found, broken = _rows(console)
    except KeyboardInterrupt:
        sys.stderr.write("Stopped. Nothing is left behind.\n")
        return 130
    if options.json:
        sys.stdout.writelines(json.dumps(row.as_dict()) + "\n" for row in found)
    console.print(for_people(found))
    held = sum(row.held for row in found)
    good = held == len(found) and not broken
    theirs = sum(row.ordinary.held for row in found)
    console.print(f"Of {len(found)} ways an ordinary gate held against {theirs}, ours against {held}.")
    books = "\n".join(broken) or "The ledger and the card network agree, and every approval is proved by its seals."
    console.print(books, style="bold green" if good else "bold red")
    if options.markdown:
        write_into(options.markdown, found)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
