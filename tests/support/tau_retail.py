"""The shop of tau-bench (retail), and its cases run on our commands: real input that no one here made up.

`load_shop(db.json)` makes a shop document of it; `run_case(case)` runs a case on a ledger of its own and tells, in
tau's own form, what came of it; `run_by_chat(case)` has the same done by talking. Test data: it is read where it lies,
and nothing of it is kept here.
"""

import asyncio
import atexit
import json
import os
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cache
from itertools import count
from operator import eq
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from pydantic import ValidationError

from agent import services as composition
from agent.commerce import commands as ours
from agent.commerce.commands import Command, Denial, Swap
from agent.commerce.policy import RULES
from agent.commerce.shop_document import Shop
from agent.commerce.shop_import import import_shop
from agent.commerce.types import Address
from agent.ledger.database import Database
from agent.providers.factory import sandbox_client
from agent.providers.sandbox import SandboxProvider
from agent.services import Services
from agent.settings import Settings
from agent.text import first_error
from tests.support import tau_form
from tests.support.ledgers import home
from tests.support.scenes import Dump, dump
from tests.support.tau_chat import Chat, Exchange, talking, wish_of
from tests.support.tau_form import LONG_AGO, Json, cents

DATA = Path(os.environ.get("TAU_RETAIL_DIR", Path(__file__).parents[3] / "shared" / "data" / "tau-retail"))

CASES_FILE = DATA / "dev_cases.jsonl"

ById = dict[str, Json]


def load_cases() -> list[Json]:
    """The data's cases. A module of tests that needs them is skipped where they are not."""
    if not CASES_FILE.exists():
        pytest.skip(f"no {CASES_FILE}: set TAU_RETAIL_DIR", allow_module_level=True)
    return list(map(json.loads, CASES_FILE.read_text().splitlines()))


def load_shop(db_json: Path, *, orders: bool = False) -> Shop:
    """Products, and customers with their ways of paying, out of tau-bench's `db.json`; with `orders` those as well."""
    document = _exact(db_json)
    return Shop(
        products=tuple(map(tau_form.product, document["products"].values())),
        customers=tuple(map(tau_form.customer, document["users"].values())),
        orders=tuple(map(tau_form.order, document["orders"].values())) if orders else (),
    )


def pending_orders(db_json: Path, count: int) -> list[Json]:
    """The first `count` pending orders by id, as a channel would send them in."""
    orders = _exact(db_json)["orders"]
    pending = sorted(order_id for order_id, order in orders.items() if order["status"] == "pending")
    return [tau_form.new_order(orders[order_id]) for order_id in pending[:count]]


def totals(db_json: Path) -> dict[str, int]:
    """{order id: minor units} of what tau-bench says that each order cost."""
    orders = _exact(db_json)["orders"]
    return {order_id: cents(order["payment_history"][0]["amount"]) for order_id, order in orders.items()}


@dataclass(frozen=True)
class Outcome:
    """What came of writes: the denial of each (None: accepted), and the users and orders that differ now from
    `db.json`, by id and in its form."""

    denials: list[Denial | None]
    users: ById
    orders: ById


async def run_case(case: Json, folder: Path = DATA) -> Outcome:
    """Run a case's writes in order, on a fresh ledger with all of `folder`/db.json in it. A coroutine: await it.

    A case is a line of the data's cases; of it only `id` and `writes` (each with `name` and `arguments`) are looked at.
    Raises NotImplementedError for a write that is not one of tau-bench's on orders and users.
    """
    async with opened(folder) as desk:
        denials = [await desk.take(write, f"{case['id']}:{n}") for n, write in enumerate(case["writes"])]
        return Outcome(denials, *desk.differing(await dump(desk.shop)))


async def run_by_chat(case: Json, folder: Path = DATA) -> Outcome:
    """Have a case's writes made by talking to the desk, one message each: a model makes the reference's calls with the
    desk's tools, the customer says yes, and so do people where policy asks them. As `run_case`: await it.

    A denial is the one that the customer was told; of what no tool can say it is `run_case`'s for unequal numbers of
    items, else ORDER-INPUT with the desk's words. Handing over to a person (`transfer_to_human_agents`) is a write as
    well. One case at a time in a process: the desk's services are the process's.
    """
    async with opened(folder) as desk, talking(desk.shop) as chat:
        denials = [(await desk.ask_for(chat, write)).denial(_unsayable(write)) for write in case["writes"]]
        return Outcome(denials, *desk.differing(await dump(desk.shop)))


