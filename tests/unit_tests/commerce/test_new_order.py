"""An order as it comes in from strangers: strict to the type, and refused by field without repeating the value."""

from copy import deepcopy
from typing import Any

import pytest
from pydantic import ValidationError

from agent.commerce.commands import NewOrder
from agent.text import first_error

ORDER: dict[str, Any] = {
    "order_id": "A-1",
    "customer_id": "ada_park",
    "lines": [{"sku": "LAMP-OAK", "quantity": 2}],
    "payment_method_id": "ada_card",
}
ADDRESS: dict[str, Any] = {"line1": "1 Main Street", "city": "Salem", "postcode": "97301", "country": "US"}

HOSTILE_IDS = [
    "",
    " ",
    "a b",
    "A-1\n",
    "A-1\x00",
    "a//b",
    "a:b",
    "../a",
    "-a",
    ".a",
    "ä",
    "١",
    "'; DROP TABLE orders; --",
    "a" * 61,
    b"A-1",
    1,
    True,
    None,
    ["A-1"],
]


def changed(path: tuple[str | int, ...], value: object) -> dict[str, Any]:
    order: Any = deepcopy(ORDER | {"ship_to": ADDRESS})
    place = order
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    found: dict[str, Any] = order
    return found


def refusal(order: object) -> str:
    with pytest.raises(ValidationError) as wrong:
        NewOrder.model_validate(order)
    return first_error(wrong.value)


def test_an_order_needs_no_address() -> None:
    assert NewOrder.model_validate(ORDER).ship_to is None
    assert NewOrder.model_validate(ORDER | {"ship_to": ADDRESS}).ship_to is not None


@pytest.mark.parametrize("order_id", ["1", "#W1001", "a.b_c-d#e", "A" * 60])
def test_ids_of_common_forms_are_taken(order_id: str) -> None:
    assert NewOrder.model_validate(ORDER | {"order_id": order_id}).order_id == order_id


@pytest.mark.parametrize("wrong", HOSTILE_IDS)
@pytest.mark.parametrize(
    ("path", "field"),
    [
        (("order_id",), "order_id: "),
        (("customer_id",), "customer_id: "),
        (("payment_method_id",), "payment_method_id: "),
        (("lines", 0, "sku"), "lines.0.sku: "),
    ],
)
def test_a_hostile_id_is_refused_by_field(path: tuple[str | int, ...], field: str, wrong: object) -> None:
    assert refusal(changed(path, wrong)).startswith(field)


@pytest.mark.parametrize("quantity", [0, -1, 1001, 10**30, True, 1.0, 1.5, "2", None, [1], {}, float("nan")])
def test_a_quantity_is_a_whole_number_from_1_to_1000(quantity: object) -> None:
    assert refusal(changed(("lines", 0, "quantity"), quantity)).startswith("lines.0.quantity: ")


@pytest.mark.parametrize("quantity", [1, 1000])
def test_the_smallest_and_the_largest_quantity_are_taken(quantity: int) -> None:
    assert NewOrder.model_validate(changed(("lines", 0, "quantity"), quantity)).lines[0].quantity == quantity


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (("lines",), [], "lines: "),
        (("lines",), None, "lines: "),
        (("lines",), "LAMP-OAK", "lines: "),
        (("lines",), {"sku": "LAMP-OAK", "quantity": 1}, "lines: "),
        (("lines", 0), "LAMP-OAK", "lines.0: "),
        (("lines", 0), {"sku": "LAMP-OAK"}, "lines.0.quantity: "),
        (("lines", 0, "unit_price"), 1, "lines.0.unit_price: "),
        (("total",), 1, "total: "),
        (("status",), "delivered", "status: "),
        (("ship_to", "line1"), "", "ship_to.line1: "),
        (("ship_to", "line2"), "x" * 201, "ship_to.line2: "),
        (("ship_to", "postcode"), 97301, "ship_to.postcode: "),
        (("ship_to", "note"), "leave it at the door", "ship_to.note: "),
        (("ship_to",), {}, "ship_to.line1: "),
    ],
)
def test_what_does_not_belong_is_refused_by_field(path: tuple[str | int, ...], value: object, field: str) -> None:
    assert refusal(changed(path, value)).startswith(field)


@pytest.mark.parametrize("missing", ORDER)
def test_nothing_may_be_missing(missing: str) -> None:
    assert refusal({name: value for name, value in ORDER.items() if name != missing}) == f"{missing}: Field required"


@pytest.mark.parametrize("order", [None, [], "A-1", 1])
def test_what_is_no_order_at_all_is_refused(order: object) -> None:
    assert refusal(order).startswith("order: ")


def test_an_order_has_at_most_100_lines() -> None:
    line = ORDER["lines"][0]
    assert len(NewOrder.model_validate(ORDER | {"lines": [line] * 100}).lines) == 100
    assert refusal(ORDER | {"lines": [line] * 101}).startswith("lines: ")


@pytest.mark.parametrize(
    "path",
    [("order_id",), ("lines", 0, "sku"), ("lines", 0, "quantity"), ("lines",), ("ship_to", "city"), ("ship_to",)],
)
def test_a_refusal_never_repeats_the_value(path: tuple[str | int, ...]) -> None:
    secret = "4111 1111 1111 1111 " * 10
    assert "4111" not in refusal(changed(path, secret))
