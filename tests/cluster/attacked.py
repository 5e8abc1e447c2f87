"""Two workers as a house for `attack`: each request goes to the next of them, so nothing that one of them keeps to
itself can hold or break a gate."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import cycle
from pathlib import Path
from threading import Lock

from pydantic import SecretStr

from agent.settings import Settings
from attack.books import Books
from attack.ours import SETTINGS, OurHouse, stock
from attack.target import House
from tests.cluster.workers import Cluster, cluster
from tests.support.goods import goods_dir
from tests.support.live_server import LiveNetwork, wait_for


class HouseOfTwo(OurHouse):
    """Our gate, at two workers that serve already. In a `sample` each way is tried once, on an order or a refund."""

    at_once = 16  # `runs/wait` looks each 2 s there

    def __init__(self, workers: Cluster, network: LiveNetwork, *, sample: bool) -> None:
        House.__init__(self)
        self._sample = sample
        self.network = network
        self.server = workers.workers[0]
        self._urls = cycle([worker.url for worker in workers.workers])
        self._tokens = dict(self.server.tokens)
        self._reconciling = Lock()
        trail_key = SecretStr(self.server.env["TRAIL_KEY"])
        self.books = Books(Settings(database_url=workers.ledger, trail_key=trail_key), network)

    @property
    def url(self) -> str:  # type: ignore[override]  # which is another each time
        """Of the next worker."""
        return next(self._urls)

    def kinds_for(self, number: int, unless: str) -> tuple[str, ...]:
        """Of a sample, one or the other, by the way's number."""
        kinds = super().kinds_for(number, unless)
        return kinds[number % len(kinds) :][:1] if self._sample else kinds

    def close(self) -> None:
        """The workers and the network are others' to end."""
        House.close(self)


@contextmanager
def attacked(folder: Path, *, sample: bool) -> Iterator[HouseOfTwo]:
    """A cluster with the shop that is attacked, for as long as this lasts. Raises `NotInstalledError`."""
    network = LiveNetwork(folder / "network", slow_seconds=1.5)
    network.spawn()
    try:
        wait_for(network.answers, 30, lambda: "the card network does not answer")
        settings = SETTINGS | {"SHOP_DIR": goods_dir(), "SEED_SHOP": "false", "PAYMENT_URL": network.url}
        with cluster(folder, **settings) as workers, closing(HouseOfTwo(workers, network, sample=sample)) as house:
            stock(house.server, folder / "shop.json")
            yield house
    finally:
        network.stop()
