"""Calls from the server to itself: by URL, as the service account (law 16).

The in-process loopback client would carry no roles, or nobody at all, and is not there on every engine.
"""

import asyncio
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from langgraph.runtime import Runtime
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient

from agent.identity import TokensError, read_tokens
from agent.settings import Settings


def order_thread(order_id: str, generation: int = 0) -> str:
    """The thread id of an order, so that any worker, and any client, can find it."""
    return str(uuid5(NAMESPACE_URL, f"order:{order_id}:{generation}"))


def this_thread(runtime: Runtime[Any]) -> str:
    """The id of the thread that a node runs on; empty outside a thread."""
    return (runtime.execution_info.thread_id if runtime.execution_info else None) or ""


async def drive_on(client: LangGraphClient, thread_id: str, order_id: str) -> None:
    """Have an order's graph go on from the ledger, on this thread; a run that is at work there refuses (409)."""
    await client.runs.create(
        thread_id,
        "order_processing",
        input={"order": {"order_id": order_id}},
        multitask_strategy="reject",
    )


async def service_client(settings: Settings) -> LangGraphClient:
    """The server's own API as the service account. Raises `TokensError` when there is no such token."""
    tokens = await asyncio.to_thread(read_tokens, settings.tokens_file)
    token = next((token for token, caller in tokens.items() if caller.role == "service"), None)
    if token is None:
        raise TokensError(f"{settings.tokens_file} has no token of role service: add one")
    return get_client(url=settings.langgraph_api_url, api_key=token)
