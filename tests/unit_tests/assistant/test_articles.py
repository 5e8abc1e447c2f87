"""The articles of the shops that come with it: they are true, and customers' questions find them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from agent.assistant.knowledge import Knowledge
from agent.assistant.pattern_language import phrases
from agent.capabilities import BY_NAME
from agent.commerce.policy import PAYMENT_ATTEMPTS, REFUND_TIME, RETURN_LIMIT, RETURN_REMINDER
from agent.shop import Case, ShopProfile, load

SHOPS: Final = Path(__file__).resolve().parents[3] / "shops"
QUESTIONS: Final = Path(__file__).parent / "questions"
BOTH: Final = ("home", "market")

DONE_BY: Final = {
    "order_status": phrases("where it/the/that? is", "how far that order", "list your latest", "name each parcel/one"),
    "cancel_order": phrases("cancel"),
    "change_address": phrases("send it to another address"),
    "change_payment": phrases("paid by your/another/that", "have the order paid"),
    "change_items": phrases("change items for another"),
    "exchange_items": phrases("exchange"),
    "return_items": phrases("take it back", "take something? back"),
    "explain_charges": phrases("list what/all", "what was charged/paid/refunded"),
    "refund_payment": phrases("have a/the refund looked at by our staff"),
    "withdraw_request": phrases("withdraw"),
    "profile_address": phrases("for later orders"),
    "account_change": phrases("pass it/on on/to? to? our? staff"),
    "freeze_account": phrases("freeze your/my account"),
    "unlock_account": phrases("freed by our security staff"),
    "change_email": phrases("changed by our security staff"),
    "account_security": phrases("our security staff look", "pass on to our security staff"),
    "replace_item": phrases("have it replaced"),
    "technical_fault": phrases("a technician looks into it"),
    "talk_to_person": phrases("talk to a person", "a colleague"),
    "product_question": phrases("what it costs", "what there is", "for a product by name", "what i tell you"),
    "shop_question": phrases("i answer at any hour", "i am here at any hour"),
}
"""What an article may say that the desk does, by the capability that does it."""

OF_THE_DESK: Final = re.compile(r"\b(?:I|I'm|me|the desk|[Ww]e can)\b|\b(?:[Ww]rite|[Ss]ay) [\"“]")
"""A sentence that says what the desk does, or what to say to it."""
NOT_DONE: Final = re.compile(
    r"\b(?:I|[Ww]e) (?:can't|don't|know of no|have no|have nothing|promise none)\b|shop with a door I know nothing"
)
"""What the desk does not do, or knows nothing of."""
BY_ITSELF: Final = re.compile(
    r"I(?: tell you what they decided| tell you in this conversation as soon as| ask you again before anything is done"
    r"| show an order only to the customer| read English|'m sorry)"
)
"""What it does whatever it is asked: decisions are notified of, changed prices asked about again (PRICE-CHANGED)."""


def articles(shop: str) -> dict[str, tuple[str, list[str], str]]:
    """Title, example questions and text of each article, by its slug."""
    found = {}
    for path in sorted((SHOPS / shop / "articles").glob("*.md")):
        head, text = path.read_text(encoding="utf-8").removeprefix("---\n").split("\n---\n")
        title, _, *questions = head.split("\n")
        found[path.stem] = title.removeprefix("title: "), [each[2:] for each in questions], " ".join(text.split())
    return found


def sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.!?])(?<!\b[A-Z]\.) (?=[A-Z])", text)


@pytest.mark.parametrize("shop", BOTH)
def test_a_shop_has_articles_enough_each_of_one_form(shop: str) -> None:
    found = articles(shop)
    assert len(found) >= 30
    assert {slug for slug, (_, questions, _) in found.items() if not 3 <= len(questions) <= 8} == set()
    assert {slug for slug, (_, _, text) in found.items() if not 60 < len(text) < 900} == set()
    assert len({title for title, _, _ in found.values()}) == len(found)


@pytest.mark.parametrize("shop", BOTH)
def test_an_article_promises_nothing_that_no_capability_does(shop: str) -> None:
    promised = [(slug, said) for slug, (_, _, text) in articles(shop).items() for said in sentences(text)]
    promised = [(slug, said) for slug, said in promised if OF_THE_DESK.search(said)]
    kept = [each for each in promised if any(done.search(each[1]) for done in DONE_BY.values())]
    broken = [
        each for each in promised if each not in kept and not (NOT_DONE.search(each[1]) or BY_ITSELF.search(each[1]))
    ]
    assert broken == []
    assert len(kept) >= 50


def test_what_articles_may_promise_is_what_there_is_a_capability_for() -> None:
    assert DONE_BY.keys() <= BY_NAME.keys()


@pytest.mark.parametrize("name", sorted(DONE_BY))
def test_each_capability_is_told_of_in_both_shops(name: str) -> None:
    told = {shop for shop in BOTH for _, _, text in articles(shop).values() if DONE_BY[name].search(text)}
    assert told == set(BOTH)


@pytest.mark.parametrize(
    "promise", ["I can call you back.", "Tell me your size, and I knit it.", 'Write "gift" to me.']
)
def test_a_promise_that_nothing_keeps_is_found(promise: str) -> None:
    assert OF_THE_DESK.search(promise)
    assert not any(done.search(promise) for done in DONE_BY.values())
    assert not NOT_DONE.search(promise)
    assert not BY_ITSELF.search(promise)


@pytest.mark.parametrize(
    ("shop", "foreign"), [("home", r"€|\bEUR\b|\beuros?\b"), ("market", r"\$|\bUSD\b|\bdollars?\b")]
)
def test_an_article_speaks_of_its_own_shops_money_and_numbers(shop: str, foreign: str) -> None:
    number = {"home": r"\d{4}/\d{4}", "market": r"\bW-?\d{3,}"}[shop]
    wrong = re.compile(rf"{foreign}|£|\bGBP\b|{number}", re.I)
    told = {slug: f"{title} {' '.join(questions)} {text}" for slug, (title, questions, text) in articles(shop).items()}
    assert {slug: wrong.findall(text) for slug, text in told.items() if wrong.search(text)} == {}


@pytest.mark.parametrize("shop", BOTH)
def test_no_article_names_a_role(shop: str) -> None:
    roles = {role for chain in load(SHOPS / shop).chains.values() for role in chain.roles}
    named = re.compile("|".join(re.escape(role).replace("_", "[ _-]") for role in roles), re.I)
    assert [slug for slug, (_, _, text) in articles(shop).items() if named.search(text)] == []


def said_numbers(shop: ShopProfile) -> dict[str, list[str]]:
    """What articles say that `shop.toml` or the policy says, by slug."""
    amounts, chains = shop.amounts, shop.chains
    people = {1: "one", 2: "two", 3: "three"}
    refund, large, larger = (
        shop.money(shop.minor(each))
        for each in (amounts.refund_by_billing, amounts.large_order, amounts.very_large_order)
    )
    security = f"{people[len(chains['security'].roles)]} people"
    return {
        "ask-for-refund": [
            refund,
            people[len(chains["general"].roles)],
            people[len(chains["billing"].roles)],
            "30 days",
        ],
        "large-orders": [large, larger, people[len(chains["very_large_order"].roles)]],
        "account-locked": [security],
        "change-email": [security],
        "refund-time": [REFUND_TIME.removeprefix("in ")],
        "return-deadline": [f"{RETURN_REMINDER.days} days", f"{RETURN_LIMIT.days} days"],
        "payment-declined": [people[PAYMENT_ATTEMPTS]],
    }


HOURS: Final[dict[str, dict[str, tuple[Case, ...]]]] = {
    "home": {"approval-times": ("general", "billing", "large_order", "security")},
    "market": {"large-orders": ("large_order", "very_large_order"), "replacement": ("technical",)},
}


@pytest.mark.parametrize("name", BOTH)
def test_numbers_are_those_of_the_shop_and_its_policy(name: str) -> None:
    shop, found = load(SHOPS / name), {slug: text.casefold() for slug, (_, _, text) in articles(name).items()}
    missing = {
        (slug, each)
        for slug, said in said_numbers(shop).items()
        for each in said
        if each.replace("\xa0", " ").casefold() not in found[slug]
    }
    assert missing == set()
    for slug, cases in HOURS[name].items():
        for case in cases:
            assert f"{shop.chains[case].expiry_hours:.0f} hours" in found[slug]


@pytest.mark.parametrize(("name", "others"), [("home", set()), ("market", {"4,90", "60,00"})])
def test_no_article_names_another_amount(name: str, others: set[str]) -> None:
    """`others` are what delivery costs, which no setting says."""
    shop = load(SHOPS / name)
    known = {shop.amount(shop.minor(amount)) for _, amount in shop.amounts} | others
    money = re.compile(rf"([\d.,]*\d) {shop.currency}")
    assert {each for _, _, text in articles(name).values() for each in money.findall(text)} <= known


def test_sizes_and_materials_are_those_of_the_catalogue() -> None:
    catalogue = json.loads((SHOPS / "home" / "catalogue.json").read_text(encoding="utf-8"))
    of = {
        product["id"]: {value for variant in product["variants"] for value in variant["options"].values()}
        for product in catalogue["products"]
    }
    text = articles("home")["sizes-and-materials"][2]
    for family, values in (
        (("stool", "chair", "shelf", "desk", "table", "clock"), {"oak", "ash", "walnut"}),
        (("mirror", "vase", "pan", "candle"), {"small", "medium", "large"}),
        (("sofa",), {"linen", "wool", "velvet"}),
    ):
        assert all(of[product] == values for product in family)
        assert all(value in text for value in values)


def labelled(shop: str) -> Iterator[tuple[str, str]]:
    """A slug, or `-` for none, and a question in a customer's words."""
    for line in (QUESTIONS / f"{shop}.txt").read_text(encoding="utf-8").splitlines():
        slug, question = line.split("\t")
        yield slug, question


def plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


@pytest.mark.parametrize("shop", BOTH)
def test_no_labelled_question_is_an_articles_own(shop: str) -> None:
    own = {plain(question) for _, questions, _ in articles(shop).values() for question in questions}
    asked = list(labelled(shop))
    assert [question for _, question in asked if plain(question) in own] == []
    assert {slug for slug, _ in asked} == {"-", *articles(shop)}


@pytest.mark.parametrize("shop", BOTH)
async def test_nine_of_ten_questions_find_their_article_and_one_of_ten_others_any(shop: str) -> None:
    knowledge, asked = Knowledge.load(SHOPS / shop / "articles"), list(labelled(shop))
    found = [(slug, [each.slug for each in await knowledge.search(question)]) for slug, question in asked]
    knowledge.close()
    answerable = [slug == slugs[0] if slugs else False for slug, slugs in found if slug != "-"]
    others = [bool(slugs) for slug, slugs in found if slug == "-"]
    assert len(answerable) >= 120
    assert len(others) >= 40
    assert sum(answerable) / len(answerable) >= 0.9
    assert sum(others) / len(others) <= 0.1
