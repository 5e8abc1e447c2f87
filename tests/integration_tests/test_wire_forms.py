"""Answers in the forms of Agent Inbox and Agent Chat UI, sent as bytes, on both graphs of a live server.

What each answer looks like was seen from both UIs in a real browser. None runs here: the body around the answer was
written after it.
"""

import json
from typing import Any, Final

import pytest

from demo.live import wait_for
from tests.integration_tests.books import CardNetwork
from tests.integration_tests.driver import Driver, Run, an_order

ORDER_APPROVER: Final = "order_manager"
REFUND_APPROVER: Final = "general_agent"  # refunds up to 50.00


def inbox(graph: str, resume: str, checkpoint: str) -> str:
    """The body of Agent Inbox's request, which names no checkpoint."""
    return f'{{"assistant_id":"{graph}","command":{{"resume":{resume}}},"stream_mode":["events"]}}'


def chat(graph: str, resume: str, checkpoint: str) -> str:
    """The body of Agent Chat UI's request, with the checkpoint that it displays."""
    return (
        f'{{"input":{{}},"command":{{"resume":{resume}}},"stream_mode":["values","messages-tuple","custom"],'
        f'"stream_subgraphs":true,"stream_resumable":true,"assistant_id":"{graph}",'
        f'"checkpoint":{{"checkpoint_ns":"","checkpoint_id":"{checkpoint}"}},"on_disconnect":"continue"}}'
    )


FORMS: Final[dict[str, tuple[Any, dict[str, str]]]] = {
    "Agent Inbox": (
        inbox,
        {
            "approve": '[{{"type":"accept","args":{{"action":"{name}","args":{args}}}}}]',
            "edit": '[{{"type":"edit","args":{{"action":"{name}","args":{args}}}}}]',
            "reject": '[{{"type":"response","args":"the photo shows no damage"}}]',
            "ignore": '[{{"type":"ignore","args":null}}]',
        },
    ),
    "Agent Chat UI": (
        chat,
        {
            "approve": '{{"decisions":[{{"type":"approve"}}]}}',
            "edit": '{{"decisions":[{{"type":"edit","edited_action":{{"name":"{name}","args":{args}}}}}]}}',
            "reject": '{{"decisions":[{{"type":"reject","message":"the photo shows no damage"}}]}}',
        },
    ),
}

UIS: Final = pytest.mark.parametrize(("number", "ui"), list(enumerate(FORMS, 1)), ids=list(FORMS))


def click(driver: Driver, role: str, ui: str, button: str, waits: Run, **changed: Any) -> dict[str, Any]:
    """Press a button of a UI on what waits; the thread after the run."""
    assert waits.waiting
    body, resumes = FORMS[ui]
    action = waits.waiting["action_requests"][0]
    resume = resumes[button].format(name=action["name"], args=json.dumps(action["args"] | changed))
    client = driver.client(role)
    checkpoint = client.threads.get_state(waits.thread)["checkpoint"]["checkpoint_id"]
    answer = driver.raw(role, f"/threads/{waits.thread}/runs/stream", body(waits.graph, resume, checkpoint))
    assert answer.status_code == 200, answer.text
    assert "event: error" not in answer.text, answer.text
    return dict(client.threads.get(waits.thread))


def still_waits(thread: dict[str, Any]) -> Any:
    """The request that a thread waits for."""
    [[interrupt]] = thread["interrupts"].values()
    return interrupt["value"]


def refund_waits(driver: Driver, order_id: str) -> Run:
    """A refund of 40.00 of a new order, which waits for a general agent."""
    assert driver.order(an_order(order_id, {"CLOCK-OAK": 1})).stage == "completed"
    plan = driver.ask(f"My order {order_id} arrived scratched, I want 40.00 back")
    waits = driver.ask("yes", thread=plan.thread)
    assert waits.waiting
    assert waits.waiting["roles"] == [REFUND_APPROVER]
    return waits


