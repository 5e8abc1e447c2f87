"""Calls from the server to itself: by URL, as the service account (law 16).

The in-process loopback client would carry no roles, or nobody at all, and is not there on every engine.
"""

import asyncio
import ssl
from functools import cache
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import httpx
from langgraph.runtime import Runtime
from langgraph_sdk.client import LangGraphClient

from agent.settings import Settings
from agent.tokens import TokensError, read_tokens


def order_thread(order_id: str, owner: str, generation: int = 0) -> str:
    """The thread id of an order that `owner` placed (`identity.owner_of`): any worker and its own client find it, and
    nobody else can come to it, whose first run would make it theirs."""
    return str(uuid5(NAMESPACE_URL, f"order:{owner}:{order_id}:{generation}"))


def order_threads(order_id: str, owner: str, generations: int) -> set[str]:
    """The threads on which an order may be worked on: of its generations so far, also as release 0.2.0 named them."""
    old = {str(uuid5(NAMESPACE_URL, f"order:{order_id}:{generation}")) for generation in range(generations + 1)}
    return old | {order_thread(order_id, owner, generation) for generation in range(generations + 1)}


def is_order_thread(thread_id: UUID | str) -> bool:
    """Whether the thread is an order's: those ids are made from the order's id (version 5), all others at random."""
    return UUID(str(thread_id)).version == 5


def this_thread(runtime: Runtime[Any]) -> str:
    """The id of the thread that a node runs on; empty outside a thread."""
    return (runtime.execution_info.thread_id if runtime.execution_info else None) or ""


async def redrive_order(client: LangGraphClient, thread_id: str, order_id: str) -> None:
    """Have an order's graph go on from the ledger, on this thread; a run that is at work there refuses (409)."""
    await client.runs.create(
        thread_id,
        "order_processing",
        input={"order": {"order_id": order_id}},
        multitask_strategy="reject",
    )


async def drive_conversation(client: LangGraphClient, thread_id: str) -> None:
    """Have a conversation show what is pending and what it waits for, without a message; one at work refuses."""
    await client.runs.create(thread_id, "customer_service", input={"messages": []}, multitask_strategy="reject")


async def service_client(settings: Settings) -> LangGraphClient:
    """The server's own API as the service account, by SERVICE_TOKEN or its token in TOKENS_FILE.

    Raises `TokensError` when there is neither.
    """
    token = settings.service_token.get_secret_value() or await asyncio.to_thread(_service_token, settings.tokens_file)
    return api_client(settings.langgraph_api_url, token)


def api_client(url: str, token: str) -> LangGraphClient:
    """The API at `url` by this token: a client for a few calls, since one of httpx's belongs to one event loop.

    As the SDK makes it, but for the trusted certificates: it reads them anew for each client, which takes 20 ms in
    which the event loop stands still.
    """
    http = httpx.AsyncClient(
        base_url=url,
        transport=httpx.AsyncHTTPTransport(verify=_trusted(), retries=5),
        timeout=httpx.Timeout(connect=5, read=300, write=300, pool=5),
        headers={"x-api-key": token},
    )
    return LangGraphClient(http)


@cache
def _trusted() -> ssl.SSLContext:
    return httpx.create_ssl_context()


def _service_token(tokens_file: Path) -> str:
    for token, caller in read_tokens(tokens_file).items():
        if caller.role == "service":
            return token
    raise TokensError(f"{tokens_file} has no token of role service: add one")
