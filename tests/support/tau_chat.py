"""tau-bench's writes asked for by chat: a model over HTTP that makes the reference's calls through the desk's tools.

It looks up what a model would, takes ids as the tools give them, and proposes; the customer says yes, and so do people
where they are asked. Of the cases it knows the call that the reference makes, and nothing else.
"""

import json
import re
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import cache
from itertools import zip_longest
from threading import Lock
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from agent import services as composition
from agent.approvals import index
from agent.assistant.models import RequestType, Topic, Understanding
from agent.commerce.commands import Denial
from agent.commerce.policy import RULES
from agent.customer_service.graph import graph
from agent.customer_service.state import Plan, PlannedAction
from agent.identity import Caller
from agent.services import Services
from tests.support import tau_form
from tests.support.model_desk import is_triage, last_words, results, with_model
from tests.support.openai_stub import Step, calls, completes, understands
from tests.support.platform_stub import Platform
from tests.support.tau_form import Json
from tests.support.threads import APPROVE, Thread, seen, staff

Call = tuple[str, Json]
"""A tool's name, and its arguments."""


@dataclass(frozen=True)
class Wish:
    """What a customer asks for in one sentence, and what a model does about it: reads by step, and then a proposal."""

    sentence: str
    request_type: RequestType
    reads: tuple[list[Call], ...]
    proposal: Call

    @property
    def change(self) -> str:
        """The capability that makes it."""
        return self.proposal[0].removeprefix("propose_")


def wish_of(write: Json) -> Wish:
    """A write of tau-bench's as a wish. Raises NotImplementedError for what is not one of its retail writes."""
    given = write["arguments"]
    order = {"order_id": str(given.get("order_id", "")).lstrip("#")}  # as a customer writes it
    method = {name: given[name] for name in ("payment_method_id",) if name in given}
    match write["name"]:
        case "cancel_pending_order":
            topic, change, arguments = "order_cancel", "cancel_order", order | {"reason": given.get("reason")}
        case "modify_pending_order_items":
            topic, change, arguments = "order_change", "change_items", order | method | {"swaps": _swaps(given)}
        case "modify_pending_order_payment":
            topic, change, arguments = "order_change", "change_payment", order | {"method": given["payment_method_id"]}
        case "modify_pending_order_address":
            topic, change, arguments = "order_change", "change_address", order | {"where": tau_form.address(given)}
        case "return_delivered_order_items":
            pieces = [{"sku": sku, "quantity": number} for sku, number in Counter(given["item_ids"]).items()]
            topic, change, arguments = "order_return", "return_items", order | method | {"pieces": pieces}
        case "exchange_delivered_order_items":
            topic, change, arguments = "order_return", "exchange_items", order | method | {"swaps": _swaps(given)}
        case "modify_user_address":
            topic, change, arguments = "account", "profile_address", {"where": tau_form.address(given)}
        case "transfer_to_human_agents":
            topic, change, arguments = "person", "talk_to_person", {}
        case other:
            raise NotImplementedError(f"{other} is not one of tau-bench's writes in retail")
    first: list[Call] = [("find_my_orders", {}), ("show_my_account", {})]
    second: list[Call] = [("show_order", order)] if "order_id" in arguments else []
    second += (
        [("show_options", {"sku": sku}) for sku in dict.fromkeys(given["item_ids"])] if "swaps" in arguments else []
    )
    values = (" ".join(each) if isinstance(each, list) else str(each) for each in given.values())
    sentence = f"Please {write['name'].replace('_', ' ')}: {', '.join(values)}."
    reads = (first, second) if second else (first,)
    return Wish(sentence, topic, reads, (f"propose_{change}", arguments))  # type: ignore[arg-type]


def _swaps(given: Json) -> list[Json]:
    """Old pieces for new ones, as far as there is one for each: the rest is left for the form to refuse."""
    pairs = Counter(zip_longest(given["item_ids"], given["new_item_ids"]))
    return [
        {name: sku for name, sku in (("old", old), ("new", new)) if sku is not None} | {"quantity": number}
        for (old, new), number in pairs.items()
    ]


