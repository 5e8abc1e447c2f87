"""Conversations with the desk, and what came of them at the card network.

What is said runs through the graph as the platform would run it, in this process.
"""

from dataclasses import replace
from typing import Any, Final

from langchain_core.messages import HumanMessage

from agent import services as composition
from agent.approvals.chains import REFUND_BY_BILLING
from agent.customer_service.graph import graph
from agent.identity import Caller
from agent.services import Services
from agent.shop import SHOP
from tests.support.goods import W1001
from tests.support.threads import Thread

ADA = Caller("ada_park", "customer")
BEN = Caller("ben_ortiz", "customer")
STOREFRONT = Caller("storefront", "channel")


def conversation(thread_id: str = "chat-1") -> Thread:
    """A new conversation."""
    return Thread(graph, thread_id)


async def say(thread: Thread, text: str, who: Caller | None = ADA, **context: Any) -> str:
    """Say something to the desk; its answer. `context` is what a channel sets."""
    ended = await thread.run({"messages": [HumanMessage(text)]}, who, context=context or None)
    return str(ended["messages"][-1].content)


def claims_reach(shop: Services, how: str) -> None:
    """Set how far it reaches to say who one is."""
    changed = shop.settings.model_copy(update={"identify_by_claim": how})
    composition.replace(replace(shop, settings=changed))


async def answer(thread: Thread, said: Any, who: Caller | None) -> str:
    """Answer the request at the gate; the desk's last words after it."""
    return str((await thread.answer(said, who))["messages"][-1].content)


LITTLE: Final = REFUND_BY_BILLING * 4 // 5
"""A refund that one general agent may approve: 40.00 at home."""
MUCH: Final = REFUND_BY_BILLING * 6 // 5
"""One that billing must: 60.00 at home."""


async def waiting_refund(amount: int = MUCH, thread: Thread | None = None) -> Thread:
    """A conversation in which Ada asked for a refund and said yes, and which waits for people now."""
    thread = thread or conversation()
    await say(thread, f"refund {SHOP.amount(amount)} of {W1001}")
    assert "sent this for approval" in await say(thread, "yes")
    return thread


async def refunds(shop: Services) -> list[int]:
    """What the card network gave back, by its own books."""
    told = (await shop.providers.clients[0].get("/charges")).json()["refunds"]
    return [refund["amount"] for refund in told]
