"""Answers in the forms of Agent Inbox and Agent Chat UI, sent as bytes, on both graphs of a live server.

What each answer looks like was seen from both UIs in a real browser. None runs here: the body around the answer was
written after it.
"""

import json
from typing import Any, Final

import httpx
import pytest

from agent.shop import SHOP
from tests.support.books import CardNetwork
from tests.support.chains import BILLING, GENERAL, OF_LARGE, OF_VERY_LARGE
from tests.support.conversations import LITTLE
from tests.support.driver import Driver, Run, an_order
from tests.support.goods import order_number
from tests.support.live_server import wait_for
from tests.support.threads import staff

ORDER_APPROVER: Final = OF_LARGE[0]
REFUND_APPROVER: Final = GENERAL[0]  # of small refunds
CUSTOMERS: Final = iter(
    ("grace_okafor", "iris_tanaka", "kira_petrov", "liam_byrne", "ella_novak", "chloe_meyer", "hugo_lindqvist",
     "jonas_weber", "finn_walsh")
)  # fmt: skip
"""One for each refund that a general agent decides: a customer's refunds are summed up."""


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
            "approve without arguments": '[{{"type":"accept","args":null}}]',
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
    answer = sent(driver, role, waits, checkpoint_of(driver, role, waits), ui=ui, button=button, **changed)
    assert answer.status_code == 200, answer.text
    assert "event: error" not in answer.text, answer.text
    return dict(driver.client(role).threads.get(waits.thread))


def checkpoint_of(driver: Driver, role: str, waits: Run) -> str:
    """What a tab displays that is opened now."""
    return str(driver.client(role).threads.get_state(waits.thread)["checkpoint"]["checkpoint_id"])


def sent(
    driver: Driver, role: str, waits: Run, checkpoint: str, *, ui: str, button: str, **changed: Any
) -> httpx.Response:
    """What a UI's button sends on the card that `waits` shows, from a tab that displays this checkpoint."""
    assert waits.waiting
    body, resumes = FORMS[ui]
    action = waits.waiting["action_requests"][0]
    resume = resumes[button].format(name=action["name"], args=json.dumps(action["args"] | changed))
    given = str(body(waits.graph, resume, checkpoint))
    return driver.raw(role, f"/threads/{waits.thread}/runs/stream", given)


def still_waits(thread: dict[str, Any]) -> Any:
    """The request that a thread waits for."""
    [[interrupt]] = thread["interrupts"].values()
    return interrupt["value"]


def refund_waits(driver: Driver, order_id: str) -> Run:
    """A small refund of a new order, which waits for a general agent."""
    waits = asked_back(driver, order_id, next(CUSTOMERS), SHOP.amount(LITTLE))
    assert waits.waiting
    assert waits.waiting["roles"] == [REFUND_APPROVER]
    return waits


def asked_back(driver: Driver, order_id: str, customer: str, amount: str) -> Run:
    """A refund of a new order of this customer's, which waits for people."""
    method = f"{customer.partition('_')[0]}_card"
    driver.completed(an_order(order_id, {"CLOCK-OAK": 1}, customer=customer, method=method))
    plan = driver.ask(f"My order {order_id} arrived scratched, I want {amount} back", customer=customer)
    return driver.ask("yes", thread=plan.thread, customer=customer)


@UIS
def test_an_order_is_approved(driver: Driver, network: CardNetwork, number: int, ui: str) -> None:
    waits = driver.order(an_order(order_number(f"91{number}1"), {"DESK-WALNUT": 2}))
    assert (
        waits.values["messages"][-1]["content"]
        == f"{order_number(f'91{number}1')} waits for approval by {ORDER_APPROVER}."
    )

    ended = click(driver, ORDER_APPROVER, ui, "approve", waits)

    assert (ended["status"], ended["values"]["processing_stage"]) == ("idle", "completed")
    assert len(network.captured(order_number(f"91{number}1"))) == 1


@pytest.mark.thorough
@UIS
def test_an_order_cannot_be_edited_and_is_asked_for_again(driver: Driver, number: int, ui: str) -> None:
    waits = driver.order(an_order(order_number(f"91{number}2"), {"DESK-WALNUT": 2}))

    asked = still_waits(click(driver, ORDER_APPROVER, ui, "edit", waits, total="1"))
    assert asked["refused"].startswith("APPROVAL-EDIT")

    ended = click(driver, ORDER_APPROVER, ui, "reject", waits)
    assert ended["values"]["processing_stage"] == "cancelled"
    assert "the photo shows no damage" in ended["values"]["denial"]["sentence"]


