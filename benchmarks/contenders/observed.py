"""The desk with all that observes it, and its log lines written as the server writes them: JSON, scrubbed.

Traces are off. `unobserved` is the same without any of it.
"""

import asyncio
import logging
import os
import time
from typing import Final

import structlog

from agent.observability.events import emit
from agent.observability.redaction import scrub_logs
from benchmarks.contenders.given import Place
from benchmarks.contenders.savers import saver
from benchmarks.contenders.shop import opened
from benchmarks.contenders.wire import Json, serve

EVENTS: Final = 250


def log_as_the_server_does() -> None:
    """Into this contender's log."""
    os.environ["LOG_JSON"] = "true"
    from langgraph_api.logging import Formatter  # type: ignore[import-untyped]  # noqa: PLC0415

    handler = logging.StreamHandler()
    handler.setFormatter(Formatter(None, None, "%"))
    logging.getLogger().addHandler(handler)
    scrub_logs()


async def events() -> Json:
    """Microseconds of processor that an event takes, the least of many times: other work on the machine only adds."""
    least = float("inf")
    for _ in range(40):
        began = time.process_time()
        for _ in range(EVENTS):
            emit("order.stage", order_id="N-1", stage="paid")
        least = min(least, time.process_time() - began)
    return {"microseconds": least / EVENTS * 1e6}


async def main() -> None:
    """Serve until nothing more is asked."""
    from benchmarks.contenders.desk import Desk  # noqa: PLC0415  (after what `unobserved` takes out of it)

    log_as_the_server_does()
    place = Place.of_arguments()
    async with opened(place) as shop, saver(place.folder, place.checkpoints_url) as checkpointer:
        structlog.configure(logger_factory=structlog.stdlib.LoggerFactory())  # other benchmarks write no lines
        desk = Desk(shop, checkpointer)
        await serve({"orders": desk.orders, "events": events})


if __name__ == "__main__":
    asyncio.run(main())
