"""What a careful person expects of the gate when fingers slip, tabs are stale, or two answer at once."""

from typing import Any

from agent.approvals.models import decision_payload
from tests.support.books import CardNetwork
from tests.support.chains import OF_LARGE, OF_VERY_LARGE
from tests.support.driver import Driver, Run, an_order, together

YES = decision_payload("approve", name="approve_order")
NO = decision_payload("reject", name="approve_order", note="the address does not exist")


def two_steps(driver: Driver, order_id: str) -> Run:
    """A very large order, which waits for two roles, one after the other."""
    waits = driver.order(an_order(order_id, {"SOFA-WOOL": 4}))
    assert waits.waiting
    assert (waits.waiting["roles"], waits.waiting["steps"]) == ([OF_VERY_LARGE[0]], len(OF_VERY_LARGE))
    return waits


def says(driver: Driver, role: str, waits: Run, said: Any, **more: Any) -> int:
    """Answer over plain HTTP; the status."""
    body = {"assistant_id": waits.graph, "command": {"resume": said}, "multitask_strategy": "reject"} | more
    return driver.http(role, "POST", f"/threads/{waits.thread}/runs/wait", body).status_code


def waits_for(driver: Driver, thread: str) -> Any:
    """The request that a thread waits for."""
    [[interrupt]] = driver.client(OF_LARGE[0]).threads.get(thread)["interrupts"].values()
    return interrupt["value"]


def test_a_double_click_is_one_answer_and_does_not_land_on_the_next_step(driver: Driver, network: CardNetwork) -> None:
    waits = two_steps(driver, "CARE-1")

    statuses = together(*[lambda: says(driver, OF_VERY_LARGE[0], waits, YES)] * 2)

    assert min(statuses) == 200
    assert set(statuses) <= {200, 403, 409}
    now = waits_for(driver, waits.thread)
    assert (now["roles"], now["step"], network.captured("CARE-1")) == ([OF_VERY_LARGE[1]], 2, {})
    assert says(driver, OF_VERY_LARGE[1], waits, NO) == 200
    assert driver.order_row("CARE-1")["stage"] == "cancelled"


def test_a_yes_and_a_no_at_the_same_moment_are_one_decision(driver: Driver, network: CardNetwork) -> None:
    waits = driver.order(an_order("CARE-2", {"DESK-WALNUT": 2}))

    statuses = together(lambda: says(driver, OF_LARGE[0], waits, YES), lambda: says(driver, OF_LARGE[0], waits, NO))

    assert min(statuses) == 200
    order = driver.order_row("CARE-2")
    [approval] = order["approvals"]
    outcome = {"approved": ("completed", 1), "rejected": ("cancelled", 0)}[approval["status"]]
    assert (order["stage"], len(network.captured("CARE-2"))) == outcome


def test_a_stale_tab_changes_nothing_and_repeats_nothing(driver: Driver, network: CardNetwork) -> None:
    waits = driver.order(an_order("CARE-3", {"DESK-WALNUT": 2}))
    shown = driver.client(OF_LARGE[0]).threads.get_state(waits.thread)["checkpoint"]
    tab = {"checkpoint_id": shown["checkpoint_id"], "checkpoint_ns": ""}
    assert driver.answer(OF_LARGE[0], waits, "approve").stage == "completed"

    for said in (YES, NO):
        assert says(driver, OF_LARGE[0], waits, said, checkpoint=tab, input={}) in (403, 409)

    assert driver.order_row("CARE-3")["stage"] == "completed"
    assert len(network.captured("CARE-3")) == 1


def test_a_wrong_role_is_refused_and_the_right_one_may_say_the_opposite(driver: Driver, network: CardNetwork) -> None:
    waits = two_steps(driver, "CARE-4")

    assert says(driver, OF_VERY_LARGE[1], waits, YES) in (200, 403)
    assert waits_for(driver, waits.thread)["step"] == 1

    rejected = driver.answer(OF_VERY_LARGE[0], waits, "reject", "the address does not exist")
    assert (rejected.stage, network.captured("CARE-4")) == ("cancelled", {})


def test_nothing_is_no_answer(driver: Driver) -> None:
    waits = driver.order(an_order("CARE-5", {"DESK-WALNUT": 2}))

    assert says(driver, OF_LARGE[0], waits, None) in (403, 422)

    assert waits_for(driver, waits.thread) == waits.waiting
    assert driver.answer(OF_LARGE[0], waits, "reject", "enough of this").stage == "cancelled"
