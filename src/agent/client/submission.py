"""A batch of orders on its way into the ledger: sent, confirmed there, and sent again if the ledger has no such order.

A 200, or a stream, only says that a run was begun. An order is accepted when the ledger has it; from then on the desk
itself brings it to its end. Its id makes sending it again safe: the same order is placed once.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import httpx
from langgraph_sdk.errors import ConflictError, NotFoundError

from agent.client.batch import Row, thread_of
from agent.client.connection import DeskError, ExitCode, LostError, explained, failure
from agent.client.outage import until_settled
from agent.client.runs import follow
from agent.client.session import Session

GRAPH = "order_processing"
CONCURRENCY = 4

Known = dict[str, Any] | None
"""An order as the ledger has it; None: there is none of this id."""

TRIES = 3
"""How often an order is sent that the ledger does not get, before it counts as unknown."""

LAST_LOOK = 5.0
"""Seconds that a batch which was stopped takes to see where its orders stand."""


class Submission:
    """The rows of one file, a few at once. Each ends with a result, and is told about once, whatever happens."""

    def __init__(self, session: Session, rows: list[Row]) -> None:
        self._session, self._rows = session, rows
        self._slots = asyncio.Semaphore(CONCURRENCY)
        self._reached = False
        self._gone: DeskError | None = None
        self._owner = ""

    async def run(self) -> bool:
        """Take every row to its result. False: it was cancelled, and what was not sent by then is not sent."""
        try:
            await asyncio.gather(*(self._take(row) for row in self._rows))
        except asyncio.CancelledError:
            await asyncio.gather(*(self._leave(row) for row in self._rows if not row.told))
            return False
        return True

    async def _take(self, row: Row) -> None:
        async with self._slots:
            if row.order:
                try:
                    with explained(self._session.url):
                        await self._submit(row, row.order)
                except DeskError as error:
                    row.error = error
        self._finish(row)

    async def _submit(self, row: Row, order: dict[str, Any]) -> None:
        """Send an order until the ledger has it or a rule refuses it. Raises `DeskError`."""
        broken: DeskError | None = None
        for _ in range(TRIES):
            broken = await self._send(row, order)
            if row.denial:
                return
            known = await self._look_up(row)
            if known and not broken:
                return
            if known and row.is_the(known):
                row.know(known)
                await self._follow(row)
                return
            self._tell(row, "sent again under its id: the ledger has " + ("another" if known else "no such order"))
        raise broken or LostError(f"sent {TRIES} times, and the ledger does not have it")

    async def _send(self, row: Row, order: dict[str, Any]) -> DeskError | None:
        """One run of an order. Returns why its end is not known, if it is not; a denial is the row's."""
        while True:
            if self._gone:  # the rest need not find that out one by one
                raise self._gone
            row.sent += 1
            self._tell(row, "sent")
            try:
                row.thread_id = thread_of(row.name, await self._me())
                outcome = await follow(
                    self._session.client, row.thread_id, GRAPH, lambda text: self._tell(row, text),
                    input={"order": order}, create_thread=True, look="Send it again: its id makes that safe",
                )  # fmt: skip
            except ConflictError:  # an earlier run of it is at work
                await self._look_up(row, bool)
                return LostError("another run of it is at work, and the ledger does not have it yet")
            except NotFoundError as error:  # the thread is another's; the order may be ours all the same
                return failure(self._session.url, error)
            except httpx.HTTPStatusError:
                raise
            except httpx.HTTPError as error:
                row.sent -= 1  # surely
                if not self._reached:
                    self._gone = failure(self._session.url, error)
                    raise self._gone from error
                self._tell(row, "the server is away: waits for it")
                await self._look_up(row)
            except DeskError as error:
                self._reached = True
                return error
            else:
                self._reached = True
                row.finish(outcome)
                return None if row.denial else row.error

    async def _look_up(self, row: Row, settled: Callable[[Known], bool] = lambda _: True) -> Known:
        """The order of this id as the ledger has it, `settled` or when that takes too long; a server that is away is
        waited for. Raises `DeskError`."""
        try:
            return await until_settled(lambda: self._order(row), settled)
        except httpx.HTTPError as error:
            self._gone = failure(self._session.url, error)
            if row.sent:
                raise LostError(f"sent, and not known what became of it: {self._gone.message}") from error
            raise self._gone from error

    async def _follow(self, row: Row) -> None:
        """Read in the ledger how an order goes on until it rests; past that it stays as it was last seen."""

        def rests(known: Known) -> bool:
            if known:
                row.know(known)
                self._tell(row, row.result)
            return not row.moving

        with suppress(LostError):
            await self._look_up(row, rests)

    async def _leave(self, row: Row) -> None:
        """Say where an order stands that was not followed to its end."""
        if row.order and not row.sent:
            row.error = DeskError("not sent", ExitCode.INTERRUPTED)
        elif row.order and not (row.denial or row.error):
            row.error = LostError("sent, and the ledger does not have it yet")
            try:
                async with asyncio.timeout(LAST_LOOK):
                    known = await self._order(row)
                if known and row.is_the(known):
                    row.know(known)
            except (TimeoutError, httpx.HTTPError, httpx.InvalidURL):
                row.error = LostError(f"sent, and {self._session.url} can't be asked what became of it")
        self._finish(row)

    async def _me(self) -> str:
        """Who the server takes this client for: an order's thread is made of it."""
        self._owner = self._owner or str((await self._session.client.http.get("/ops/me"))["owner"])
        return self._owner

    async def _order(self, row: Row) -> Known:
        try:
            return await self._session.client.http.get(f"/ops/orders/{quote(row.name, safe='')}")  # type: ignore[no-any-return]
        except NotFoundError:
            return None

    def _finish(self, row: Row) -> None:
        row.told = True
        self._session.screen.document(row.document())
        self._tell(row, row.result)

    def _tell(self, row: Row, text: str) -> None:
        if text != row.doing:
            row.doing = text
            if not self._session.screen.live:
                self._session.screen.progress(f"{row.name}: {text}")
