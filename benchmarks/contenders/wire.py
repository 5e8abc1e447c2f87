"""How a contender hears what to do and answers, and how it is timed: the same for all of them."""

import asyncio
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, TypeVar

T = TypeVar("T")
Json = dict[str, Any]
Act = Callable[..., Awaitable[Json]]


async def serve(acts: Mapping[str, Act]) -> None:
    """Answer each line of standard input, `{"do": NAME, **arguments}`, by the act of that name, until there is no more.

    Standard output belongs to the answers: whatever else is printed goes where errors go.
    """
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    print(json.dumps({"ready": True}), file=answers)
    while line := await asyncio.to_thread(sys.stdin.readline):
        asked = json.loads(line)
        print(json.dumps(await acts[asked.pop("do")](**asked)), file=answers)


async def timed(items: Iterable[T], at_once: int, act: Callable[[T], Awaitable[str]]) -> Json:
    """Do all items, so many at once: seconds in all and of each, processor seconds of this process, and outcomes."""
    waiting, seconds, outcomes = iter(items), [], Counter[str]()

    async def work() -> None:
        for item in waiting:
            began = time.perf_counter()
            outcome = await act(item)
            seconds.append(time.perf_counter() - began)
            outcomes[outcome] += 1

    began, cpu = time.perf_counter(), time.process_time()
    async with asyncio.TaskGroup() as workers:
        for _ in range(at_once):
            workers.create_task(work())
    return {
        "wall": time.perf_counter() - began,
        "cpu": time.process_time() - cpu,
        "seconds": seconds,
        "outcomes": outcomes,
    }
