"""Changes that no one here made up, asked for by chat: a model that makes no mistake brings each to the right end.

The cases are those of `commerce/test_tau_cases.py`, with the deviations that are listed there. The model is a stub over
HTTP (`support/tau_chat.py`), the graph, the tools, the gate and the ledger are real. `TAU_RETAIL_DIR` names the data.
"""

import re
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from agent.commerce.policy import CANCEL_REASONS, money
from agent.settings import Settings
from tests.support.chains import BILLING
from tests.support.scenes import dump
from tests.support.tau_chat import Chat, Exchange, Wish, talking
from tests.support.tau_form import Json, cents
from tests.support.tau_retail import (
    DATA,
    Desk,
    Outcome,
    db_of,
    expected,
    expected_rules,
    load_cases,
    opened,
    rule_of,
    run_by_chat,
    run_case,
)

CASES = load_cases()
STEPS = Settings().model_steps
SOME = Random(2026).sample(CASES, 12)
SEVERAL = [case for case in CASES if len(case["writes"]) > 1]
AT_ONCE = 5
"""Things that one message may ask for."""

_AMOUNT = re.compile(r"[\d,]+\.\d\d USD")
_ID = re.compile(r"#W\d+|\b\d{10}\b|\b(?:credit_card|paypal|gift_card)_\d+")


def each_of(cases: list[Json], at_least: list[Json]) -> pytest.MarkDecorator:
    """A test for each of these cases, of which `make test` runs some."""
    marks = {case["id"]: () if case in at_least else pytest.mark.thorough for case in cases}
    return pytest.mark.parametrize("case", [pytest.param(c, id=c["id"], marks=marks[c["id"]]) for c in cases])


def comes_out_right(case: Json, outcome: Outcome) -> bool:
    ends = {"users": outcome.users, "orders": outcome.orders} == expected(case)
    return ends and [rule_of(denial) for denial in outcome.denials] == expected_rules(case)


@each_of(SOME, SOME)
async def test_a_case_ends_by_chat_as_it_should(case: Json) -> None:
    outcome = await run_by_chat(case)
    assert [rule_of(denial) for denial in outcome.denials] == expected_rules(case)
    assert {"users": outcome.users, "orders": outcome.orders} == expected(case)


@pytest.mark.thorough
@pytest.mark.timeout(600)
async def test_every_case_ends_by_chat_as_it_should(capsys: pytest.CaptureFixture[str]) -> None:
    wrong = [case["id"] for case in CASES if not comes_out_right(case, await run_by_chat(case))]
    with capsys.disabled():
        print(f"\n{len(CASES) - len(wrong)} of {len(CASES)} cases came out right by chat")  # noqa: T201  (it is what is measured)
    assert wrong == []


@each_of(CASES, SOME[:6])
async def test_what_is_told_is_fact_and_what_a_model_needs_is_shown_in_a_few_calls(case: Json) -> None:
    async with opened() as desk, talking(desk.shop) as chat:
        for write, rule in zip(case["writes"], expected_rules(case), strict=True):
            exchange = await desk.ask_for(chat, write)
            check_told(exchange, write, " ".join(chat.model.found))
            assert rule or not chat.model.unseen
            assert max(chat.model.calls.values()) <= STEPS


def check_told(exchange: Exchange, write: Json, found: str) -> None:
    """Each sum and each id in what the customer was told is one that a tool gave, or the sum that is at stake; and of
    what they agreed to they were told that sum to the cent."""
    told, at_stake = "\n".join(exchange.replies), sum_at_stake(write)
    assert set(_AMOUNT.findall(told)) <= {*_AMOUNT.findall(found), money(abs(at_stake or 0))}
    assert set(_ID.findall(told)) <= {*_ID.findall(found), *_ID.findall(exchange.wishes[0].sentence)}
    for action in exchange.agreed:
        if at_stake is not None:
            assert (money(abs(at_stake)) if at_stake else "at the same price") in action["sentence"]


