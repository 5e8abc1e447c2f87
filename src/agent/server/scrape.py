"""One scrape: the metrics of this process, or of all workers of this host, and what the ledger knows.

With PROMETHEUS_MULTIPROC_DIR workers count in files of a folder that they share, and any of them answers for all.
"""

import asyncio
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from prometheus_client import REGISTRY, Metric, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from agent.server.ledger_gauges import LedgerGauges
from agent.settings import settings

MANY_WORKERS: Final = values.ValueClass is not values.MutexValue
"""Whether prometheus_client found PROMETHEUS_MULTIPROC_DIR when it was imported."""

_LEDGER: Final = LedgerGauges()


class _Scraped:
    """A registry that is read once. Reads files, if there are several workers."""

    def __init__(self, ledger: Iterable[Metric], shared: Path | None) -> None:
        self._ledger = ledger
        self._shared = shared

    def collect(self) -> Iterator[Metric]:
        if self._shared:
            _forget_the_dead(self._shared)
            yield from MultiProcessCollector(None, str(self._shared)).collect()  # type: ignore[no-untyped-call]
        else:
            yield from REGISTRY.collect()
        yield from self._ledger


async def scraped() -> bytes:
    """All metrics, as Prometheus text."""
    registry: Any = _Scraped(await _LEDGER.families(), await asyncio.to_thread(_shared))
    return await asyncio.to_thread(generate_latest, registry)


def leave() -> None:
    """This worker ends: its gauges are not counted any more, what it counted is."""
    if shared := _shared():
        mark_process_dead(os.getpid(), str(shared))  # type: ignore[no-untyped-call]


def _shared() -> Path | None:
    """The folder of several workers; None: this process counts for itself."""
    return settings().prometheus_multiproc_dir if MANY_WORKERS else None


def _forget_the_dead(shared: Path) -> None:
    """The gauges of workers that were killed: a breaker that was open there is nobody's."""
    for file in shared.glob("gauge_live*_*.db"):
        pid = int(file.stem.rpartition("_")[2])
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            mark_process_dead(pid, str(shared))  # type: ignore[no-untyped-call]
        except PermissionError:  # it is another user's, and lives
            continue
