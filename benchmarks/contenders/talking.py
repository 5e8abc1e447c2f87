"""The contender that is a build of ours to which customers speak: what a first message of a conversation costs."""

import asyncio
import time
from types import SimpleNamespace
from typing import Any

from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver

from agent.assistant.embedded import understand
from agent.customer_service.graph import graph
from benchmarks.contenders.given import Place
from benchmarks.contenders.shop import opened
from benchmarks.contenders.wire import Json, serve

_WHO = SimpleNamespace(identity="ada_park", permissions=["role:customer"])


async def turns(name: str, texts: list[str]) -> Json:
    """Each message in a conversation of its own: processor seconds of all."""
    desk = graph.copy(update={"checkpointer": InMemorySaver()})
    began = time.process_time()
    for number, text in enumerate(texts):
        config: Any = {"configurable": {"thread_id": f"{name}-{number}", "langgraph_auth_user": _WHO}}
        await desk.ainvoke({"messages": [HumanMessage(text)]}, config)
    return {"cpu": time.process_time() - began}


async def readings(texts: list[str]) -> Json:
    """Each message understood without a model, and nothing done about it: processor seconds of all."""
    began = time.process_time()
    for text in texts:
        understand(text, pending=False)
    return {"cpu": time.process_time() - began}


async def main() -> None:
    """Serve until nothing more is asked."""
    async with opened(Place.of_arguments()):
        await serve({act.__name__: act for act in (turns, readings)})


if __name__ == "__main__":
    asyncio.run(main())