def sum_at_stake(write: Json) -> int | None:
    """What a write charges or gives back, or moves to another method, in cents, by the data; None: no money."""
    given, db = write["arguments"], db_of(DATA)
    order = db["orders"][given["order_id"]]
    paid = {item["item_id"]: exact(item["price"]) for item in order["items"]}
    prices = {
        sku: exact(one["price"]) for product in db["products"].values() for sku, one in product["variants"].items()
    }
    old, new = (given.get(name, ()) for name in ("item_ids", "new_item_ids"))
    match write["name"]:
        case "cancel_pending_order" | "modify_pending_order_payment":
            return exact(order["payment_history"][0]["amount"])
        case "return_delivered_order_items":
            return sum(paid[sku] for sku in old)
        case "modify_pending_order_items" | "exchange_delivered_order_items":
            return sum(prices[sku] for sku in new) - sum(paid[sku] for sku in old)
        case _:
            return None


def exact(amount: float) -> int:
    return cents(Decimal(str(amount)))


async def all_at_once(desk: Desk, chat: Chat, case: Json) -> list[Exchange]:
    """A case's writes in one message, or in as many as it takes."""
    writes = case["writes"]
    parts = [writes[n : n + AT_ONCE] for n in range(0, len(writes), AT_ONCE)]
    return [await desk.ask_for(chat, *part) for part in parts]


@each_of(SEVERAL, SEVERAL[::8])
async def test_what_is_asked_for_in_one_message_ends_as_one_by_one(case: Json) -> None:
    """Be it on several orders or on one: specialists side by side, one plan, one yes."""
    async with opened() as desk, talking(desk.shop) as chat:
        exchanges = await all_at_once(desk, chat, case)
        users, orders = desk.differing(await dump(desk.shop))
    assert {"users": users, "orders": orders} == expected(case)
    denied = [rule for rule in expected_rules(case) if rule]
    assert [rule_of(each) for exchange in exchanges if (each := exchange.told_denial())] == denied[: len(exchanges)]


def first_where(**wanted: Any) -> Json:
    """The first order of the data, by id, with these values."""
    orders = db_of(DATA)["orders"]
    return next(orders[name] for name in sorted(orders) if wanted.items() <= orders[name].items())


PENDING, DELIVERED = first_where(status="pending"), first_where(status="delivered")
ADDRESS: Json = {
    "address1": "1 Main Street",
    "address2": "",
    "city": "Salem",
    "state": "OR",
    "country": "USA",
    "zip": "97301",
}


def write(name: str, order: Json | None = None, **arguments: Any) -> Json:
    about = {"order_id": order["order_id"]} if order else {}
    return {"name": name, "arguments": about | arguments, "tau1_error": None}


def paid_by(order: Json) -> str:
    return str(order["payment_history"][0]["payment_method_id"])


def skus(order: Json) -> list[str]:
    return [item["item_id"] for item in order["items"]]


CANCEL = write("cancel_pending_order", PENDING, reason="no longer needed")
CHANGE = write(
    "modify_pending_order_items",
    PENDING,
    item_ids=skus(PENDING)[:1],
    new_item_ids=["0000000000", "0000000001"],
    payment_method_id=paid_by(PENDING),
)
RETURN = write(
    "return_delivered_order_items", DELIVERED, item_ids=skus(DELIVERED), payment_method_id=paid_by(DELIVERED)
)
MOVE = write("modify_user_address", user_id=PENDING["user_id"], **ADDRESS)

ODD = {
    "an order that there is not": [write("cancel_pending_order", {"order_id": "#W0"}, reason="no longer needed")],
    "an order that is cancelled already": [CANCEL, CANCEL],
    "an order that is not delivered": [
        write("return_delivered_order_items", PENDING, item_ids=skus(PENDING), payment_method_id=paid_by(PENDING))
    ],
    "a second return": [RETURN, RETURN],
    "more new items than old ones": [CHANGE],
    "an item that is not on the order": [
        write("return_delivered_order_items", DELIVERED, item_ids=["0000000000"], payment_method_id=paid_by(DELIVERED))
    ],
    "the method that pays already": [
        write("modify_pending_order_payment", PENDING, payment_method_id=paid_by(PENDING))
    ],
    "an address of the customer's": [MOVE],
    "an address of an order that is cancelled": [CANCEL, write("modify_pending_order_address", PENDING, **ADDRESS)],
}


