"""A shop's folder is read strictly; what is wrong in it is named, with its place."""

import json
from pathlib import Path
from typing import Any

import pytest

from agent.assistant.pattern_language import phrases
from agent.shop import SHOP, load

SHOPS = Path(__file__).resolve().parents[2] / "shops"
THAT_COME_WITH_IT = ("home", "market")  # beside them may lie somebody's own, without a catalogue to try it out


@pytest.mark.parametrize("folder", THAT_COME_WITH_IT)
def test_the_shops_that_come_with_it_can_be_read(folder: str) -> None:
    shop = load(SHOPS / folder)
    assert shop.catalogue.exists()
    assert list(shop.articles.glob("*.md"))


@pytest.mark.parametrize("folder", THAT_COME_WITH_IT)
def test_a_shop_knows_its_products_by_what_customers_call_them(folder: str) -> None:
    shop = load(SHOPS / folder)
    known = phrases(shop.products)
    names = [product["name"] for product in json.loads(shop.catalogue.read_text())["products"]]
    assert [name for name in names if not known.search(name)] == []


def written(folder: Path, *changes: tuple[str, str]) -> Path:
    text = (SHOPS / "home" / "shop.toml").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "shop.toml").write_text(text)
    return folder


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (('currency = "USD"', 'currency = "DOLLARS"'), "currency: 'DOLLARS' is no currency"),
        (('locale = "en_US"', 'locale = "xx_YY"'), "locale: 'xx_YY' is no locale"),
        (('large_order = "1000.00"', "large_order = 1000.0"), "amounts.large_order: an amount is text"),
        (('large_order = "1000.00"', 'large_order = "-1"'), "amounts.large_order: an amount is text"),
        (
            ('large_order = "1000.00"', 'large_order = "1000.005"'),
            "amounts.large_order: 1000.005 has more decimals than USD",
        ),
        (
            ('\nlarge_order = "1000.00"', '\nlarge_order = "9000.00"'),
            "amounts: large_order is more than very_large_order",
        ),
        (('debt = { roles = ["finance_director"] }', ""), "chains: debt must have one"),
        (('debt = { roles = ["finance_director"] }', "debt = { roles = [] }"), "chains.debt.roles"),
        (("[chains]", "[chains]\nparking = { roles = ['general_agent'] }"), "chains.parking"),
        (('order_number = "W-1001"', 'order_number = "W 1001"'), "order_number"),
        (("[amounts]", 'colour = "red"\n[amounts]'), "colour: Extra inputs"),
        (('name = "Home"', "name = Home"), "Invalid value"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    with pytest.raises(ValueError, match=r"shop\.toml: ") as refused:
        load(written(tmp_path, change))
    assert told in str(refused.value)


def test_a_folder_without_a_shop_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"SHOP_DIR=.*there is no shop\.toml"):
        load(tmp_path / "nowhere")


def test_its_amounts_are_exact_in_minor_units() -> None:
    amounts: dict[str, Any] = dict(SHOP.amounts)
    assert all(SHOP.read_money(SHOP.amount(SHOP.minor(each))) == SHOP.minor(each) for each in amounts.values())
