"""Which products, options and prices a customer's words mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.capabilities.catalogue import option_missed, options_said, price_range, products_named
from agent.shop import SHOP

NAMES = {
    "lamp": "Table lamp",
    "light": "Pendant light",
    "table": "Dining table",
    "shelf": "Bookshelf",
    "rug": "Wool rug",
    "throw": "Wool throw",
    "sofa": "Three-seat sofa",
    "candle": "Beeswax candle",
    "curtain": "Linen curtain",
    "plates": "Set of four plates",
}
FINISHES = [{"options": {"finish": each}} for each in ("oak", "brass")]
PACKS = [{"options": {"pack": each}} for each in ("500 g", "2.5 kg", "5 kg")]


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ("the oak table", ["table"]),
        ("a table lamp", ["lamp"]),
        ("the table and the table lamp", ["lamp", "table"]),
        ("lamps and rugs", ["lamp", "rug"]),
        ("a wool sofa", ["sofa"]),
        ("do you sell shelves", ["shelf"]),
        ("the shelf", ["shelf"]),
        ("plate", ["plates"]),
        ("the pendant", ["light"]),
        ("something of wool", ["rug", "throw"]),
        ("tabel", ["table"]),
        ("candel", ["candle"]),
        ("curtan", ["curtain"]),
        ("a certain place", []),
        ("zeppelins", []),
        ("", []),
    ],
)
def test_products_are_found_by_what_customers_call_them(said: str, named: list[str]) -> None:
    assert products_named(NAMES, said) == named


@given(st.text() | st.text(alphabet="lamptbesofr -'"))
def test_any_words_name_products_or_none(said: str) -> None:
    assert set(products_named(NAMES, said)) <= NAMES.keys()


def test_of_a_very_long_message_the_beginning_is_looked_at() -> None:
    assert products_named(NAMES, "a lamp, " + "and more " * 4_000 + "a sofa") == ["lamp"]


@pytest.mark.parametrize(
    ("said", "options"), [("500g of it", ["500 g"]), ("the 2.5 kg one", ["2.5 kg"]), ("5 kg", ["5 kg"]), ("15 kg", [])]
)
def test_a_pack_is_meant_by_all_of_its_name(said: str, options: list[str]) -> None:
    assert [each["options"]["pack"] for each in options_said(PACKS, said)] == options


@pytest.mark.parametrize(
    ("said", "missed"),
    [
        ("do you have it in pink?", "pink"),
        ("in walnut or in oak", "walnut"),
        ("in oak", None),
        ("is it in stock?", None),
        ("in 3 kg", None),
    ],
)
def test_what_there_is_none_in_is_named(said: str, missed: str | None) -> None:
    assert option_missed(FINISHES, said) == missed


@pytest.mark.parametrize(
    ("said", "prices"),
    [
        ("anything under 50?", (0, 4_999)),
        ("at most 50.00", (0, 5_000)),
        (f"lamps up to {SHOP.money(1_200_00)}", (0, 120_000)),
        ("more than 100", (10_001, None)),
        ("no more than 100", (0, 10_000)),
        ("between 20 and 30.50", (2_000, 3_050)),
        ("over 20 but under 30", (2_001, 2_999)),
        ("packs under 5 kg", None),
        ("under 500 ml", None),
        ("is my order under review", None),
        ("I have 50", None),
    ],
)
def test_a_price_is_read_with_what_limits_it(said: str, prices: tuple[int, int | None] | None) -> None:
    assert price_range(said) == prices