@pytest.mark.parametrize("writes", ODD.values(), ids=ODD)
async def test_what_is_odd_ends_by_chat_as_by_commands(writes: list[Json]) -> None:
    case = {"id": "odd", "writes": writes}
    by_chat, by_commands = await run_by_chat(case), await run_case(case)
    assert [rule_of(each) for each in by_chat.denials] == [rule_of(each) for each in by_commands.denials]
    assert (by_chat.users, by_chat.orders) == (by_commands.users, by_commands.orders)


def any_writes(seed: int) -> list[Json]:
    """Some writes of a customer of the data on two of their orders, many of them against some rule."""
    draw, db = Random(seed), db_of(DATA)
    customer = draw.choice([user for user in db["users"].values() if len(user["orders"]) > 1])
    orders = [db["orders"][name] for name in draw.sample(customer["orders"], 2)]
    options = {sku: list(product["variants"]) for product in db["products"].values() for sku in product["variants"]}

    def a_write() -> Json:
        order, method = draw.choice(orders), {"payment_method_id": draw.choice(list(customer["payment_methods"]))}
        old = draw.sample(skus(order), draw.randint(1, min(3, len(order["items"]))))
        swaps = method | {"item_ids": old, "new_item_ids": [draw.choice(options[sku]) for sku in old]}
        kinds = {
            "cancel_pending_order": {"reason": draw.choice(CANCEL_REASONS)},
            "modify_pending_order_items": swaps,
            "modify_pending_order_payment": method,
            "modify_pending_order_address": ADDRESS,
            "return_delivered_order_items": method | {"item_ids": old},
            "exchange_delivered_order_items": swaps,
        }
        fitting = [name for name in kinds if f"_{order['status']}_" in name]
        name = draw.choice(fitting if fitting and draw.random() < 0.8 else list(kinds))
        return write(name, order, **kinds[name])

    return [a_write() for _ in range(draw.randint(1, 5))]


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(40))
async def test_whatever_is_asked_for_ends_by_chat_as_by_commands(seed: int) -> None:
    """Which of several rules is named that one write is against may differ."""
    case = {"id": f"seed-{seed}", "writes": any_writes(seed)}
    by_chat, by_commands = await run_by_chat(case), await run_case(case)
    assert [each is None for each in by_chat.denials] == [each is None for each in by_commands.denials]
    assert (by_chat.users, by_chat.orders) == (by_commands.users, by_commands.orders)


async def test_a_reason_that_is_none_of_ours_can_not_be_proposed() -> None:
    case = {"id": "odd", "writes": [write("cancel_pending_order", PENDING, reason="found it cheaper")]}
    outcome = await run_by_chat(case)
    assert [rule_of(each) for each in outcome.denials] == ["ORDER-INPUT"]
    assert (outcome.users, outcome.orders) == ({}, {})


async def test_a_customer_who_is_handed_over_to_a_person_can_go_on_meanwhile() -> None:
    hand_over = write("transfer_to_human_agents", summary="wants to speak to somebody")
    async with opened() as desk, talking(desk.shop) as chat:
        told = [await desk.ask_for(chat, each) for each in (hand_over, CANCEL)]
        tickets = (await dump(desk.shop))["tickets"]
        _, orders = desk.differing(await dump(desk.shop))
    assert [exchange.denial() for exchange in told] == [None, None]
    [ticket] = tickets
    assert told[0].wishes[0].sentence in ticket["text"]
    assert orders[PENDING["order_id"]]["status"] == "cancelled"


async def test_people_are_asked_one_after_the_other_where_policy_asks_them() -> None:
    """None of the reference's writes needs them: a refund beyond what a rule owes does."""
    order_id = DELIVERED["order_id"]
    refund = Wish(
        f"I want 60.00 of {order_id} back, it came scratched.",
        "billing_issue",
        ([("show_order", {"order_id": order_id})],),
        ("propose_refund_payment", {"order_id": order_id, "amount": 60_00}),
    )
    async with opened() as desk, talking(desk.shop) as chat:
        exchange = await chat.ask(DELIVERED["user_id"], refund)
        rows = await dump(desk.shop)
    assert exchange.denial() is None
    assert [row["role"] for row in rows["decisions"]] == BILLING
    assert [(row["amount"], bool(row["settled"])) for row in rows["debts"]] == [(60_00, True)]
