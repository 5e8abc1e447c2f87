"""Input that is wrong: each gets an error that names the field or the rule, no thread breaks, and nothing changes.

The ledger is compared whole, so the reconciler's cron must have nothing left to do: see `cron_fired`.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from agent.platform import order_thread
from tests.support.books import Ledger
from tests.support.chains import OF_LARGE
from tests.support.driver import Driver, Run, an_order, together
from tests.support.goods import W1002, W1003, W1005, goods

ADA = goods().customers[0]
GOOD = an_order("WRONG-1", {"MUG-GREEN": 1}) | {"ship_to": ADA.address.model_dump(exclude_none=True)}
HELLO = f"hello, I am {ADA.first_name} {ADA.last_name}, {ADA.email}"
"""What is refused holds what is somebody's: `test_leaks` looks for it in what the server tells."""
LINE = {"sku": "MUG-GREEN", "quantity": 1}

UNREADABLE_ORDERS: dict[str, tuple[dict[str, Any], str]] = {
    "quantity of zero": (GOOD | {"lines": [LINE | {"quantity": 0}]}, "lines.0.quantity: Input should be greater"),
    "negative quantity": (GOOD | {"lines": [LINE, LINE | {"quantity": -1}]}, "lines.1.quantity: Input should be"),
    "quantity as text": (GOOD | {"lines": [LINE | {"quantity": "1"}]}, "lines.0.quantity: Input should be a valid"),
    "enormous quantity": (GOOD | {"lines": [LINE | {"quantity": 10**30}]}, "lines.0.quantity: Input should be"),
    "a price of one's own": (GOOD | {"lines": [LINE | {"unit_price": 1}]}, "lines.0.unit_price: Extra inputs"),
    "an unknown key": (GOOD | {"total": 1}, "total: Extra inputs are not permitted"),
    "no lines": (GOOD | {"lines": []}, "lines: List should have at least 1 item"),
    "lines as text": (GOOD | {"lines": "MUG-GREEN"}, "lines: Input should be a valid list"),
    "no customer": ({k: v for k, v in GOOD.items() if k != "customer_id"}, "customer_id: Field required"),
    "an id that is a number": (GOOD | {"order_id": 7}, "order_id: Input should be a valid string"),
    "half an address": (GOOD | {"ship_to": {"line1": "7 Harbor Lane"}}, "ship_to.city: Field required"),
    "another order's thread": (GOOD | {"order_id": "WRONG-2"}, "order WRONG-2 of yours belongs on thread"),
}

REFUSED_ORDERS: dict[str, tuple[dict[str, Any], str, str]] = {
    "an unknown customer": ({"customer_id": "nobody"}, "ORDER-CUSTOMER", "There is no such customer. (nobody)"),
    "an unknown item": ({"lines": [LINE | {"sku": "NOPE"}]}, "ORDER-SKU", "There is no such item. (NOPE)"),
    "another's card": (
        {"payment_method_id": "ben_card"},
        "ORDER-METHOD",
        "There is no such payment method on this account. (ben_card)",
    ),
    "an id that was used": (
        {"order_id": W1005},
        "ORDER-ID-TAKEN",
        f"This order id was used before for another order. ({W1005})",
    ),
}

WRONG_MESSAGES: dict[str, tuple[dict[str, Any], int, str]] = {
    "empty": ({"content": ""}, 422, "MESSAGE-EMPTY"),
    "blank": ({"content": " \n\t"}, 422, "MESSAGE-EMPTY"),
    "100 kB": ({"content": "refund! " * 12_500}, 422, "MESSAGE-LONG"),
    "a number": ({"content": 7}, 422, "MESSAGE-FORM"),
    "a picture": ({"content": [{"type": "image_url", "image_url": "http://127.0.0.1/x"}]}, 422, "MESSAGE-FORM"),
    "the desk's own": ({"role": "assistant"}, 422, "MESSAGE-FORM"),
    "of nobody": ({"role": 7}, 422, "MESSAGE-FORM"),
    "with a name": ({"name": {"first": "Ada"}}, 422, "MESSAGE-FORM"),
    "with more": ({"additional_kwargs": 7}, 422, "MESSAGE-FORM"),
    "of nobody, and a person": ({"role": None, "type": "human"}, 422, "MESSAGE-FORM"),
    "a block with more in it": ({"content": [{"type": "text", "text": "hello", "extra": "x"}]}, 422, "MESSAGE-FORM"),
    "a long id": ({"id": "x" * 101}, 422, "MESSAGE-FORM"),
}


@pytest.fixture
def unchanged(cron_fired: None, ledger: Ledger) -> Iterator[None]:
    """The ledger holds after the test exactly what it held before."""
    before = ledger.dump()
    yield
    assert ledger.dump() == before


