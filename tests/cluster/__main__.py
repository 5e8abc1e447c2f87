"""`python -m tests.cluster`: two workers that one can use, until Ctrl-C. With `--drill N`: N orders while one worker
is killed, and N while one is frozen.

Exit code 0: all well; 1: an order is stuck, or was not charged once; 2: something is not installed.
"""

import argparse
import signal
import sys
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.cluster.drill import play
from tests.cluster.engine import NoInterpreterError, environment
from tests.cluster.workers import Cluster, cluster
from tests.support.goods import goods_dir
from tests.support.live_server import LiveNetwork, wait_for
from tests.support.postgres_server import Postgres, binaries, folder_of_the_server
from tests.support.redis_server import Redis, program


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster", description="Two workers, one desk.")
    parser.add_argument("--drill", type=int, metavar="N", help="send N orders twice, and cut a worker off")
    options = parser.parse_args()
    postgres, redis = binaries(), program()
    if not postgres or not redis:
        parser.error("PostgreSQL or Redis is not installed: run `make services`")
    try:
        python = environment()
    except NoInterpreterError as error:
        parser.error(str(error))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        server = Postgres.running(postgres, stack.enter_context(folder_of_the_server()))
        store = Redis(redis)
        stack.callback(store.stop)
        store.start()
        network = LiveNetwork(folder / "network", slow_seconds=1.0)
        stack.callback(network.stop)
        network.spawn()
        wait_for(network.answers, 30, lambda: "the card network does not answer")
        shop = {"PAYMENT_URL": network.url} | ({"SHOP_DIR": goods_dir()} if options.drill else {})
        workers = stack.enter_context(cluster(folder, python, stack.enter_context(server), store, **shop))
        return _drill(workers, network, options.drill) if options.drill else _serve(workers)


def _serve(workers: Cluster) -> int:
    first = workers.workers[0]
    for worker in workers.workers:
        print(f"worker: {worker.url}/desk/", flush=True)
    print(f"tokens: {first.tokens_file}")
    print(f"try:    TOKENS_FILE={first.tokens_file} DESK_URL={first.url} {Path(sys.executable).parent}/desk inbox")
    print("Ctrl-C ends it.", flush=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        signal.pause()
    return 0


def _drill(workers: Cluster, network: LiveNetwork, count: int) -> int:
    broken = False
    for prefix, how in (("K", "kill"), ("Z", "freeze")):
        report = play(workers, network, prefix, count, how)  # type: ignore[arg-type]
        twice = report.after != report.after_waking
        print(f"{how}: {count} orders, {report.cut} runs cut, over after {report.taken_over_seconds:.0f} s;"
              f" {dict(Counter(report.stages.values()))}; stuck: {report.stuck or 'none'};"
              f" not charged once: {report.wrongly_charged or 'none'};"
              f" changed by waking: {'yes' if twice else 'nothing'}", flush=True)  # fmt: skip
        broken |= bool(report.stuck or report.wrongly_charged or twice)
    return int(broken)


if __name__ == "__main__":
    raise SystemExit(main())
