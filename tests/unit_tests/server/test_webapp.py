"""The /ops routes, called as functions: what they tell to whom."""

from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import HTTPException

from agent.identity import ROLES, Caller, Role
from agent.server import webapp
from agent.services import Services
from tests.unit_tests.threads import staff, user

ADA = Caller("ada_park", "customer")


def by(who: Caller) -> Any:
    """A request of an authenticated caller."""
    return SimpleNamespace(user=user(who))


async def test_health_asks_the_ledger(shop: Services) -> None:
    assert await webapp.health() == {"status": "ok"}


async def test_a_customer_sees_an_own_order_with_its_approvals(shop: Services) -> None:
    view = await webapp.order("W-1001", by(ADA))

    assert (view["id"], view["customer_id"], view["approvals"]) == ("W-1001", "ada_park", [])


async def test_anothers_order_is_not_there_for_a_customer(shop: Services) -> None:
    async def refused(order_id: str) -> tuple[int, str]:
        with pytest.raises(HTTPException) as why:
            await webapp.order(order_id, by(ADA))
        return why.value.status_code, str(why.value.detail).replace(order_id, "…")

    assert await refused("W-1003") == await refused("W-9999")
    assert (await refused("W-1003"))[0] == 404


async def test_staff_sees_any_order(shop: Services) -> None:
    assert (await webapp.order("W-1003", by(staff("order_manager"))))["customer_id"] == "ben_ortiz"


@pytest.mark.parametrize("role", ROLES)
async def test_metrics_are_for_operators(role: Role) -> None:
    if role in ("operator", "admin"):
        assert b"desk_events_total" in (await webapp.metrics(by(staff(role)))).body
        return
    with pytest.raises(HTTPException) as why:
        await webapp.metrics(by(staff(role)))
    assert why.value.status_code == 403


async def test_who_has_no_role_sees_nothing(shop: Services) -> None:
    anyone: Any = SimpleNamespace(user=SimpleNamespace(identity="anyone", permissions=[]))

    for route in (webapp.metrics(anyone), webapp.order("W-1001", anyone)):
        with pytest.raises(HTTPException) as why:
            await route
        assert why.value.status_code == 403
