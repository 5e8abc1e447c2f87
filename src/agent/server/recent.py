"""What this process has seen in the last hour that the ledger does not time: its last events, failures by minute, and
how many waited for people at each minute. Bounded, and gone with the process: another worker has seen other things.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from threading import Lock
from typing import Any, Final

from typing_extensions import TypedDict

from agent.ledger.database import Clock, utc_now
from agent.ledger.database_errors import UNUSABLE
from agent.ledger.schema import SchemaError
from agent.observability.events import EventName
from agent.observability.vocabulary import WORDS
from agent.server.ledger_facts import LedgerFacts, ledger_facts
from agent.services import services

LAST_EVENTS: Final = 50
MINUTES: Final = 60
SAMPLE_EVERY_SECONDS: Final = 20.0

NOT_KEPT: Final[frozenset[EventName]] = frozenset(("cache.hit", "model.call"))
"""Too many to be among the last ones."""

MINUTE: Final = timedelta(minutes=1)


class Event(TypedDict):
    """Something that happened: when (ISO 8601, UTC), by name, with ids, enums and amounts."""

    at: str
    event: str
    fields: dict[str, Any]


class Recent:
    """The last hour of this process. Events come from any thread."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self.clock = clock
        self._began = clock()
        self._lock = Lock()
        self._events: deque[Event] = deque(maxlen=LAST_EVENTS)
        self._failures = Counter[datetime]()
        self._waiting: dict[datetime, int] = {}
        self._last: dict[str, datetime] = {}

    def hear(self, event: EventName, fields: Mapping[str, Any]) -> None:
        """Take an event in. Words may quote somebody: they are left out."""
        now = self.clock()
        said = {name: value for name, value in fields.items() if name not in WORDS and value is not None}
        with self._lock:
            self._last[event] = now
            if event not in NOT_KEPT:
                self._events.append(Event(at=now.isoformat(), event=event, fields=said))
            if event.endswith(".failed") or event in ("node.retried", "ledger.unusable"):
                self._failures[minute_of(now)] += 1
                self._forget_before(now)

    def sample(self, facts: LedgerFacts) -> None:
        """Keep how many wait for people in this minute."""
        waiting = sum(queue.count for queues in (facts.requests, facts.tickets) for queue in queues.values())
        with self._lock:
            self._waiting[minute_of(self.clock())] = waiting
            self._forget_before(self.clock())

    def events(self) -> list[Event]:
        """The last ones, the latest first."""
        with self._lock:
            return list(self._events)[::-1]

    def last(self, event: EventName, within: timedelta) -> datetime | None:
        """When this last happened; None: not within this time."""
        at = self._last.get(event)
        return at if at and self.clock() - at <= within else None

    def failures(self) -> list[int | None]:
        """By minute, the present one last; None: before this process began."""
        return [self._failures[each] if each >= minute_of(self._began) else None for each in minutes(self.clock())]

    def waiting(self) -> list[int | None]:
        """By minute, the present one last; None: nobody looked."""
        return [self._waiting.get(each) for each in minutes(self.clock())]

    def _forget_before(self, now: datetime) -> None:
        oldest = minutes(now)[0]
        for kept in (self._failures, self._waiting):
            for each in [each for each in kept if each < oldest]:
                del kept[each]


def minute_of(at: datetime) -> datetime:
    """The minute in which a moment lies."""
    return at.replace(second=0, microsecond=0)


def minutes(now: datetime) -> list[datetime]:
    """The last hour's minutes, the present one last."""
    return [minute_of(now) - MINUTE * ago for ago in reversed(range(MINUTES))]


RECENT: Final = Recent()
"""This process's."""


async def keep_sampling() -> None:
    """Go on looking who waits, also while nobody asks for the overview. A ledger that can't be read leaves a gap."""
    while True:
        await asyncio.sleep(SAMPLE_EVERY_SECONDS)
        with suppress(*UNUSABLE, SchemaError):
            shop = await services()
            RECENT.sample(await shop.database.read(partial(ledger_facts, shop=shop)))
