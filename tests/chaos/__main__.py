"""`python -m tests.chaos`: the drill from the command line.

Exit code 0: every order came to its end and all books agree; 1: something does not hold; 2: the drill cannot be
played; 130: told to stop.
"""

import argparse
import asyncio
import shutil
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from tests.chaos.drill import Drill
from tests.chaos.play import play
from tests.chaos.report import Telling
from tests.chaos.site import Site
from tests.support.live_server import until_told_to_stop
from tests.support.postgres_server import Postgres, binaries, let_in


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="Kill the server; then read the books.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=300, help="how many lives the server has")
    parser.add_argument("--minutes", type=float, default=600.0, help="no more kills after so many minutes")
    parser.add_argument("--orders", type=int, default=1000, help="no more than so many orders come in")
    parser.add_argument(
        "--postgres", action="store_true", help="the ledger is on a PostgreSQL server of the drill's own"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    if options.postgres and not binaries():
        parser.error("PostgreSQL is not installed: run `make services`")
    return options


@contextmanager
def _database(options: argparse.Namespace, folder: Path) -> Iterator[str | None]:
    """The URL of an empty database on a server that runs meanwhile and keeps its data in `folder`; None: on SQLite."""
    programs = binaries() if options.postgres else None
    if programs is None:
        yield None
        return
    (home := folder / "postgres").mkdir()
    for each in (folder, home):
        let_in(each)
    with Postgres.running(programs, home) as server:
        yield server.url


async def _drill(options: argparse.Namespace, folder: Path) -> bool:
    with _database(options, folder) as url:
        site, telling = Site.of_one_server(folder, seed=options.seed, postgres_url=url), Telling(as_json=options.json)
        drill = Drill(site, options.seed, telling.progress)
        return await play(drill, site, telling, kills=options.kills, minutes=options.minutes, orders=options.orders)


def main() -> int:
    """Play a drill; returns the exit code. The files of one that is not clean are kept."""
    warnings.filterwarnings("ignore", "Request failed, attempting reconnect")  # the SDK's word for what we do here
    options, folder, clean = _options(), Path(mkdtemp(prefix="order-desk-chaos-")), False
    try:
        clean = asyncio.run(until_told_to_stop(_drill(options, folder)))
    except asyncio.CancelledError:
        return 130
    finally:
        if clean:
            shutil.rmtree(folder)
        else:
            sys.stderr.write(f"Seed {options.seed}; the ledger, the world's account and the logs are in {folder}\n")
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main())
