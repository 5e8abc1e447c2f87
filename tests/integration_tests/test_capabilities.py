"""What a customer gets done by talking, over HTTP and without a model, in each of the two shops that come with it.

Each talk ends in the ledger as it should. The shops share nothing but their shape: the same places in their catalogues.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import pytest

from agent.capabilities import BY_NAME
from agent.settings import HOME
from tests.support.books import Ledger
from tests.support.driver import Driver, Run, together
from tests.support.each_shop import each_shop
from tests.support.live_server import LiveServer

PEOPLE_OF_HOME: Final = (
    "ada_park", "ben_ortiz", "chloe_meyer", "dev_shah", "ella_novak", "finn_walsh",
    "grace_okafor", "hugo_lindqvist", "iris_tanaka", "jonas_weber", "kira_petrov", "liam_byrne",
)  # fmt: skip


@dataclass(frozen=True)
class Cast:
    """A shop's own words for what the talks are about; customers and orders by their places in its catalogue."""

    customers: tuple[str, ...]
    order: str
    other_order: str
    words: dict[str, str]

    def said(self, template: str) -> str:
        """A template in the shop's words: `{customer[4]}`, `{order[9]}`, `{other[9]}`, `{item}`."""
        orders = [self.order.format(n) for n in range(20)]
        others = [self.other_order.format(n) for n in range(20)]
        return template.format(customer=self.customers, order=orders, other=others, **self.words)