@UIS
def test_a_refund_is_approved(driver: Driver, network: CardNetwork, number: int, ui: str) -> None:
    waits = refund_waits(driver, order_number(f"91{number}3"))

    ended = click(driver, REFUND_APPROVER, ui, "approve", waits)

    assert ended["status"] == "idle"
    assert list(network.refunded(order_number(f"91{number}3")).values()) == [LITTLE]


@pytest.mark.thorough
@UIS
def test_a_refund_is_edited_in_text_and_paid_as_edited(
    driver: Driver, network: CardNetwork, number: int, ui: str
) -> None:
    waits = refund_waits(driver, order_number(f"91{number}4"))

    asked = still_waits(click(driver, REFUND_APPROVER, ui, "edit", waits, amount="a little"))
    assert asked["refused"].startswith("APPROVAL-EDIT")

    ended = click(driver, REFUND_APPROVER, ui, "edit", waits, amount="15.00")
    assert ended["status"] == "idle"
    assert list(network.refunded(order_number(f"91{number}4")).values()) == [15_00]


@pytest.mark.thorough
@UIS
def test_a_refund_is_rejected_and_the_customer_hears_why(
    driver: Driver, network: CardNetwork, number: int, ui: str
) -> None:
    waits = refund_waits(driver, order_number(f"91{number}5"))

    ended = click(driver, REFUND_APPROVER, ui, "reject", waits)

    assert ended["values"]["messages"][-1]["content"].endswith("The reason given: the photo shows no damage")
    assert network.refunded(order_number(f"91{number}5")) == {}


@pytest.mark.thorough
def test_what_the_inbox_ignores_is_asked_again_for_a_reason(driver: Driver) -> None:
    waits = refund_waits(driver, order_number(9199))

    asked = still_waits(click(driver, REFUND_APPROVER, "Agent Inbox", "ignore", waits))

    assert asked["refused"].startswith("APPROVAL-NOTE")
    click(driver, REFUND_APPROVER, "Agent Inbox", "reject", waits)


def test_protocol_v2_answers_what_waits(driver: Driver, network: CardNetwork) -> None:
    waits = driver.order(an_order(order_number(9198), {"DESK-WALNUT": 2}))
    [[interrupt]] = driver.client(ORDER_APPROVER).threads.get(waits.thread)["interrupts"].values()
    params = {"interrupt_id": interrupt["id"], "namespace": [], "response": {"decisions": [{"type": "approve"}]}}

    body = {"id": 1, "method": "input.respond", "params": params}
    answer = driver.http(ORDER_APPROVER, "POST", f"/threads/{waits.thread}/commands", body)

    assert answer.json()["type"] == "success", answer.text
    wait_for(
        lambda: driver.order_row(order_number(9198))["stage"] == "completed", 30, lambda: "the order is not completed"
    )
    assert len(network.captured(order_number(9198))) == 1


STALE: Final = pytest.mark.parametrize(
    ("number", "ui", "button"),
    [
        (1, "Agent Inbox", "approve"),
        pytest.param(2, "Agent Inbox", "approve without arguments", marks=pytest.mark.thorough),
        pytest.param(3, "Agent Inbox", "reject", marks=pytest.mark.thorough),
        (4, "Agent Chat UI", "approve"),
        pytest.param(5, "Agent Chat UI", "reject", marks=pytest.mark.thorough),
    ],
)


def counts_for_nothing(driver: Driver, answer: httpx.Response, ui: str, thread: str) -> None:
    """A stale answer was refused by the server, or not taken and said so on the card and in the thread."""
    if ui == "Agent Chat UI":
        assert answer.status_code == 409, answer.text
        return
    assert answer.status_code == 200, answer.text
    now: dict[str, Any] = {**driver.client("operator").threads.get(thread)}
    asked = still_waits(now)
    assert asked["refused"].startswith("APPROVAL-STALE")
    assert asked["action_requests"][0]["description"].startswith("Not taken: APPROVAL-STALE")
    assert now["values"]["messages"][-1]["content"].startswith("Not taken: APPROVAL-STALE")


@STALE
def test_a_card_from_before_an_edit_pays_nothing(
    driver: Driver, network: CardNetwork, number: int, ui: str, button: str
) -> None:
    waits = asked_back(driver, order_number(f"92{number}1"), "ada_park", "60.00")
    shown = checkpoint_of(driver, BILLING[1], waits)
    edited = still_waits(click(driver, BILLING[0], "Agent Chat UI", "edit", waits, amount="85,00"))
    assert (edited["roles"], edited["action_requests"][0]["args"]["amount"]) == ([BILLING[1]], SHOP.amount(85_00))

    answer = sent(driver, BILLING[1], waits, shown, ui=ui, button=button)

    counts_for_nothing(driver, answer, ui, waits.thread)
    assert network.refunded(order_number(f"92{number}1")) == {}
    seen = Run(waits.thread, waits.graph, waiting=edited)
    click(driver, BILLING[1], ui, "approve", seen)
    assert list(network.refunded(order_number(f"92{number}1")).values()) == [85_00]


