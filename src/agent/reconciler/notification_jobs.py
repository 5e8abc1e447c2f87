"""The reconciler's jobs about news: conversations are woken to tell it, webhooks are sent.

What is news, and what was told, is in `commerce`; the sentences are the desk's.
"""

from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import APIStatusError, NotFoundError

from agent.platform import drive_conversation, service_client
from agent.reconciler.jobs import ReconcilerState, Update
from agent.services import Services, services


async def tell(state: ReconcilerState) -> Update:  # noqa: ARG001
    """Have conversations tell what their customers have not heard yet."""
    shop = await services()
    client = await service_client(shop.settings)
    return {
        "report": {"told": {thread: await _tell(client, shop, thread) for thread in await shop.news.conversations()}}
    }


async def send(state: ReconcilerState) -> Update:  # noqa: ARG001
    """Send the webhooks that are due."""
    return {"report": {"sent": await (await services()).outbox.send()}}


async def _tell(client: LangGraphClient, shop: Services, thread_id: str) -> str:
    """A run without a message; one that waits for people comes back to the same request after it."""
    try:
        thread = await client.threads.get(thread_id)
        if thread["status"] == "busy":
            return "at work"
        await drive_conversation(client, thread_id)
    except NotFoundError:
        await shop.news.forget(thread_id)
        return "thread is gone"
    except APIStatusError as error:
        return f"refused ({error.response.status_code})"
    return "woken"
