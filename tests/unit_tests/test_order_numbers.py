"""An order is found however its number is written, and no number is taken for another."""

import pytest

from agent.order_numbers import meant, pattern_like

HOME = ["W-1001", "W-1002", "#W6067464"]
MARKET = ["2025/0001", "2026/0001", "2026/0002"]


@pytest.mark.parametrize(
    ("example", "text", "number"),
    [
        ("W-1001", "where is w1002?", "w1002"),
        ("W-1001", "my order 1002 is late", "order 1002"),
        ("W-1001", "my order number 1002", "order number 1002"),
        ("W-1001", "it's #1002.", "#1002"),
        ("W-1001", "#W6067464", "#W6067464"),
        ("2026/0001", "where is 2026/0002?", "2026/0002"),
        ("2026/0001", "where is 2026-0002?", "2026-0002"),
        ("2026/0001", "where is 20260002?", "20260002"),
        ("2026/0001", "my order 0002, please", "order 0002"),
        ("100234", "where is 100235", "100235"),
    ],
)
def test_a_number_is_found_in_words(example: str, text: str, number: str) -> None:
    found = pattern_like(example).search(text)
    assert found
    assert found.group() == number


@pytest.mark.parametrize(
    ("example", "text"),
    [
        ("W-1001", "I want to order 100 plates"),
        ("W-1001", "order 12"),
        ("W-1001", "order 1,200.00 worth"),
        ("W-1001", "in order 50% more"),
        ("W-1001", "SW-1001"),
        ("2026/0001", "refund 80.00"),
        ("2026/0001", "since 2026"),
        ("2026/0001", "refund €1000000"),
        ("100234", "refund 1000"),
        ("100234", "refund $100235"),
    ],
)
def test_what_is_no_number_is_not_found(example: str, text: str) -> None:
    assert pattern_like(example).search(text) is None


@pytest.mark.parametrize(
    ("written", "ids", "found"),
    [
        ("W-1002", HOME, ["W-1002"]),
        ("w1002", HOME, ["W-1002"]),
        ("#W-1002", HOME, ["W-1002"]),
        ("1002", HOME, ["W-1002"]),
        ("W6067464", HOME, ["#W6067464"]),
        ("6067464", HOME, ["#W6067464"]),
        ("2026-0002", MARKET, ["2026/0002"]),
        ("20260002", MARKET, ["2026/0002"]),
        ("0002", MARKET, ["2026/0002"]),
        ("0001", MARKET, ["2025/0001", "2026/0001"]),
        ("02", MARKET, []),
        ("W-9999", HOME, []),
        ("W", HOME, []),
    ],
)
def test_it_is_looked_for_among_what_is_there(written: str, ids: list[str], found: list[str]) -> None:
    assert meant(written, ids) == found
