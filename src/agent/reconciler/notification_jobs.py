"""The reconciler's jobs about notifications: conversations are woken for them, webhooks and addresses are sent them.

What is pending and what was delivered is in `notifications`; the sentences of conversations are the desk's.
"""

import asyncio

from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import APIStatusError, NotFoundError

from agent.platform import drive_conversation, service_client
from agent.reconciler.jobs import ReconcilerState, Update
from agent.services import Services, services


async def wake_conversations(state: ReconcilerState) -> Update:  # noqa: ARG001
    """Wake the conversations whose customers have pending notifications."""
    shop = await services()
    client = await service_client(shop.settings)
    woken = {thread: await _wake(client, shop, thread) for thread in await shop.notifications.with_pending()}
    return {"report": {"conversations": woken}}


async def deliver(state: ReconcilerState) -> Update:  # noqa: ARG001
    """Send the webhooks that are due, and what is due at addresses of staff."""
    shop = await services()
    webhooks, addresses = await asyncio.gather(shop.webhook_delivery.deliver(), shop.staff_delivery.deliver())
    return {"report": {"delivered": webhooks | addresses}}


async def _wake(client: LangGraphClient, shop: Services, thread_id: str) -> str:
    """A run without a message; one that waits for people comes back to the same request after it."""
    try:
        thread = await client.threads.get(thread_id)
        if thread["status"] == "busy":
            return "at work"
        await drive_conversation(client, thread_id)
    except NotFoundError:
        await shop.notifications.forget_conversation(thread_id)
        return "thread is gone"
    except APIStatusError as error:
        return f"refused ({error.response.status_code})"
    return "woken"