@STALE
def test_a_card_of_an_order_whose_request_was_voided_and_opened_anew_charges_nothing(
    driver: Driver, network: CardNetwork, number: int, ui: str, button: str
) -> None:
    order_id = order_number(f"92{number}2")
    waits = driver.order(an_order(order_id, {"DESK-WALNUT": 2}))
    shown = checkpoint_of(driver, ORDER_APPROVER, waits)
    paid = driver.http("channel", "POST", f"/ops/orders/{order_id}/pay", {"payment_method_id": "ada_slow"})
    assert paid.status_code == 200, paid.text
    assert waits.waiting
    before = waits.waiting["request_id"]
    wait_for(lambda: _asked(driver, waits) not in (None, before), 30, lambda: "it is not asked anew")

    answer = sent(driver, ORDER_APPROVER, waits, shown, ui=ui, button=button)

    counts_for_nothing(driver, answer, ui, waits.thread)
    assert network.captured(order_id) == {}
    of_approver = driver.client(ORDER_APPROVER).threads
    wait_for(lambda: of_approver.get(waits.thread)["status"] == "interrupted", 30, lambda: "it does not wait")
    now = of_approver.get(waits.thread)
    seen = Run(waits.thread, waits.graph, waiting=still_waits(dict(now)))
    assert driver.answer(ORDER_APPROVER, seen, "reject", "not by that card").stage == "cancelled"


def _asked(driver: Driver, waits: Run) -> str | None:
    thread = driver.client(ORDER_APPROVER).threads.get(waits.thread)
    return str(still_waits(dict(thread))["request_id"]) if thread["status"] == "interrupted" else None


@pytest.mark.thorough
@pytest.mark.parametrize("button", ["approve", "approve without arguments"])
def test_a_second_click_is_not_for_the_next_refund_of_the_conversation(
    driver: Driver, network: CardNetwork, button: str
) -> None:
    number = 1 + ["approve", "approve without arguments"].index(button)
    order_id, customer = order_number(f"93{number}1"), next(CUSTOMERS)
    first = asked_back(driver, order_id, customer, "10.00")
    driver.ask(f"I want 11.00 of {order_id} back as well", customer=customer, thread=first.thread)
    both = driver.ask("yes", customer=customer, thread=first.thread)
    assert first.waiting
    assert both.waiting
    assert both.waiting["request_id"] == first.waiting["request_id"]

    for _ in range(2):
        sent(driver, REFUND_APPROVER, both, "", ui="Agent Inbox", button=button)

    assert list(network.refunded(order_id).values()) == [10_00]


@pytest.mark.thorough
@UIS
def test_a_card_from_the_step_before_is_the_same_order_and_is_charged_as_it_was_shown(
    driver: Driver, network: CardNetwork, number: int, ui: str
) -> None:
    order_id = order_number(f"94{number}1")
    waits = driver.order(an_order(order_id, {"SOFA-WOOL": 4}))
    second = still_waits(click(driver, OF_VERY_LARGE[0], ui, "approve", waits))
    assert second["action_requests"][0]["description"].startswith(
        f"step 2 of 2 for {OF_VERY_LARGE[1]}, {ORDER_APPROVER} {staff(ORDER_APPROVER).identity} said yes"
    )

    ended = click(driver, OF_VERY_LARGE[1], ui, "approve", waits)

    assert ended["values"]["processing_stage"] == "completed"
    assert list(network.captured(order_id).values()) == [5_596_00]


def test_who_closes_the_tab_as_soon_as_they_have_approved_has_approved_and_nothing_fails(
    driver: Driver, network: CardNetwork
) -> None:
    waits = driver.order(an_order(order_number(9501), {"DESK-WALNUT": 2}))
    body = {
        "assistant_id": waits.graph,
        "command": {"resume": {"decisions": [{"type": "approve"}]}},
        "stream_mode": ["values"],
        "checkpoint": {"checkpoint_ns": "", "checkpoint_id": checkpoint_of(driver, ORDER_APPROVER, waits)},
        "on_disconnect": "cancel",
    }

    with driver.listening(ORDER_APPROVER, f"/threads/{waits.thread}/runs/stream", body) as events:
        next(events)

    wait_for(
        lambda: driver.order_row(order_number(9501))["stage"] == "completed", 30, lambda: "the order is not completed"
    )
    assert len(network.captured(order_number(9501))) == 1
    assert "may not update threads" not in driver.server.log_end(1_000)
