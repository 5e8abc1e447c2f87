"""`desk import`: a whole shop or nothing, and what is wrong with the file, place by place."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent.client.connection import ExitCode
from agent.shop import SHOP
from tests.support.desk import Desk
from tests.support.goods import goods

Document = dict[str, Any]


@pytest.fixture
def document() -> Document:
    shop: Document = json.loads(goods().model_dump_json())
    return shop


@pytest.fixture
def file(tmp_path: Path, document: Document) -> Path:
    path = tmp_path / "shop.json"
    path.write_text(json.dumps(document))
    return path


def test_a_shop_is_imported_and_adds_up(desk: Desk, file: Path) -> None:
    imported = desk("import", file, "--json")
    assert imported.document == {"file": str(file), "products": 20, "customers": 12, "orders": 15}
    assert desk("db", "check").code == 0


def test_the_example_of_the_guide_is_a_shop(desk: Desk, file: Path) -> None:
    guide = (Path(__file__).parents[3] / "docs" / "customizing.md").read_text()
    example = guide.split("```json")[1].split("```")[0]
    file.write_text(example.replace('"USD"', f'"{SHOP.currency}"'))
    assert desk("import", file).code == 0


def test_a_method_may_have_a_token_at_each_provider(desk: Desk, file: Path, document: Document, data: Path) -> None:
    tokens = {"sandbox": "tok_approve", "stripe": "cus_1/pm_1"}
    method = document["customers"][0]["payment_methods"][0] | {"token": tokens}
    document["customers"][0]["payment_methods"][0] = method
    file.write_text(json.dumps(document))
    assert desk("import", file).code == 0
    with closing(sqlite3.connect(data / "ledger.db")) as ledger:
        rows = dict(ledger.execute("SELECT id, tokens FROM payment_methods"))
        assert json.loads(rows.pop(method["id"])) == tokens
        assert set(rows.values()) == {None}


@pytest.mark.parametrize(
    ("token", "says"),
    [
        ({"strype": "cus_1/pm_1"}, "the payment method 'ada_card' of 'ada_park' has no token of sandbox"),
        ({}, "customers[0].payment_methods[0].token"),
        ({"sandbox": ""}, "customers[0].payment_methods[0].token"),
        ({"": "tok_approve"}, "customers[0].payment_methods[0].token"),
        (7, "customers[0].payment_methods[0].token"),
    ],
    ids=str,
)
def test_a_method_with_a_token_of_nobody_is_refused(
    desk: Desk, file: Path, document: Document, token: object, says: str
) -> None:
    document["customers"][0]["payment_methods"][0]["token"] = token
    file.write_text(json.dumps(document))
    refused = desk("import", file)
    assert refused.code == ExitCode.REFUSED
    assert says in refused.err.splitlines()[-1]
    assert "Traceback" not in refused.err


def test_a_second_shop_is_refused(desk: Desk, file: Path) -> None:
    desk("import", file)
    again = desk("import", file)
    assert (again.code, again.out) == (ExitCode.REFUSED, "")
    assert "a shop already" in again.err


def test_a_bad_file_is_refused_with_place_and_reason(desk: Desk, file: Path, document: Document, data: Path) -> None:
    document["customers"][3]["email"] = "nobody"
    del document["products"][0]["variants"][1]["price"]
    file.write_text(json.dumps(document))
    refused = desk("import", file, "--json")
    assert refused.code == ExitCode.REFUSED
    places = [problem["place"] for problem in refused.document["problems"]]
    assert places == ["products[0].variants[1].price", "customers[3].email"]
    assert not (data / "ledger.db").exists()
    told = desk("import", file).err
    assert "products[0].variants[1].price: Field required (and 1 more" in told


def test_what_refers_to_nothing_is_named(desk: Desk, file: Path, document: Document) -> None:
    document["orders"][2]["customer_id"] = "nobody"
    file.write_text(json.dumps(document))
    assert "orders[2].customer_id: no customer 'nobody'" in desk("import", file).err


def with_id(document: Document, place: str, name: Any) -> None:
    """Call something in the document so, wherever it is spoken of."""
    kind, number, *rest = place.split(".")
    entry = document[kind][int(number)]
    for part in rest[:-1]:
        entry = entry[int(part) if part.isdigit() else part]
    entry[rest[-1]] = name


IDS = ["products.0.id", "products.0.variants.0.sku", "products.0.variants.0.warehouse", "customers.0.id",
       "customers.0.payment_methods.0.id", "orders.0.id"]  # fmt: skip


@pytest.mark.parametrize(
    "name", ["../../x", "/etc", ".hidden", "Ada Park", "2024//0001", "", "x" * 61, "x\n", "a\u0000b", "ä"]
)
@pytest.mark.parametrize("place", IDS)
def test_an_id_that_no_command_would_take_is_refused(
    desk: Desk, file: Path, document: Document, place: str, name: str
) -> None:
    with_id(document, place, name)
    file.write_text(json.dumps(document))
    refused = desk("import", file, "--json")
    assert refused.code == ExitCode.REFUSED
    assert [problem["place"].replace("[", ".").replace("]", "") for problem in refused.document["problems"]] == [place]


@pytest.mark.parametrize("name", ["service-1", "order-manager-1", "Channel-1", "admin"])
def test_a_customer_is_not_called_as_a_colleague_is(desk: Desk, file: Path, document: Document, name: str) -> None:
    with_id(document, "customers.0.id", name)
    file.write_text(json.dumps(document))
    assert f"customers[0].id: {name!r} is what a colleague or a program is called" in desk("import", file).err


def test_two_customers_differ_in_more_than_large_letters(desk: Desk, file: Path, document: Document) -> None:
    document["customers"].append(document["customers"][0] | {"id": "ADA_PARK", "email": "x@y", "payment_methods": [
        document["customers"][0]["payment_methods"][0] | {"id": "other"}
    ]})  # fmt: skip
    file.write_text(json.dumps(document))
    assert "'ada_park' is already at customers[0].id" in desk("import", file).err


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ({"quantity": 1, "unit_price": 2_000_000_000}, 0),
        ({"quantity": 2, "unit_price": 1_000_000_001}, ExitCode.REFUSED),
        ({"quantity": 10_000, "unit_price": 2_000_000_000}, ExitCode.REFUSED),
        ({"quantity": 1, "unit_price": 0}, ExitCode.REFUSED),
    ],
)
def test_an_order_was_paid_with_an_amount_that_can_be_paid(
    desk: Desk, file: Path, document: Document, line: Document, code: int
) -> None:
    document["orders"] = [document["orders"][0] | {"lines": [document["orders"][0]["lines"][0] | line]}]
    file.write_text(json.dumps(document))
    told = desk("import", file)
    assert told.code == code
    assert "Traceback" not in told.err


@pytest.mark.parametrize("content", ["", "lamp", "[]", '{"products": '])
def test_what_is_no_shop_is_refused_in_one_line(desk: Desk, file: Path, content: str) -> None:
    file.write_text(content)
    refused = desk("import", file)
    assert refused.code == ExitCode.REFUSED
    assert len(refused.err.splitlines()) == 1


def test_a_file_that_is_not_there_is_a_usage_error(desk: Desk, tmp_path: Path) -> None:
    assert desk("import", tmp_path / "nothing.json").code == ExitCode.USAGE
    assert desk("import").code == ExitCode.USAGE


def test_the_format_is_printed_as_a_schema(desk: Desk) -> None:
    schema = desk("import", "--schema").document
    assert {"products", "customers"} <= set(schema["required"])
