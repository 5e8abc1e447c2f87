"""Watches over what drives everything forward: a reconciler that no longer runs is noticed, and its cron made again.

Each process that serves /ops does. The cron itself is `cron`'s; the reconciler's heartbeat is in the ledger.
"""

import asyncio
from datetime import datetime
from typing import Final, Literal

from croniter import croniter

from agent.ledger.database_errors import UNUSABLE
from agent.ledger.schema import SchemaError
from agent.ledger.times import is_in_future
from agent.observability.events import emit
from agent.server.cron import keep_one_cron
from agent.services import Services, services
from agent.settings import Settings

TIMES_MISSED: Final = 5
"""So often in a row the cron may fail to start the reconciler before that is an alarm."""

LOOK_EVERY_SECONDS: Final = 15.0

EACH_MINUTE: Final = "* * * * *"


async def watch_reconciler(config: Settings) -> None:
    """See to it that there is one cron, and go on looking whether it does its work. Without a cron nobody watches."""
    if not config.reconcile_cron:
        return
    await keep_one_cron(config)
    late = False
    while True:
        await asyncio.sleep(LOOK_EVERY_SECONDS)
        try:
            late = await look(await services(), late)
        except (*UNUSABLE, SchemaError):  # which is the alarm of whoever needs the ledger
            continue


async def look(shop: Services, was_late: bool) -> bool:
    """Look once; whether the reconciler is late. When that is new it is an event, and its cron is made again."""
    last = await shop.heartbeat.last()
    late = is_late(shop, last)
    if late and not was_late:
        emit("reconciler.late", last_run=last.isoformat() if last else None)
        await keep_one_cron(shop.settings)
    return late


def how_reconciler_is(shop: Services, last: datetime | None) -> Literal["off", "late", "on time"]:
    """How the reconciler is that last ran then; `off`: it has no cron."""
    if not shop.settings.reconcile_cron:
        return "off"
    return "late" if is_late(shop, last) else "on time"


def is_late(shop: Services, last: datetime | None) -> bool:
    """Whether the reconciler should have been started `TIMES_MISSED` times since it last ran, or since we have: by its
    cron, or, where whoever else starts it is not known, each minute."""
    now = shop.database.clock()
    known = [at for at in (last, shop.started_at) if at and not is_in_future(at, now)]
    if not known:  # the clock went back: nobody knows how long it has been
        return True
    times = croniter(shop.settings.reconcile_cron or EACH_MINUTE, max(known))
    for _ in range(TIMES_MISSED):
        due = times.get_next(datetime)
    return bool(due < now)
