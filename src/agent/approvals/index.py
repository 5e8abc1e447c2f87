"""The index: which thread waits for whom, as metadata that `threads.search` finds, for `desk` and UIs.

A copy for finding, nothing more: the ledger is the truth, and nobody waits for this.
"""

import asyncio
from typing import Any, Final

import httpx
from langgraph_sdk.errors import LangGraphError

from agent.approvals.models import ApprovalView
from agent.observability.events import emit
from agent.platform import service_client
from agent.settings import Settings
from agent.tokens import TokensError

LONGEST_WAIT_SECONDS: Final = 2.0
"""An approval is held up by no more than this."""


class Index:
    """What threads say of the request that they wait for."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def show(self, thread_id: str, request: ApprovalView | None) -> None:
        """Write what a thread waits for onto it; nothing, when the request is decided or there is none."""
        try:
            async with asyncio.timeout(LONGEST_WAIT_SECONDS), await service_client(self._settings) as client:
                await client.threads.update(thread_id, metadata=entry(request), return_minimal=True)
        except (httpx.HTTPError, LangGraphError, TimeoutError, TokensError) as error:
            emit("index.failed", thread_id=thread_id, error=type(error).__name__)


def entry(request: ApprovalView | None) -> dict[str, Any]:
    """The metadata of a thread with this request.

    `awaiting` is the role whose step it is and `escalated_to` who may answer as well; nobody, unless it is open.
    """
    if request is None or request["status"] != "open":
        return {"awaiting": None, "escalated_to": None, "due": None}
    role, *escalated = request["roles"]
    return {
        "awaiting": role,
        "escalated_to": escalated[0] if escalated else None,
        "due": request["due"],
        "request_type": request["case"],
        "request_id": request["request_id"],
        "order_id": request["order_id"],
    }
