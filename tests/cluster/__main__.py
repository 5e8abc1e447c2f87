"""`python -m tests.cluster`: two workers that one can use, until Ctrl-C.

With `--drill N`: N orders while one worker is killed, and N while one is frozen. With `--chaos MINUTES`: both are
killed in turn while the world outside fails. With `--attack`: the ways round the approval gate, tried at both.

Exit code 0: all well; 1: an order is stuck or was not charged once, the books do not agree, or a way was open; 2:
something is not installed; 130: told to stop.
"""

import argparse
import json
import signal
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from attack.findings import find
from tests.cluster.attacked import attacked
from tests.cluster.chaos import chaos
from tests.cluster.drill import HELD, LARGEST, How, play
from tests.cluster.engine import NotInstalledError
from tests.cluster.progress import progress
from tests.cluster.workers import Cluster, cluster, how_to_use
from tests.support.goods import goods_dir
from tests.support.live_server import LiveNetwork, wait_for


def main() -> int:
    """Run it."""
    options = _options()
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)
    try:
        with TemporaryDirectory(prefix="order-desk-cluster-") as folder:
            return _run(options, Path(folder))
    except NotInstalledError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("Stopped. Nothing is left behind.\n")
        return 130


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.cluster", description="Two workers, one desk.")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--drill", type=int, metavar="N", help="send N orders twice, and cut a worker off")
    what.add_argument("--chaos", type=float, metavar="MINUTES", help="kill both in turn while the world outside fails")
    what.add_argument("--attack", action="store_true", help="try the 26 ways round the approval gate")
    parser.add_argument("--seed", type=int, default=1, help="of the chaos")
    parser.add_argument(
        "--json", action="store_true", help="one JSON document a line: the workers, a drill or a way each"
    )
    options = parser.parse_args()
    if options.drill is not None and not 5 * HELD <= options.drill <= LARGEST:
        parser.error(
            f"--drill: from {5 * HELD} to {LARGEST} orders: fewer are over too soon, and for more there is no stock"
        )
    if options.chaos is not None and options.chaos <= 0:
        parser.error("--chaos: more than 0 minutes")
    return options


def _run(options: argparse.Namespace, folder: Path) -> int:
    if options.chaos:
        return 0 if chaos(folder, minutes=options.chaos, seed=options.seed, as_json=options.json) else 1
    if options.attack:
        return _attack(folder, as_json=options.json)
    with ExitStack() as stack:
        with progress(lambda: "starting; the first time .venv-aegra is made, which takes a minute more"):
            network = LiveNetwork(folder / "network", slow_seconds=1.0)
            stack.callback(network.stop)
            network.spawn()
            wait_for(network.answers, 30, lambda: "the card network does not answer")
            shop = {"PAYMENT_URL": network.url} | ({"SHOP_DIR": goods_dir()} if options.drill else {})
            workers = stack.enter_context(cluster(folder, **shop))
        return _drill(workers, network, options) if options.drill else _serve(workers, as_json=options.json)


def _attack(folder: Path, *, as_json: bool) -> int:
    tried: list[None] = []
    with progress(lambda: f"{len(tried)} ways tried"), attacked(folder, sample=False) as house:
        found, broken = find(house, lambda: tried.append(None)), house.books.broken()
    for each in found:
        line = {"way": each.way.number, "title": each.way.title, **each.as_dict()}
        print(json.dumps(line) if as_json else f"{each.way.number} {each.kind}: {each.told}")
    held = sum(each.held for each in found)
    sys.stderr.write(f"{held} of {len(found)} held; the books: {broken or 'whole'}\n")
    return int(held < len(found) or bool(broken))


def _serve(workers: Cluster, *, as_json: bool) -> int:
    usage = how_to_use(workers)
    if as_json:
        print(json.dumps(usage), flush=True)
    else:
        for url in usage["workers"]:
            print(f"worker: {url}")
        print(f"tokens: {usage['tokens']}\ntry:    {usage['try']}\nCtrl-C ends it.", flush=True)
    with suppress(KeyboardInterrupt):
        signal.pause()
    return 0


def _drill(workers: Cluster, network: LiveNetwork, options: argparse.Namespace) -> int:
    reports = []
    drills: dict[str, How] = {"K": "kill", "Z": "freeze"}
    for prefix, how in drills.items():
        reports.append(report := play(workers, network, prefix, options.drill, how, told=progress))
        print(json.dumps(report.as_dict()) if options.json else report.told, flush=True)
    return int(not all(report.clean for report in reports))


if __name__ == "__main__":
    raise SystemExit(main())