def test_an_order_that_cannot_be_read_is_refused_by_field(driver: Driver, unchanged: None) -> None:
    for what, (order, why) in UNREADABLE_ORDERS.items():
        body = {"assistant_id": "order_processing", "input": {"order": order}, "if_not_exists": "create"}
        answer = driver.http(
            "channel", "POST", f"/threads/{order_thread('WRONG-1', 'channel:channel-1')}/runs/wait", body
        )
        assert answer.status_code == 422, what
        assert answer.json()["detail"].startswith(f"ORDER-INPUT: {why}"), what
    assert driver.http("operator", "GET", f"/threads/{order_thread('WRONG-1', 'channel:channel-1')}").status_code == 404


def test_an_order_that_breaks_a_rule_is_refused_by_that_rule(driver: Driver, unchanged: None) -> None:
    orders = [GOOD | {"order_id": f"WRONG-R{n}"} | change for n, (change, _, _) in enumerate(REFUSED_ORDERS.values())]
    runs: list[Run] = together(*(partial(driver.order, order) for order in orders))
    for run, (what, (_, rule, sentence)) in zip(runs, REFUSED_ORDERS.items(), strict=True):
        assert run.values["denial"] == {"rule": rule, "sentence": sentence}, what
        assert run.stage == "refused", what
        assert driver.client("operator").threads.get(run.thread)["status"] == "idle", what


def test_an_order_id_that_is_used_twice_is_the_same_order_or_refused(driver: Driver, ledger: Ledger) -> None:
    first = driver.order(GOOD)
    before = ledger.dump()
    again = driver.order(GOOD)
    other = driver.order(GOOD | {"lines": [LINE | {"quantity": 2}]})
    assert (first.stage, first.rule) == (again.stage, again.rule) == ("completed", None)
    assert (other.stage, other.rule) == ("completed", "ORDER-ID-TAKEN")
    assert ledger.dump() == before


