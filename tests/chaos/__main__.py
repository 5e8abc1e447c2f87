"""`python -m tests.chaos`: the drill from the command line.

Exit code 0: every order came to its end and all books agree; 1: something does not hold; 130: told to stop.
"""

import argparse
import asyncio
import shutil
import signal
import sys
import warnings
from collections.abc import Coroutine
from pathlib import Path
from tempfile import mkdtemp

from tests.chaos.audit import Audit, Breach
from tests.chaos.drill import Drill
from tests.chaos.report import Telling
from tests.chaos.site import Site


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="Kill the server; then read the books.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=300, help="how many lives the server has")
    parser.add_argument("--minutes", type=float, default=600.0, help="no more kills after so many minutes")
    parser.add_argument("--orders", type=int, default=1000, help="no more than so many orders come in")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser.parse_args()


async def _drill(options: argparse.Namespace, folder: Path) -> bool:
    telling = Telling(as_json=options.json)
    site = Site(folder, seed=options.seed)
    drill = Drill(site, options.seed, telling.progress)
    try:
        await site.open()
        await drill.chaos(kills=options.kills, minutes=options.minutes, orders=options.orders)
        await drill.peace()
        account = await site.world.account()
        checked = await site.server.desk("db", "check", "--json")
    finally:
        await drill.people.close()
        await site.close()
    audit = Audit(site, drill.people.orders, account, drill.record)
    breaches = audit.breaches()
    breaches += [
        Breach(f"desk db check: {each['check']}", each["what"], str(each["found"])) for each in checked["violations"]
    ]
    telling.result(drill.record, drill.people, audit, breaches)
    return not breaches


async def _until_told_to_stop(drill: Coroutine[None, None, bool]) -> bool:
    """Ctrl-C, `kill` and a closed terminal all end the drill by its own ways out."""
    task = asyncio.ensure_future(drill)
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(ending, task.cancel)
    return await task


def main() -> int:
    """Play a drill; returns the exit code. The files of one that is not clean are kept."""
    warnings.filterwarnings("ignore", "Request failed, attempting reconnect")  # the SDK's word for what we do here
    options, folder, clean = _options(), Path(mkdtemp(prefix="order-desk-chaos-")), False
    try:
        clean = asyncio.run(_until_told_to_stop(_drill(options, folder)))
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
