"""Half a minute of `python -m tests.cluster --chaos`: each worker is killed in turn while the world outside fails."""

import pytest

from tests.services.drilled import drilled


@pytest.mark.timeout(400)
def test_kills_of_either_worker_lose_no_order_and_charge_none_twice(engine: None) -> None:
    drilled("tests.cluster", "--chaos", "0.6", "--seed", "5")