_RULES = {  # what tau-bench's first tools say: our rule
    "Error: insufficient gift card balance to pay for the order": "PAYMENT-GIFT-COVERS",
    "Error: insufficient gift card balance to pay for the new item": "DIFFERENCE-GIFT-COVERS",
}


def expected_rules(case: Json) -> list[str | None]:
    """The rule by which each write of a case is to be denied, or None."""
    return [
        "LINES-DIFFERENT" if refused_here(write) else _RULES[write["tau1_error"]] if write["tau1_error"] else None
        for write in case["writes"]
    ]


def rule_of(denial: Denial | None) -> str | None:
    """By which rule a write was denied; None: it was accepted."""
    return denial.rule if denial else None


def refused_here(write: Json) -> bool:
    """Whether a write changes, or exchanges, an item for itself: LINES-DIFFERENT to us, fine to tau's first tools."""
    old, new = (write["arguments"].get(name, ()) for name in ("item_ids", "new_item_ids"))
    return any(map(eq, old, new))


def expected(case: Json, folder: Path = DATA) -> dict[str, ById]:
    """The users and orders that a case expects to differ, less the effects of the writes that are `refused_here`."""
    then, db = {kind: dict(entries) for kind, entries in case["expected"].items()}, db_of(folder)
    for write in case["writes"]:
        if write["tau1_error"] or not refused_here(write):
            continue
        was = db["orders"][write["arguments"]["order_id"]]
        order = {name: value for name, value in then["orders"].pop(was["order_id"]).items() if name in was}
        order |= {"status": was["status"], "items": was["items"]}
        if write["name"] == "modify_pending_order_items":
            *order["payment_history"], difference = order["payment_history"]  # nothing comes after it
            _give_back(then["users"], db["users"][was["user_id"]], difference)
        if order != was:
            then["orders"][was["order_id"]] = order
    return then


def _give_back(users: ById, was: Json, movement: Json) -> None:
    """Have a movement of money on a user's gift card, if it is one, not have happened."""
    user, method_id = users.pop(was["user_id"], was), movement["payment_method_id"]
    if "balance" in (method := user["payment_methods"][method_id]):
        amount = movement["amount"] if movement["transaction_type"] == "payment" else -movement["amount"]
        method = method | {"balance": round(method["balance"] + amount, 2)}
        user = user | {"payment_methods": user["payment_methods"] | {method_id: method}}
    if user != was:
        users[was["user_id"]] = user


@cache
def db_of(folder: Path) -> dict[str, ById]:
    """`db.json` as it is: products, users, orders, each by id."""
    document: dict[str, ById] = json.loads((folder / "db.json").read_text())
    return document


def _exact(db_json: Path) -> dict[str, ById]:
    document: dict[str, ById] = json.loads(db_json.read_text(), parse_float=Decimal, parse_int=Decimal)
    return document


class Desk:
    """Takes tau's writes as commands of ours, and tells the ledger's state in tau's form."""

    def __init__(self, shop: Services, db: dict[str, ById]) -> None:
        self.shop = shop
        self._db = db
        self._even: dict[str, str] = {}  # {order: payment method} of items changed at an equal price

    async def take(self, write: Json, key: str, subject: str | None = None) -> Denial | None:
        """Run a write as its order's owner, or as another `subject`; then have the money move that is due or owed."""
        if denial := _unsayable(write):
            return denial
        try:
            command = as_command(write, key, subject or self.owner(write))
        except ValidationError as error:
            return Denial(rule="ORDER-INPUT", sentence=first_error(error))
        answer = await self.shop.commerce.run(command)
        if (order_id := write["arguments"].get("order_id")) in self._db["orders"]:
            await self.shop.payments.collect(order_id)
            await self.shop.debts.settle(order_id)
        if isinstance(answer, Denial):
            return answer
        if isinstance(command, ours.ReplaceLines) and not self._difference(command):
            self._even[command.order_id] = command.payment_method_id
        return None

    async def ask_for(self, chat: Chat, *writes: Json) -> Exchange:
        """Have writes asked for in one message by the owner of their orders; the money moves there."""
        exchange = await chat.ask(self.owner(writes[0]), *map(wish_of, writes))
        for arguments in (each["arguments"] for each in exchange.agreed if each["name"] == "change_items"):
            if not arguments["expected"]:
                self._even[arguments["order_id"]] = arguments["payment_method_id"]
        return exchange

    def owner(self, write: Json) -> str:
        """Requester profile or order a write is about; of an unknown order, anybody."""
        order = self._db["orders"].get(write["arguments"].get("order_id", ""), {})
        return str(write["arguments"].get("user_id") or order.get("user_id") or next(iter(self._db["users"])))

    def _difference(self, command: ours.ReplaceLines) -> Decimal:
        variants = {sku: each for product in self._db["products"].values() for sku, each in product["variants"].items()}
        prices = {sku: Decimal(str(variant["price"])) for sku, variant in variants.items()}
        return sum((prices[swap.new] - prices[swap.old] for swap in command.swaps), Decimal())

    def differing(self, rows: Dump) -> tuple[ById, ById]:
        """The users and the orders that differ, in these rows of the ledger, from `db.json`."""
        users, orders = self._db["users"], self._db["orders"]
        return (
            _differing(users, tau_form.users(rows, users)),
            _differing(orders, tau_form.orders(rows, orders, self._even)),
        )


