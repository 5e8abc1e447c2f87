"""The routes of an order: who may change its course, what is refused by which rule, and that its graph goes on."""

from collections.abc import Awaitable, Callable

import httpx
import pytest

from agent.commerce.policy import RULES
from agent.identity import ROLES, Caller, Role
from agent.platform import order_thread
from agent.server import order_routes
from agent.services import Services
from tests.support import steps
from tests.support.commands import hand_over_parcel
from tests.support.goods import W1001, W1002, W1003
from tests.support.platform_stub import Platform
from tests.support.scenes import new_order, paid, parked
from tests.support.threads import staff

Ask = Callable[..., Awaitable[httpx.Response]]

ADA = Caller("ada_park", "customer")
BEN = Caller("ben_ortiz", "customer")
STOREFRONT = Caller("storefront", "channel")
NO_LONGER = {"reason": "no longer needed"}


async def test_a_customer_sees_an_own_order_with_its_approvals(ask: Ask) -> None:
    view = (await ask("GET", f"/ops/orders/{W1001}", ADA)).json()

    assert (view["id"], view["customer_id"], view["approvals"]) == (W1001, "ada_park", [])
    assert view["denial"] is None


async def test_an_order_that_was_undone_names_the_rule_with_its_sentence(
    shop: Services, ask: Ask, platform: Platform
) -> None:
    await parked(shop, new_order())
    await ask("POST", "/ops/orders/A-1/cancel", ADA, json=NO_LONGER)
    sentence = RULES["CUSTOMER-CANCELLED"]
    assert (await ask("GET", "/ops/orders/A-1", ADA)).json()["denial"] == {
        "rule": "CUSTOMER-CANCELLED",
        "sentence": sentence,
    }


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("GET", "", None), ("POST", "/cancel", NO_LONGER), ("POST", "/pay", {"payment_method_id": "ada_card"})],
)
async def test_anothers_order_is_not_there_for_a_customer(ask: Ask, method: str, path: str, body: object) -> None:
    theirs = await ask(method, f"/ops/orders/{W1003}{path}", ADA, json=body)
    nobodys = await ask(method, f"/ops/orders/W-9999{path}", ADA, json=body)

    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.text.replace(W1003, "…") == nobodys.text.replace("W-9999", "…")


async def test_staff_sees_any_order(ask: Ask) -> None:
    assert (await ask("GET", f"/ops/orders/{W1003}", staff("order_manager"))).json()["customer_id"] == "ben_ortiz"


@pytest.mark.parametrize("who", [ADA, STOREFRONT])
async def test_a_parked_order_is_cancelled_and_its_graph_goes_on(
    shop: Services, ask: Ask, platform: Platform, who: Caller
) -> None:
    await parked(shop, new_order())

    answer = await ask("POST", "/ops/orders/A-1/cancel", who, json=NO_LONGER)

    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    [(thread, run)] = platform.runs
    assert (thread, run["input"]) == (order_thread("A-1", "channel:storefront"), {"order": {"order_id": "A-1"}})
    assert run["multitask_strategy"] == "reject"


async def test_a_cancel_counts_though_the_platform_can_not_be_reached(
    shop: Services, ask: Ask, platform: Platform
) -> None:
    await parked(shop, new_order())
    platform.broken[f"/threads/{order_thread('A-1', 'channel:storefront')}/runs"] = 409

    assert (await ask("POST", "/ops/orders/A-1/cancel", ADA, json=NO_LONGER)).status_code == 200
    assert (await shop.queries.get("A-1"))["status"] == "cancelled"


@pytest.mark.parametrize(
    ("order_id", "body", "rule"),
    [(W1001, NO_LONGER, "CANCEL-STATUS"), (W1002, {"reason": "I changed my mind"}, "CANCEL-REASON")],
)
async def test_a_cancel_that_is_refused_names_its_rule(
    ask: Ask, platform: Platform, order_id: str, body: object, rule: str
) -> None:
    refused = await ask("POST", f"/ops/orders/{order_id}/cancel", ADA, json=body)

    assert (refused.status_code, refused.json()["detail"].split(":")[0]) == (409, rule)
    assert platform.runs == []


async def test_the_same_key_is_the_same_cancel_and_another_is_not(shop: Services, ask: Ask) -> None:
    await parked(shop, new_order())
    codes = [
        (await ask("POST", "/ops/orders/A-1/cancel", ADA, json=NO_LONGER, headers={"idempotency-key": key})).status_code
        for key in ("one", "one", "two")
    ]
    assert codes == [200, 200, 409]


@pytest.mark.parametrize("verb", ["cancel", "pay"])
def test_keys_that_differ_at_their_end_are_different_whatever_the_orders_id(verb: str) -> None:
    keys = [order_routes.command_key(verb, "W" * 60, "k" * 99 + end) for end in "abc"]

    assert len(set(keys)) == 3
    assert all(len(key) <= 120 for key in keys)
    assert keys[0] == order_routes.command_key(verb, "W" * 60, "k" * 99 + "a")


