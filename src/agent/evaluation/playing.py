"""Conversations on the real graph, each on a ledger as the shop is seeded, and what each turn came to.

Everything outside is the sandbox in this process: no setting of the server reaches it, but those of the models.
"""

import shutil
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, Final
from uuid import uuid4

from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from sqlalchemy import select
from sqlalchemy.orm import Session

from agent import services as composition
from agent.commerce.dispatcher import HANDLERS
from agent.customer_service.graph import graph
from agent.evaluation.conversations import NOBODY, Conversation
from agent.identity import Caller
from agent.ledger.tables import ApprovalRow, EffectRow, TicketRow
from agent.observability.cache import CountingCache
from agent.observability.events import listening
from agent.services import Services
from agent.settings import Settings

STOREFRONT: Final = Caller("storefront", "channel")
_COMMANDS: Final = {command.__name__ for command in HANDLERS} - {"OpenTicket"}


@dataclass(frozen=True)
class Named:
    """A capability, with slots or arguments."""

    name: str
    values: dict[str, Any]


@dataclass(frozen=True)
class Came:
    """What a turn came to: see `conversations.Turn`.

    `waited` are the proposals that were listed before and wait still. `asked_now` is whether the desk asked back in
    this turn, and did not leave an earlier question open.
    """

    reply: str
    topics: tuple[Named, ...] = ()
    proposed: tuple[Named, ...] = ()
    waited: tuple[Named, ...] = ()
    asked: tuple[str, ...] = ()
    asked_now: bool = False
    done: tuple[str, ...] = ()
    sent: tuple[str, ...] = ()
    person: bool = False
    seconds: float = 0.0
    calls: int = 0
    tokens: int = 0


@dataclass(frozen=True)
class _Facts:
    """What the ledger holds: commands that were carried out, requests for approval, tickets; by key."""

    commands: dict[str, str] = field(default_factory=dict)
    requests: dict[str, str] = field(default_factory=dict)
    tickets: frozenset[str] = frozenset()


def settings_for(config: Settings, folder: Path, model: str | None) -> Settings:
    """Settings of a shop in `folder` on which nothing is set, but what is about models if one is to be asked."""
    of_models = {name: getattr(config, name) for name in Settings.model_fields if "model" in name or "openai" in name}
    unset = Settings.model_construct(data_dir=folder, tokens_file=folder / "tokens.json")  # not from the environment
    return unset.model_copy(update=of_models | {"model": model} if model else {})


class Stage:
    """Where conversations are played: a shop that is as it was seeded at the beginning of each."""

    def __init__(self, shop: Services, seeded: Path) -> None:
        self._shop = shop
        self._seeded = seeded

    async def play(self, conversation: Conversation) -> list[Came]:
        """What each turn of a conversation came to."""
        for file in self._seeded.glob("*.db"):  # the ledger's, and the sandbox's
            with (
                closing(sqlite3.connect(file)) as kept,
                closing(sqlite3.connect(self._shop.settings.data_dir / file.name)) as present,
            ):
                kept.backup(present)
        return await _played(self._shop, conversation)


@asynccontextmanager
async def stage(config: Settings, model: str | None) -> AsyncIterator[Stage]:
    """A stage with the shop's catalogue, whose customers are served by `model`, or by the embedded responder. It is the
    process's services meanwhile.

    Raises ValueError for a shop without a catalogue.
    """
    with TemporaryDirectory(prefix="desk-eval-") as folder:
        seeded, present = Path(folder) / "seeded", Path(folder) / "present"
        await (await composition.build(settings_for(config, seeded, model))).close()
        shutil.copytree(seeded, present)
        shop = await composition.build(settings_for(config, present, model))
        composition.replace(shop)
        try:
            if not await shop.queries.product_names():
                raise ValueError("the shop has no catalogue.json: conversations are with customers of one")
            yield Stage(shop, seeded)
        finally:
            composition.replace(None)
            await shop.close()


async def _played(shop: Services, conversation: Conversation) -> list[Came]:
    nobody = conversation.customer == NOBODY
    who = STOREFRONT if nobody else Caller(conversation.customer, "customer")
    if not nobody and not await shop.queries.customer_exists(who.identity):
        raise ValueError(f"{conversation.name}: the shop has no customer {who.identity!r}")
    desk = graph.copy(update={"checkpointer": InMemorySaver(), "cache": CountingCache("evaluation")})
    config: Any = {
        "recursion_limit": 60,
        "configurable": {
            "thread_id": str(uuid4()),
            "langgraph_auth_user": SimpleNamespace(identity=who.identity, permissions=[f"role:{who.role}"]),
        },
    }
    came: list[Came] = []
    state: dict[str, Any] = {}
    facts = await shop.database.read(_facts)
    for turn in conversation.turns:
        began = time.perf_counter()
        with _counting() as calls:
            await desk.ainvoke({"messages": [HumanMessage(turn.says)]}, config)
        seconds = time.perf_counter() - began
        before, facts = facts, await shop.database.read(_facts)
        earlier, state = state, dict((await desk.aget_state(config)).values)
        came.append(_came(earlier, state, before, facts, seconds=seconds, calls=len(calls), tokens=sum(calls)))
    return came


@contextmanager
def _counting() -> Iterator[list[int]]:
    """The tokens of each call of a model meanwhile."""
    calls: list[int] = []

    def listen(event: str, fields: Mapping[str, Any]) -> None:
        if event == "model.call":
            calls.append(int(fields.get("tokens") or 0))

    with listening(listen):
        yield calls


def _facts(session: Session) -> _Facts:
    effects = session.execute(select(EffectRow.key, EffectRow.name, EffectRow.answer)).all()
    return _Facts(
        commands={key: name for key, name, answer in effects if name in _COMMANDS and "denied" not in answer},
        requests={row.id: str(row.action["name"]) for row in session.scalars(select(ApprovalRow))},
        tickets=frozenset(session.scalars(select(TicketRow.id))),
    )


def _came(earlier: dict[str, Any], state: dict[str, Any], before: _Facts, after: _Facts, **measured: Any) -> Came:
    topics = tuple(Named(each["capability"], each["slots"]) for each in state.get("topics") or ())
    proposed, waited = _proposals(state), _proposals(earlier)
    asked = _questions(state)
    said = len(earlier.get("messages", ()))
    return Came(
        reply="\n\n".join(str(message.content) for message in state["messages"][said + 1 :]),
        topics=topics,
        proposed=proposed,
        waited=waited if waited == proposed else (),
        asked=asked,
        asked_now=bool(asked and topics),
        done=tuple(name for key, name in after.commands.items() if key not in before.commands),
        sent=tuple(name for key, name in after.requests.items() if key not in before.requests),
        person=bool(after.tickets - before.tickets),
        **measured,
    )


def _proposals(state: dict[str, Any]) -> tuple[Named, ...]:
    """The changes that wait for the customer's yes."""
    plan = state.get("plan")
    return tuple(Named(action["name"], action["arguments"]) for action in plan["actions"]) if plan else ()


def _questions(state: dict[str, Any]) -> tuple[str, ...]:
    """The slots of wishes that the desk waits for; there may be one such wish, or a list of them."""
    unfinished = state.get("unfinished") or ()
    several = unfinished if isinstance(unfinished, list) else [unfinished] if unfinished else []
    return tuple(dict.fromkeys(str(wish["asked"]) for wish in several))