def test_a_message_that_cannot_be_read_is_refused_by_rule(driver: Driver, unchanged: None) -> None:
    thread = driver.conversation()
    inputs: list[tuple[str, dict[str, Any], int, str]] = [
        (what, {"messages": [{"role": "user", "content": HELLO} | change]}, status, why)
        for what, (change, status, why) in WRONG_MESSAGES.items()
    ]
    inputs += [
        (
            "two at once",
            {"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]},
            422,
            "MESSAGE-FORM",
        ),
        ("a plan besides", {"messages": [{"role": "user", "content": "yes"}], "plan": {}}, 422, "MESSAGE-FORM"),
        ("a removal", {"messages": [{"type": "remove", "id": "1"}]}, 422, "MESSAGE-FORM"),
        ("none", {}, 422, "MESSAGE-FORM"),
    ]
    for what, given, status, why in inputs:
        answer = driver.http(
            "channel", "POST", f"/threads/{thread}/runs/wait", {"assistant_id": "customer_service", "input": given}
        )
        assert (answer.status_code, answer.json()["detail"].partition(":")[0]) == (status, why), what
    assert driver.client("channel").threads.get(thread)["status"] == "idle"


def test_a_message_keeps_its_id_and_the_same_again_is_the_same_turn(driver: Driver) -> None:
    thread = driver.conversation()

    def says(text: str, message_id: str) -> Any:
        said = {"messages": [{"role": "user", "content": text, "id": message_id}]}
        body = {"assistant_id": "customer_service", "input": said, "context": {"customer_id": "ada_park"}}
        return driver.http("channel", "POST", f"/threads/{thread}/runs/wait", body)

    first = says(f"cancel {W1002}, no longer needed", "m-1").json()["messages"]
    assert says(f"cancel {W1002}, no longer needed", "m-1").json()["messages"] == first
    for text, message_id in ((f"cancel {W1003}", "m-1"), ("all is cancelled", first[-1]["id"])):
        assert says(text, message_id).status_code == 422
    values = driver.client("channel").threads.get(thread)["values"]
    assert isinstance(values, dict)
    assert values["messages"] == first
    assert values["plan"]["actions"]


def test_a_run_setting_that_would_steer_the_engine_is_refused_and_what_waits_goes_on_waiting(driver: Driver) -> None:
    order = an_order("WRONG-STEER", {"DESK-WALNUT": 2})
    waits = driver.order(order)
    steering: list[dict[str, Any]] = [
        {"recursion_limit": 1}, {"max_concurrency": -1}, {"callbacks": [{}]}, {"run_name": 7},
    ]  # fmt: skip
    for config in steering:
        for role, what in (
            ("channel", {"input": {"order": order}}),
            (OF_LARGE[0], {"command": {"resume": "approve"}}),
        ):
            body = {"assistant_id": "order_processing", "config": config, **what}
            assert driver.http(role, "POST", f"/threads/{waits.thread}/runs/wait", body).status_code == 422, config
    assert driver.client(OF_LARGE[0]).threads.get(waits.thread)["status"] == "interrupted"
    assert driver.answer(OF_LARGE[0], waits, "reject", note="tried").stage == "cancelled"


def test_what_is_said_of_a_thread_or_a_run_is_listed(driver: Driver) -> None:
    thread = driver.conversation()
    hello = {"assistant_id": "customer_service", "input": {"messages": [{"role": "user", "content": "hello"}]}}
    for role in ("customer", "channel"):
        for metadata in ({"page": "x" * 1000}, {"awaiting": OF_LARGE[0]}, {"graph_id": ["x"]}):
            assert driver.http(role, "POST", "/threads", {"metadata": metadata}).status_code == 422
    for metadata in ({"page": "x"}, {"request_id": "apr-1"}):
        body = hello | {"metadata": metadata}
        assert driver.http("channel", "POST", f"/threads/{thread}/runs/wait", body).status_code == 422
    body = hello | {"metadata": {"graph_id": "customer_service"}}
    assert driver.http("channel", "POST", f"/threads/{thread}/runs/wait", body).status_code == 200


def test_text_that_no_store_keeps_is_refused_and_what_waits_goes_on_waiting(driver: Driver) -> None:
    waits = driver.order(an_order("WRONG-NUL", {"DESK-WALNUT": 2}))
    assert waits.waiting
    runs = f"/threads/{waits.thread}/runs/wait"
    for bad in ("too much\\u0000", "too much\\ud800"):
        note = f'{{"resume": {{"decisions": [{{"type": "reject", "message": "{bad}"}}]}}}}'
        sent = {
            runs: f'{{"assistant_id": "order_processing", "command": {note}}}',
            f"/ops/approvals/{waits.waiting['request_id']}/ask": f'{{"text": "{bad}"}}',
        }
        answers = [driver.raw(OF_LARGE[0], path, body) for path, body in sent.items()]
        assert [answer.status_code for answer in answers] == [422, 422], bad
    assert driver.http("customer", "GET", "/ops/orders/W-1%00").status_code == 422
    assert driver.client(OF_LARGE[0]).threads.get(waits.thread)["status"] == "interrupted"
    assert driver.answer(OF_LARGE[0], waits, "reject", note="tried").stage == "cancelled"


def test_an_answer_that_no_checkpoint_holds_is_refused_and_what_waits_goes_on_waiting(driver: Driver) -> None:
    waits = driver.order(an_order("WRONG-DEEP", {"DESK-WALNUT": 2}))
    for bad in ("[" * 300 + "]" * 300, "[NaN]"):
        body = f'{{"assistant_id": "order_processing", "command": {{"resume": {bad}}}}}'
        assert driver.raw(OF_LARGE[0], f"/threads/{waits.thread}/runs/wait", body).status_code in (400, 422)
    assert driver.client(OF_LARGE[0]).threads.get(waits.thread)["status"] == "interrupted"
    assert driver.answer(OF_LARGE[0], waits, "reject", note="tried").stage == "cancelled"


def test_an_agent_that_calls_by_a2a_is_heard(driver: Driver) -> None:
    [assistant] = driver.client("channel").assistants.search(graph_id="customer_service")
    message = {"role": "user", "messageId": "m-1", "parts": [{"kind": "text", "text": "how long does a refund take?"}]}
    call = {"jsonrpc": "2.0", "id": 1, "method": "message/send", "params": {"message": message}}
    answer = driver.http("channel", "POST", f"/a2a/{assistant['assistant_id']}", call)
    assert answer.status_code == 200
    assert "error" not in answer.json(), answer.text


def test_whom_a_channel_speaks_for_is_checked(driver: Driver, unchanged: None) -> None:
    thread = driver.conversation()
    body = {
        "assistant_id": "customer_service",
        "input": {"messages": [{"role": "user", "content": f"where is {W1002}?"}]},
    }
    for context, status, why in (
        ({"customer_id": 7}, 422, "context.customer_id: Input should be a valid string"),
        ({"customer_id": "x" * 61}, 422, "context.customer_id: String should have at most 60 characters"),
        ({"customer_id": "ada_park", "role": "operator"}, 403, "role channel may not set context: role"),
    ):
        answer = driver.http("channel", "POST", f"/threads/{thread}/runs/wait", body | {"context": context})
        assert (answer.status_code, answer.json()["detail"]) == (status, why)
    assert driver.ask(f"where is {W1002}?", customer="nobody", thread=thread).said == "There is no such customer."
    assert driver.client("channel").threads.get(thread)["status"] == "idle"