async def test_a_key_that_comes_again_with_another_reason_is_refused(shop: Services, ask: Ask) -> None:
    await parked(shop, new_order())
    key = {"headers": {"idempotency-key": "one"}}
    await ask("POST", "/ops/orders/A-1/cancel", ADA, json=NO_LONGER, **key)

    again = await ask("POST", "/ops/orders/A-1/cancel", ADA, json={"reason": "ordered by mistake"}, **key)

    assert (again.status_code, "with other arguments" in again.text) == (409, True)


@pytest.mark.parametrize("body", [None, {}, [], {"reason": 7}, {"reason": "x" * 101}, NO_LONGER | {"refund": 10**6}])
async def test_what_is_no_cancel_is_refused_and_changes_nothing(shop: Services, ask: Ask, body: object) -> None:
    await parked(shop, new_order())

    assert (await ask("POST", "/ops/orders/A-1/cancel", ADA, json=body)).status_code == 422
    assert (await shop.queries.get("A-1"))["stage"] == "parked"


async def test_another_payment_method_takes_the_place_of_the_old_one(shop: Services, ask: Ask) -> None:
    answer = await ask("POST", f"/ops/orders/{W1002}/pay", ADA, json={"payment_method_id": "ada_slow"})

    assert (answer.status_code, answer.json()["payment_method_id"]) == (200, "ada_card")
    await shop.payments.collect(W1002)
    assert (await shop.queries.get(W1002))["payment_method_id"] == "ada_slow"  # once it has paid


async def test_nobody_pays_by_anothers_method(ask: Ask) -> None:
    refused = await ask("POST", f"/ops/orders/{W1002}/pay", ADA, json={"payment_method_id": "ben_card"})

    assert (refused.status_code, refused.json()["detail"].split(":")[0]) == (409, "PAYMENT-DIFFERENT")


async def test_the_system_that_ships_an_imported_order_says_that_it_left_and_came(shop: Services, ask: Ask) -> None:
    left = await ask("POST", f"/ops/orders/{W1002}/hand-over", staff("warehouse"))
    again = await ask("POST", f"/ops/orders/{W1002}/hand-over", staff("warehouse"))
    came = await ask("POST", f"/ops/orders/{W1002}/deliver", staff("warehouse"))

    assert (left.json()["status"], again.status_code, came.json()["status"]) == ("processed", 409, "delivered")
    assert (await shop.queries.get(W1002))["stage"] == "completed"


async def test_what_the_carrier_takes_is_not_handed_over_by_hand(shop: Services, ask: Ask) -> None:
    await paid(shop, new_order())
    await steps.plan(shop, "A-1")

    refused = await ask("POST", "/ops/orders/A-1/hand-over", staff("warehouse"))

    assert (refused.status_code, refused.json()["detail"].split(":")[0]) == (409, "PARCEL-STATE")


async def test_the_warehouse_confirms_a_delivery_once(shop: Services, ask: Ask) -> None:
    await paid(shop, new_order())
    for parcel in await steps.plan(shop, "A-1"):
        await hand_over_parcel(shop, parcel)

    first = await ask("POST", "/ops/orders/A-1/deliver", staff("warehouse"))
    again = await ask("POST", "/ops/orders/A-1/deliver", staff("warehouse"))

    assert (first.status_code, first.json()["status"], again.status_code) == (200, "delivered", 409)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    ("verb", "body", "allowed"),
    [
        ("cancel", {"reason": ""}, {"customer", "channel"}),
        ("pay", {"payment_method_id": "nobodys"}, {"customer", "channel"}),
        ("deliver", None, {"warehouse"}),
    ],
)
async def test_each_verb_is_for_its_roles(ask: Ask, role: Role, verb: str, body: object, allowed: set[Role]) -> None:
    who = ADA if role == "customer" else staff(role)
    code = (await ask("POST", f"/ops/orders/{W1002}/{verb}", who, json=body)).status_code
    assert code == (409 if role in allowed else 403)


async def test_who_is_nobody_changes_nothing(ask: Ask) -> None:
    assert (await ask("POST", f"/ops/orders/{W1002}/cancel", None, json=NO_LONGER)).status_code == 403


@pytest.mark.parametrize("body", [b'{"reason": "no\\u0000"}', b'{"reason": "no\\ud800"}', b"\0"])
async def test_a_reason_that_can_not_be_kept_is_refused(ask: Ask, body: bytes) -> None:
    headers = {"content-type": "application/json"}

    assert (await ask("POST", f"/ops/orders/{W1002}/cancel", ADA, content=body, headers=headers)).status_code == 422


async def test_a_path_that_can_not_be_kept_is_refused_by_rule(ask: Ask) -> None:
    for path in ("/ops/orders/W-1%00", f"/ops/orders/{W1002}?x=%00"):
        refused = await ask("GET", path, ADA)
        assert (refused.status_code, refused.json()["detail"].split(":")[0]) == (422, "TEXT-CHARACTERS")


@pytest.mark.parametrize(("length", "status"), [(0, 422), (1, 200), (100, 200), (101, 422)])
async def test_an_idempotency_key_is_taken_up_to_its_bound(ask: Ask, length: int, status: int) -> None:
    key = {"idempotency-key": "k" * length}

    assert (await ask("POST", f"/ops/orders/{W1002}/cancel", ADA, json=NO_LONGER, headers=key)).status_code == status
