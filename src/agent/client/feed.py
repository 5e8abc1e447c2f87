"""The open requests as a stream of changes, one JSON document each, for programs. People have `watch`."""

import asyncio

from agent.approvals.models import ApprovalView
from agent.client.inbox import UnavailableError, listed, patiently
from agent.client.session import Session


async def feed(session: Session, role: str | None, limit: int, every: float) -> None:
    """Print what changed, looking `every` so many seconds, until the process is ended.

    `event` is `waits` (open, or open again), `changed` or `gone` (decided, or its thread is at work) of a request;
    `more`: there are others past the limit, which are not among these; `away` or `back` of the server. Raises
    `DeskError` for what will not pass, such as a token that is not known.
    """
    before: dict[str, ApprovalView] = {}
    away = told_of_more = False
    while True:
        try:
            async with patiently(session):
                requests, more = await listed(session.client, role, limit)
        except UnavailableError as error:
            if not away:
                session.screen.document({"event": "away", "error": error.message})
            away = True
        else:
            if away:
                session.screen.document({"event": "back"})
            away = False
            now = {each.view["request_id"]: each.view for each in requests}
            for request_id, view in now.items():
                if view != before.get(request_id):
                    event = "changed" if request_id in before else "waits"
                    session.screen.document({"event": event, "request_id": request_id, "request": view})
            for request_id in before.keys() - now.keys():
                session.screen.document({"event": "gone", "request_id": request_id})
            if more and not told_of_more:
                session.screen.document({"event": "more", "shown": limit})
            before, told_of_more = now, more
        await asyncio.sleep(every)