def _unsayable(write: Json) -> Denial | None:
    """How a write is denied that has more new items than old ones, or fewer: no command says so, and no tool."""
    old, new = (write["arguments"].get(name) for name in ("item_ids", "new_item_ids"))
    unequal = new is not None and len(old or ()) != len(new)
    return Denial(rule="LINES-OWNED", sentence=RULES["LINES-OWNED"]) if unequal else None


def _differing(before: ById, now: ById) -> ById:
    return {name: entry for name, entry in now.items() if entry != before[name]}


@asynccontextmanager
async def opened(folder: Path = DATA) -> AsyncIterator[Desk]:
    """A desk on a ledger of its own with the whole shop in it; each look at its clock is a second later."""
    at_rest, seconds = await asyncio.to_thread(at_first, folder), count()
    patience = {"payment_timeout_seconds": 30, "debt_retry_seconds": 0}
    with TemporaryDirectory() as place, home(Path(place), at_rest, **patience) as config:
        shop = await composition.build(config, lambda: LONG_AGO + timedelta(days=1, seconds=next(seconds)))
        try:
            yield Desk(shop, db_of(folder))
        finally:
            await shop.close()


@cache
def at_first(folder: Path) -> Settings:
    """A home with the shop in its ledger and the past charges in its card network; made once a process, and copied."""
    config = _kept.enter_context(home(Path(_kept.enter_context(TemporaryDirectory())) / "shop"))

    async def fill() -> None:
        database = Database(config.ledger_url, lambda: LONG_AGO)
        async with sandbox_client("", config.data_dir / "sandbox.db", timeout=30, slow_seconds=0) as client:
            past = load_shop(folder / "db.json", orders=True)
            await import_shop(database, SandboxProvider(client, timeout=30), past, pay_again=True)
        await database.close()

    asyncio.run(fill())
    return config


_kept = ExitStack()
atexit.register(_kept.close)


def as_command(write: Json, key: str, subject: str) -> Command:
    """The command that a write asks for. Raises `ValidationError` for what no command can say."""
    who: Json = {"key": key, "actor": subject, "subject": subject}
    arguments = write["arguments"]
    order = who | {name: arguments[name] for name in ("order_id", "payment_method_id") if name in arguments}
    match write["name"]:
        case "cancel_pending_order":
            return ours.CancelOrder(**order, reason=arguments.get("reason"))
        case "modify_pending_order_items":
            return ours.ReplaceLines(**order, swaps=_swaps(arguments))
        case "modify_pending_order_payment":
            return ours.SwapPayment(**order)
        case "modify_pending_order_address":
            return ours.ChangeShipTo(**order, ship_to=Address(**tau_form.address(arguments)))
        case "return_delivered_order_items":
            return ours.RequestReturn(**order, skus=tuple(arguments["item_ids"]))
        case "exchange_delivered_order_items":
            return ours.RequestExchange(**order, swaps=_swaps(arguments))
        case "modify_user_address":
            return ours.ChangeProfileAddress(**who, address=Address(**tau_form.address(arguments)))
        case other:
            raise NotImplementedError(f"{other} is not one of tau-bench's writes on orders and users")


def _swaps(arguments: Json) -> tuple[Swap, ...]:
    pairs = zip(arguments["item_ids"], arguments["new_item_ids"], strict=True)
    return tuple(Swap(old=old, new=new) for old, new in pairs)
