"""What a thread remembers, and where the ledger says it goes on."""

from typing import get_args

from langgraph.channels import BinaryOperatorAggregate
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from agent.commerce.lifecycle import Stage
from agent.order_processing.next_step import NEXT_STEP
from agent.order_processing.presentation import blank
from agent.order_processing.state import OrderState, add, merge


def test_the_ledgers_stage_always_says_which_step_is_next() -> None:
    assert NEXT_STEP.keys() == set(get_args(Stage))


def test_what_branches_found_is_joined_by_key() -> None:
    found = merge(merge({}, {"1": "failed"}), {"2": "reserved"})

    assert found == {"1": "failed", "2": "reserved"}
    assert merge(found, {"1": "reserved"}) == {"1": "reserved", "2": "reserved"}


def test_what_branches_found_is_forgotten_when_a_run_begins_anew_also_after_a_crash_under_strict_msgpack() -> None:
    serde = JsonPlusSerializer(allowed_msgpack_modules=None)
    read_again = serde.loads_typed(serde.dumps_typed(blank()["results"]))
    channel = BinaryOperatorAggregate(dict[str, str], merge)

    channel.update([{"1": "failed"}])
    channel.update([read_again])
    assert channel.get() == {}


def test_what_branches_find_beside_a_damaged_state_does_not_hide_the_damage() -> None:
    assert merge("gone", {"1": "reserved"}) == "gone"


def test_a_count_that_was_damaged_begins_anew() -> None:
    assert (add(2, 1), add("many", 1), add(None, 0)) == (3, 1, 0)


def test_all_of_a_state_but_its_input_and_what_was_said_is_rebuilt() -> None:
    assert blank().keys() == OrderState.__annotations__.keys() - {"order", "messages"}
