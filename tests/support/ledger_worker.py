"""A worker of a shop, told what to do line by line: `python -m tests.support.ledger_worker`.

A line is JSON: `home` (settings), `now`, `act` and its arguments. The worker says `ready` when it has opened the
ledger, does the act when the next line has come, and says what came of it: so two of them act at the same time.

An act is one of ACTS below, or a method of the services by its name (`payments.capture`). With `freeze`, a method of
the outside world by name, the worker stands still (SIGSTOP) as soon as that has done its work, or with `before:` in
front of it just before it does: whoever wakes it has a zombie. What `breaks` is not reached.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import asdict, is_dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from operator import attrgetter
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from agent import services as composition
from agent.admin import erasure
from agent.approvals import index
from agent.approvals.requests import Action
from agent.commerce import commands, ticket_commands
from agent.commerce.locks import open_ticket
from agent.commerce.shop_import import import_shop
from agent.identity import Caller
from agent.ledger.schema import newest
from agent.node_policies import BUDGETS
from agent.notifications.staff_delivery import StaffDelivery
from agent.notifications.webhook import NotDeliveredError
from agent.notifications.webhook_delivery import WebhookDelivery
from agent.order_processing.graph import graph
from agent.providers.payment import PaymentNotSentError
from agent.providers.sandbox import SandboxProvider
from agent.providers.sandbox_carrier import SandboxCarrier
from agent.resilience import CircuitOpenError
from agent.services import Services
from agent.settings import Settings
from tests.releases.threads import as_text, of_text, put_back, recorded
from tests.support.goods import goods
from tests.support.orders import LARGE, SMALL, redrive_order
from tests.support.orders import place as place_order
from tests.support.outside import with_second
from tests.support.platform_stub import Platform
from tests.support.threads import APPROVE, Thread, seen, staff

Act = Callable[..., Awaitable[Any]]


async def knows(_: Services) -> str:
    """The newest step of the schema that this worker's release knows."""
    return newest()


async def place(shop: Services, order: dict[str, Any]) -> Any:
    """A storefront submits an order."""
    new = commands.NewOrder.model_validate(order)
    key = f"order:{new.order_id}:place"
    return await shop.commerce.place(
        commands.PlaceOrder(key=key, actor="storefront", subject=new.customer_id, order=new)
    )


async def run(shop: Services, form: str, **arguments: Any) -> Any:
    """A command."""
    found: Any = getattr(commands, form, None) or getattr(ticket_commands, form)
    return await shop.commerce.run(found(**arguments))


async def drive(shop: Services, order_id: str) -> Any:
    """The reconciler drives an order on: its graph, on a thread that only this worker has in memory."""
    thread = Thread(graph, (await shop.queries.get(order_id))["thread_id"])
    ended = await redrive_order(thread, order_id)
    return {"stage": ended.get("processing_stage")}


async def order_that_waits(shop: Services, order_id: str) -> str:
    """Ada places a large order; its thread, where it waits for people, as its saver holds it."""
    thread, _ = await place_order(LARGE, order_id=order_id)
    return as_text([await recorded(thread)])


async def order_that_flows(shop: Services, order_id: str) -> Any:
    """Ada places a small order."""
    return (await place_order(SMALL, order_id=order_id))[1]["processing_stage"]


async def approve(shop: Services, text: str) -> Any:
    """Everybody who is asked on a thread says yes; how often people were asked, and where the order is then."""
    [known] = of_text(text)
    thread, asked = Thread(graph, known["thread_id"]), 0
    await put_back(thread, known)
    while view := await thread.waits_for():
        await thread.answer(seen(view, APPROVE), staff(view["roles"][0]))  # type: ignore[arg-type]
        asked += 1
    return asked, (await thread.values())["processing_stage"]


async def ask_people(shop: Services, action: dict[str, Any], case: Any, **about: Any) -> Any:
    """A node opens a request."""
    return await shop.approvals.open(Action(**action), case, **about)


async def answer(shop: Services, request_id: str, seen: str, said: Any, who: tuple[str, Any]) -> Any:
    """Somebody answers a request."""
    caller = Caller(*who)
    return await shop.database.write(lambda session: shop.approvals.decide_in(session, request_id, seen, said, caller))


async def question(shop: Services, request_id: str, text: str, who: tuple[str, Any], key: str) -> Any:
    """Somebody asks the customer about a request."""
    return await shop.questions.ask(request_id, text, Caller(*who), key)


async def capture_by_two(shop: Services, order_id: str) -> Any:
    """An order is charged where there are two providers, of which what `breaks` is the first's."""
    both = with_second(shop)
    try:
        return await both.payments.capture(order_id)
    finally:
        await both.providers.clients[1].aclose()