class PerfectModel:
    """Answers every request as a model would that understands all, makes nothing up, and knows the reference's call."""

    def __init__(self) -> None:
        self.wishes: Sequence[Wish] = ()
        self._lock = Lock()  # topics are looked into side by side
        self.asked_about(())

    def asked_about(self, wishes: Sequence[Wish]) -> None:
        """What the next message asks for; what it costs is counted anew."""
        self.wishes = wishes
        self.calls = Counter[str]()  # by the wish's sentence
        self.tokens = 0
        self.found: set[str] = set()  # what tools gave
        self.unseen: set[str] = set()  # ids in proposals that no tool had given before

    def __call__(self, request: Json) -> Step:
        """Answer, and tell what it cost: a token is four characters."""
        with self._lock:
            step = self._reading(request) if is_triage(request) else self._working(request)
            assert step.body  # it never hangs up
            tokens = (len(json.dumps(request)) + len(step.body)) // 4
            self.tokens += tokens
        answer = json.loads(step.body)
        answer["usage"] = {"prompt_tokens": tokens, "completion_tokens": 0, "total_tokens": tokens}
        return replace(step, body=json.dumps(answer).encode())

    def _reading(self, request: Json) -> Step:
        said = last_words(request)
        topics = [
            Topic(request_type=wish.request_type, text=wish.sentence, order_id=wish.proposal[1].get("order_id"))
            for wish in self.wishes
            if wish.sentence in said
        ]
        return understands(Understanding(act="request", topics=topics))

    def _working(self, request: Json) -> Step:
        told = str(request["messages"][0]["content"])
        wish = next(each for each in self.wishes if each.sentence in told)
        made, found = sum(bool(each.get("tool_calls")) for each in request["messages"]), results(request)
        self.calls[wish.sentence] += 1
        self.found.update(found)
        if made < len(wish.reads):
            return calls(*((name, as_found(given, found)) for name, given in wish.reads[made][:8]))
        if made == len(wish.reads):
            name, arguments = wish.proposal[0], as_found(wish.proposal[1], found)
            self.unseen.update(each for each in _ids(arguments) if each not in " ".join(found))
            return calls((name, arguments))
        lines = [line for result in found for line in result.split("\n")]
        known = as_found(wish.proposal[1], found).get("order_id")
        status = next((line for line in lines if known and line.startswith(f"Order {known} is ")), None)
        return completes(status or ("" if lines[-1].startswith("Proposed") else "Which one do you mean?"))


def as_found(given: Json, found: Sequence[str]) -> Json:
    """The arguments with the order's number as tools gave it; as the customer wrote it where none did."""
    ids = re.findall(r"Order (\S+) is ", "\n".join(found))
    meant = [each for each in ids if each.lstrip("#") == given.get("order_id")]
    return given | {"order_id": meant[0]} if meant else given


def _ids(arguments: Json) -> list[str]:
    """Which orders, items and methods a proposal names."""
    pieces = [*arguments.get("swaps", ()), *arguments.get("pieces", ())]
    named = [arguments.get(name) for name in ("order_id", "payment_method_id", "method")]
    named += [piece.get(name) for piece in pieces for name in ("old", "new", "sku")]
    return [each for each in named if each]


@dataclass(frozen=True)
class Exchange:
    """What was asked for in one message, what the desk said until all of it was done, or was not, and the changes that
    the customer said yes to."""

    wishes: Sequence[Wish]
    replies: list[str]
    agreed: list[PlannedAction]
    made_at_once: bool

    def denial(self, unsayable: Denial | None = None) -> Denial | None:
        """By which rule it was denied, in the words that the customer was told; without one ORDER-INPUT, or the denial
        of what no tool can say."""
        if told := self.told_denial():
            return told
        if self.agreed or self.made_at_once:
            return None
        return unsayable or Denial(rule="ORDER-INPUT", sentence=self.replies[-1])

    def told_denial(self) -> Denial | None:
        """The first denial that the customer was told."""
        said = "\n".join(self.replies)
        told = [(said.find(sentence), rule) for rule, sentence in RULES.items() if sentence in said]
        return Denial(rule=min(told)[1], sentence=RULES[min(told)[1]]) if told else None


class Chat:
    """Customers who talk to the desk, each in a conversation of their own."""

    def __init__(self, model: PerfectModel) -> None:
        self.model = model
        self._threads: dict[str, Thread] = {}

    async def ask(self, customer: str, *wishes: Wish) -> Exchange:
        """Ask for these in one message. The customer says yes to what they asked for, and no to anything else; so do
        people, one role after the other, until nothing waits for them."""
        who, asked_for = Caller(customer, "customer"), {wish.change for wish in wishes}
        thread = self._threads.setdefault(customer, Thread(graph, f"chat-{customer}"))
        self.model.asked_about(wishes)
        replies = [await _say(thread, " ".join(wish.sentence for wish in wishes), who)]
        plan: Plan | None = (await thread.values()).get("plan")
        proposed = plan["actions"] if plan else []
        agreed = proposed if {action["name"] for action in proposed} <= asked_for else []
        if proposed:
            replies.append(await _say(thread, "yes" if agreed else "no", who))
        while view := await thread.waits_for():
            ended = await thread.answer(seen(view, APPROVE), staff(view["roles"][0]))  # type: ignore[arg-type]
            replies.append(str(ended["messages"][-1].content))
        at_once = "talk_to_person" in asked_for and " as case " in replies[0]
        return Exchange(wishes, replies, agreed, at_once)


async def _say(thread: Thread, text: str, who: Caller) -> str:
    return str((await thread.run({"messages": [HumanMessage(text)]}, who))["messages"][-1].content)


_certificates = cache(ssl.create_default_context)
"""Read once, and not for each model: a sixth of what a case costs."""


@asynccontextmanager
async def talking(shop: Services) -> AsyncIterator[Chat]:
    """A chat with the desk of this shop, in place of the process's."""
    model, platform = PerfectModel(), Platform()  # on whose threads it is written what they wait for

    async def client(_: Any) -> Any:
        return nullcontext(platform.client)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(index, "service_client", client)
        patch.setattr(ssl, "create_default_context", _certificates)
        try:
            async with with_model(shop, model):
                yield Chat(model)
        finally:
            composition.replace(None)
            await platform.client.aclose()
