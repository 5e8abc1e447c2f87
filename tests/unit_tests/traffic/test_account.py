"""What came of the traffic is counted as its players saw it."""

from collections import Counter

import pytest

from traffic.account import Account, quantiles


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        ([], {}),
        ([0.5], {"p50": 0.5, "p95": 0.5, "max": 0.5}),
        ([float(each) for each in range(100, 0, -1)], {"p50": 50.0, "p95": 95.0, "max": 100.0}),
    ],
)
def test_quantiles_are_by_the_nearest_rank(seconds: list[float], told: dict[str, float]) -> None:
    assert quantiles(seconds) == told


def test_orders_are_told_by_their_end() -> None:
    account = Account(sent=3, accepted=["W-1", "W-2"])
    told = account.document(Counter(completed=1, lost=1))["orders"]
    assert told == {"sent": 3, "accepted": 2, "completed": 1, "lost": 1}