async def deliver(shop: Services, file: str, audience: str = "customers", fails: str = "") -> Any:
    """Deliver to a receiver of webhooks, or to an address of staff's, that writes each arrival into a file."""

    async def arrives(what: str) -> None:
        await moment("receiver")
        match fails:
            case "breaker":
                raise CircuitOpenError("receiver", None, 1.0)
            case "refused":
                raise NotDeliveredError("500")
        with Path(file).open("a") as opened:  # noqa: ASYNC230  (one line)
            opened.write(f"{what}\n")

    if audience == "*":
        address: Any = SimpleNamespace(send=arrives)
        return await StaffDelivery(shop.database, {"*": address}).deliver()
    receiver: Any = SimpleNamespace(take=lambda key, _: arrives(key))
    return await WebhookDelivery(shop.database, {audience: receiver}).deliver()


async def give_up_thread(shop: Services, order_id: str) -> Any:
    """The order's thread has failed."""
    return await shop.orders.give_up_thread(order_id, timedelta(minutes=1))


async def forget(shop: Services, customer_id: str) -> Any:
    """A customer is forgotten."""
    now = shop.database.clock()
    return await shop.database.write(
        lambda session: erasure.erase(session, shop.approvals.trail, customer_id, "desk:ops", now)
    )


async def load(shop: Services) -> Any:
    """A shop is imported."""
    return await import_shop(shop.database, shop.providers.past, goods(), pay_again=True)


async def open_case(shop: Services, about: str) -> Any:
    """A person is to look into something, of which no order is known."""
    now = shop.database.clock()
    return await shop.database.write(
        lambda session: open_ticket(session, None, about, topic="billing", text="?", now=now)
    )


async def compare(shop: Services) -> Any:
    """The books are compared with the provider's."""
    return await shop.comparison.compare(shop.database.clock() - timedelta(days=7))


async def retry(_: Services, dependency: str, times: int) -> int:
    """So many nodes fail at a dependency; how many of them are tried again."""
    return sum(BUDGETS[dependency].allows(ConnectionError()) for _ in range(times))


async def retries_left(_: Services, dependency: str) -> float:
    """What this worker knows to be left of a budget."""
    return BUDGETS[dependency].left()


ACTS: Final[dict[str, Act]] = {
    act.__name__: act
    for act in (
        knows,
        place,
        run,
        drive,
        order_that_waits,
        order_that_flows,
        approve,
        ask_people,
        answer,
        question,
        capture_by_two,
        deliver,
        give_up_thread,
        forget,
        load,
        compare,
        open_case,
        retry,
        retries_left,
    )
}

OUTSIDE: Final = {
    "capture": SandboxProvider,
    "refund": SandboxProvider,
    "void": SandboxProvider,
    "book": SandboxCarrier,
}
_ORIGINALS: Final = {name: getattr(owner, name) for name, owner in OUTSIDE.items()}
_freeze: list[str] = []
_breaks: list[str] = []


async def moment(name: str) -> None:
    """Stand still here, if this is where: once."""
    if name in _freeze:
        _freeze.remove(name)
        os.kill(os.getpid(), signal.SIGSTOP)


def watched(name: str) -> Any:
    """A method of the outside world, before and after which the worker may stand still."""

    async def method(self: Any, *args: Any) -> Any:
        await moment(f"before:{name}")
        if name in _breaks and self.name != "second":
            raise PaymentNotSentError("no connection")
        answered = await _ORIGINALS[name](self, *args)
        await moment(name)
        return answered

    return method


async def main() -> None:
    """Obey until standard input ends."""
    sys.stdout = sys.stderr  # events are logged there; who started us hears answers only
    platform = Platform()
    vars(index)["service_client"] = lambda _: asyncio.sleep(0, nullcontext(platform.client))
    for name, owner in OUTSIDE.items():
        setattr(owner, name, watched(name))
    home: dict[str, Any] = {}
    shop: Services | None = None
    now = [datetime.min]
    while line := await asyncio.to_thread(sys.stdin.readline):
        order = json.loads(line)
        now[0] = datetime.fromisoformat(order["now"])
        _freeze[:], _breaks[:] = order["freeze"], [order["breaks"]]
        if shop is None or order["home"] != home:
            if shop:
                await shop.close()
            home = order["home"]
            shop = await composition.build(Settings(**home), lambda: now[0])
            composition.replace(shop)
        say("ready")
        await asyncio.to_thread(sys.stdin.readline)
        shop = replace(shop, started_at=now[0])
        act: Act = partial(ACTS[order["act"]], shop) if order["act"] in ACTS else attrgetter(order["act"])(shop)
        try:
            say({"answer": plain(await act(*order["args"], **order["named"]))})
        except Exception as error:  # noqa: BLE001  (whatever it is, the test hears of it)
            say({"error": type(error).__name__, "text": str(error)})
    if shop:
        await shop.close()


def plain(answer: Any) -> Any:
    """An answer as JSON can say it."""
    if isinstance(answer, list | tuple):
        return [plain(each) for each in answer]
    if hasattr(answer, "model_dump"):
        return answer.model_dump()
    return asdict(answer) if is_dataclass(answer) and not isinstance(answer, type) else answer


def say(what: Any) -> None:
    """One line to whoever started us."""
    print(json.dumps(what, default=str), file=sys.__stdout__, flush=True)


if __name__ == "__main__":
    asyncio.run(main())