@UIS
def test_an_order_is_approved(driver: Driver, network: CardNetwork, number: int, ui: str) -> None:
    waits = driver.order(an_order(f"W-91{number}1", {"DESK-WALNUT": 2}))
    assert waits.values["messages"][-1]["content"] == f"W-91{number}1 waits for approval by {ORDER_APPROVER}."

    ended = click(driver, ORDER_APPROVER, ui, "approve", waits)

    assert (ended["status"], ended["values"]["processing_stage"]) == ("idle", "completed")
    assert len(network.captured(f"W-91{number}1")) == 1


@pytest.mark.thorough
@UIS
def test_an_order_cannot_be_edited_and_is_asked_for_again(driver: Driver, number: int, ui: str) -> None:
    waits = driver.order(an_order(f"W-91{number}2", {"DESK-WALNUT": 2}))

    asked = still_waits(click(driver, ORDER_APPROVER, ui, "edit", waits, total="1"))
    assert asked["refused"].startswith("APPROVAL-EDIT")

    ended = click(driver, ORDER_APPROVER, ui, "reject", waits)
    assert ended["values"]["processing_stage"] == "cancelled"
    assert "the photo shows no damage" in ended["values"]["denial"]["sentence"]


@UIS
def test_a_refund_is_approved(driver: Driver, network: CardNetwork, number: int, ui: str) -> None:
    waits = refund_waits(driver, f"W-91{number}3")

    ended = click(driver, REFUND_APPROVER, ui, "approve", waits)

    assert ended["status"] == "idle"
    assert list(network.refunded(f"W-91{number}3").values()) == [40_00]


@pytest.mark.thorough
@UIS
def test_a_refund_is_edited_in_text_and_paid_as_edited(
    driver: Driver, network: CardNetwork, number: int, ui: str
) -> None:
    waits = refund_waits(driver, f"W-91{number}4")

    asked = still_waits(click(driver, REFUND_APPROVER, ui, "edit", waits, amount="a little"))
    assert asked["refused"].startswith("APPROVAL-EDIT")

    ended = click(driver, REFUND_APPROVER, ui, "edit", waits, amount="3000")
    assert ended["status"] == "idle"
    assert list(network.refunded(f"W-91{number}4").values()) == [30_00]


@pytest.mark.thorough
@UIS
def test_a_refund_is_rejected_and_the_customer_hears_why(
    driver: Driver, network: CardNetwork, number: int, ui: str
) -> None:
    waits = refund_waits(driver, f"W-91{number}5")

    ended = click(driver, REFUND_APPROVER, ui, "reject", waits)

    assert ended["values"]["messages"][-1]["content"].endswith("The reason given: the photo shows no damage")
    assert network.refunded(f"W-91{number}5") == {}


@pytest.mark.thorough
def test_what_the_inbox_ignores_is_asked_again_for_a_reason(driver: Driver) -> None:
    waits = refund_waits(driver, "W-9199")

    asked = still_waits(click(driver, REFUND_APPROVER, "Agent Inbox", "ignore", waits))

    assert asked["refused"].startswith("APPROVAL-NOTE")
    click(driver, REFUND_APPROVER, "Agent Inbox", "reject", waits)


def test_protocol_v2_answers_what_waits(driver: Driver, network: CardNetwork) -> None:
    waits = driver.order(an_order("W-9198", {"DESK-WALNUT": 2}))
    [[interrupt]] = driver.client(ORDER_APPROVER).threads.get(waits.thread)["interrupts"].values()
    params = {"interrupt_id": interrupt["id"], "namespace": [], "response": {"decisions": [{"type": "approve"}]}}

    body = {"id": 1, "method": "input.respond", "params": params}
    answer = driver.http(ORDER_APPROVER, "POST", f"/threads/{waits.thread}/commands", body)

    assert answer.json()["type"] == "success", answer.text
    wait_for(lambda: driver.order_row("W-9198")["stage"] == "completed", 30, lambda: "the order is not completed")
    assert len(network.captured("W-9198")) == 1
