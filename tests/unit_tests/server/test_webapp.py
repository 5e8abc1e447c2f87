"""The /ops routes, called as functions: what they tell to whom."""

from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import HTTPException

from agent.identity import ROLES, Caller, Role
from agent.server import orders, webapp
from agent.services import Services
from tests.unit_tests.threads import staff, user


def by(who: Caller) -> Any:
    """A request of an authenticated caller."""
    return SimpleNamespace(user=user(who))


async def test_health_asks_the_ledger(shop: Services) -> None:
    assert await webapp.health() == {"status": "ok"}


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

    for route in (webapp.metrics(anyone), orders.show("W-1001", anyone)):
        with pytest.raises(HTTPException) as why:
            await route
        assert why.value.status_code == 403
