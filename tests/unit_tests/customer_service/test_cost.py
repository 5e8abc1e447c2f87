"""What a turn costs the ledger: counts of statements, which no machine makes faster or slower."""

import pytest

from agent.services import Services
from tests.support.conversations import conversation, say
from tests.support.goods import W1001
from tests.support.query_plans import statements_of


@pytest.mark.parametrize(
    ("message", "statements"),
    [
        ("hello", 2),  # how the conversation stands, and its requests
        ("do you ship to France?", 2),
        (f"where is {W1001}?", 2 + 1 + 4),  # which order is meant; the order, its lines, payments and parcels
    ],
)
async def test_a_turn_asks_the_ledger_for_what_it_needs_and_once(shop: Services, message: str, statements: int) -> None:
    thread = conversation()
    await say(thread, "hello")

    with statements_of(shop) as made:
        await say(thread, message)

    assert len(made) == statements, made