CASTS: Final = {
    "home": Cast(
        PEOPLE_OF_HOME,
        "W-10{:02}",
        "w10{:02}",
        {
            "changed": "vase", "to": "the large one", "changed_sku": "VASE-LARGE",
            "exchanged": "clock", "for": "walnut", "returned": "plates", "kept": "rug", "card": "0003",
            "slow": "ben_slow", "faulty": "lamp", "symptom": "yes, it stays dark", "eighty": "80.00",
            "total": "185.00 USD", "replaced": "chairs", "asked": "kettle", "priced": "copper 129.00 USD",
            "question": "How long does shipping take?", "answer": "2 to 5 business days",
            "address": "5 Hill Road, Salem, OR 97301", "city": "Salem",
        },
    ),
    "market": Cast(
        tuple(f"k{2001 + n}" for n in range(12)),
        "2026/00{:02}",
        "2026-00{:02}",
        {
            "changed": "salt", "to": "the 1 kg one", "changed_sku": "SALT-1KG",
            "exchanged": "rice", "for": "500 g", "returned": "jam", "kept": "oil", "card": "3333",
            "slow": "k2002-late", "faulty": "oil", "symptom": "yes, the lid leaks", "eighty": "80,00",
            "total": "59,30 EUR", "replaced": "olives", "asked": "honey", "priced": "2.5 kg 36,90 EUR",
            "question": "How long does delivery take?", "answer": "1 to 3 working days",
            "address": "Damrak 7, 1012 LG Amsterdam, NL", "city": "Amsterdam",
        },
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Talk:
    """What a customer says, whether people approve it, and what the ledger, or the desk, says in the end."""

    customer: int
    said: tuple[str, ...]
    query: str = "SELECT 1"
    expected: Any = 1
    approved: bool = False
    answer: str = ""


TALKS: Final = {
    "order_status": Talk(6, ("where is {order[12]}?",), answer="processed"),
    "cancel_order": Talk(
        0,
        ("cancel {other[2]}", "I no longer need it", "yes"),
        "SELECT status FROM orders WHERE id = '{order[2]}'",
        "cancelled",
    ),
    "change_address": Talk(
        5,
        ("please change the shipping address of {order[11]}", "{address}", "yes"),
        "SELECT json_extract(ship_to, '$.city') FROM orders WHERE id = '{order[11]}'",
        "{city}",
    ),
    "change_payment": Talk(
        1,
        ("I want to pay {order[4]} with another card", "the one ending {card}", "yes"),
        "SELECT payment_method_id FROM orders WHERE id = '{order[4]}'",
        "{slow}",
    ),
    "change_items": Talk(
        4,
        ("I'd like a different size of the {changed} in order {order[9]}", "{to}", "yes"),
        "SELECT count(*) FROM order_lines WHERE order_id = '{order[9]}' AND sku = '{changed_sku}'",
    ),
    "exchange_items": Talk(
        7,
        ("I want to exchange the {exchanged} of {order[13]}", "{for}", "yes"),
        "SELECT status FROM orders WHERE id = '{order[13]}'",
        "exchange requested",
    ),
    "return_items": Talk(
        3,
        ("I want to return the {returned} of {order[7]}", "one", "yes"),
        "SELECT sum(quantity) FROM return_lines JOIN returns ON returns.id = return_id"
        " WHERE order_id = '{order[7]}' AND state = 'open'",
    ),
    "explain_charges": Talk(1, ("please show me the invoice for {other[4]}",), answer="costs {total}"),
    "refund_payment": Talk(
        0,
        ("I want {eighty} back of {order[1]}, it came scratched", "yes"),
        "SELECT amount FROM debts WHERE order_id = '{order[1]}'",
        8000,
        approved=True,
    ),
    "withdraw_request": Talk(
        9,
        ("I want to return the {kept} of {order[15]}", "yes", "forget the return", "yes"),
        "SELECT status FROM orders WHERE id = '{order[15]}'",
        "delivered",
    ),
    "profile_address": Talk(
        8,
        ("I have moved", "{address}", "yes"),
        "SELECT json_extract(address, '$.city') FROM customers WHERE id = '{customer[8]}'",
        "{city}",
    ),
    "account_change": Talk(
        2,
        ("please delete my account",),
        "SELECT role FROM tickets WHERE customer_id = '{customer[2]}'",
        "general_agent",
    ),
    "freeze_account": Talk(
        11,
        ("somebody hacked my account",),
        "SELECT frozen_at IS NOT NULL FROM customers WHERE id = '{customer[11]}'",
    ),
    "unlock_account": Talk(
        10,
        ("freeze my account", "please unlock my account", "yes"),
        "SELECT frozen_at IS NULL FROM customers WHERE id = '{customer[10]}'",
        approved=True,
    ),
    "change_email": Talk(
        6,
        ("I want to change my email address", "new.one@example.net", "yes"),
        "SELECT email FROM customers WHERE id = '{customer[6]}'",
        "new.one@example.net",
        approved=True,
    ),
    "account_security": Talk(
        5,
        ("I want to verify my identity",),
        "SELECT role FROM tickets WHERE customer_id = '{customer[5]}'",
        "security_analyst",
    ),
    "technical_fault": Talk(
        8,
        ("my {faulty} does not work", "{symptom}"),
        "SELECT role FROM tickets WHERE customer_id = '{customer[8]}'",
        "tech_support",
    ),
    "replace_item": Talk(
        2,
        ("I need a replacement for the {replaced} of {order[5]}", "one", "it broke when I unpacked it", "yes"),
        "SELECT kind FROM returns WHERE order_id = '{order[5]}'",
        "replace",
        approved=True,
    ),
    "product_question": Talk(6, ("how much is the {asked}?",), answer="{priced}"),
    "talk_to_person": Talk(
        9,
        ("I want to talk to a person",),
        "SELECT role FROM tickets WHERE customer_id = '{customer[9]}'",
        "general_agent",
    ),
    "abilities": Talk(6, ("what can you do?",), answer="freeze your account"),
    "shop_question": Talk(6, ("{question}",), answer="{answer}"),
}


@dataclass(frozen=True)
class Played:
    """A shop in which all talks were held at once: its words, how each ended, and its ledger afterwards."""

    cast: Cast
    ends: dict[str, Run]
    ledger: Ledger


@pytest.fixture(scope="session", params=each_shop(CASTS))
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """Each shop, on a server of its own."""
    folder, cast = tmp_path_factory.mktemp(request.param), CASTS[request.param]
    server = LiveServer(folder, SHOP_DIR=str(HOME.parent / request.param))
    try:
        with Driver(server.start()) as driver:
            ends = together(*(partial(play, driver, cast, talk) for talk in TALKS.values()))
            yield Played(cast, dict(zip(TALKS, ends, strict=True)), Ledger(folder / "data" / "ledger.db"))
    finally:
        server.stop()


def play(driver: Driver, cast: Cast, talk: Talk) -> Run:
    """Say all of it in one conversation, and have people approve what they are asked, if they shall; its end."""
    told = driver.ask(cast.said(talk.said[0]), customer=cast.customers[talk.customer])
    for words in talk.said[1:]:
        told = driver.ask(cast.said(words), customer=cast.customers[talk.customer], thread=told.thread)
    while talk.approved and told.waiting:
        told = driver.answer(told.waiting["roles"][0], told, "approve")
    return told


def test_every_capability_has_a_talk() -> None:
    assert TALKS.keys() == BY_NAME.keys()


@pytest.mark.parametrize("name", TALKS)
def test_a_customer_gets_it_done_by_talking(played: Played, name: str) -> None:
    talk, told, cast = TALKS[name], played.ends[name], played.cast
    [row] = played.ledger.rows(cast.said(talk.query))
    expected = cast.said(talk.expected) if isinstance(talk.expected, str) else talk.expected
    assert (list(row.values()), told.waiting) == ([expected], None), told.said
    assert cast.said(talk.answer) in told.said
