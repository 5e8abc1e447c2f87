"""The /ops routes, called as functions: what they tell to whom."""

from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import HTTPException

from agent import services as composition
from agent.drain import Drain
from agent.identity import ROLES, STUDIO_IDENTITY, Caller, Role
from agent.server import order_routes, webapp
from agent.services import Services
from agent.settings import Settings
from tests.support.clock import Clock
from tests.support.goods import W1001
from tests.support.threads import staff, user


def by(who: Caller) -> Any:
    """A request of an authenticated caller."""
    return SimpleNamespace(user=user(who))


async def test_health_asks_the_ledger_and_tells_whether_the_reconciler_runs(shop: Services, clock: Clock) -> None:
    assert await webapp.health() == {"status": "ok", "reconciler": "on time", "reconciler_last_run": None}
    await shop.heartbeat.record()
    began = clock.now.isoformat()
    assert await webapp.health() == {"status": "ok", "reconciler": "on time", "reconciler_last_run": began}
    clock.advance(minutes=6)
    assert await webapp.health() == {"status": "ok", "reconciler": "late", "reconciler_last_run": began}


async def test_health_tells_that_the_reconciler_is_switched_off(config: Settings, clock: Clock) -> None:
    shop = await composition.build(Settings(**{**dict(config), "reconcile_cron": ""}), clock)
    composition.replace(shop)

    assert (await webapp.health())["reconciler"] == "off"

    composition.replace(None)
    await shop.close()


async def test_a_worker_that_stops_is_not_ready(shop: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await webapp.ready()).status_code == 200
    monkeypatch.setattr(webapp, "DRAIN", drain := Drain())
    drain.begin()
    stops = await webapp.ready()
    assert (stops.status_code, stops.body, stops.headers["retry-after"]) == (503, b'{"status":"draining"}', "5")


@pytest.mark.parametrize("role", ROLES)
async def test_metrics_are_for_operators(shop: Services, role: Role) -> None:
    if role in ("operator", "admin"):
        assert b"desk_events_total" in (await webapp.metrics(by(staff(role)))).body
        return
    with pytest.raises(HTTPException) as why:
        await webapp.metrics(by(staff(role)))
    assert why.value.status_code == 403


@pytest.mark.parametrize("who", [*ROLES, STUDIO_IDENTITY])
async def test_who_is_let_in_sees_that_a_server_is_there(who: Any) -> None:
    studio: Any = SimpleNamespace(user=SimpleNamespace(identity=STUDIO_IDENTITY, permissions=[]))

    assert (await webapp.info(studio if who == STUDIO_IDENTITY else by(staff(who))))["flags"]["assistants"]


@pytest.mark.parametrize("environment", ["development", "production"])
async def test_one_is_a_customer_in_the_browser_in_development_alone(
    environment: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webapp, "settings", lambda: Settings.model_construct(environment=environment))
    request: Any = SimpleNamespace(headers={})
    answer = await webapp.try_it(request)
    assert answer.headers["content-type"].startswith("text/javascript")
    assert (b"export function mount" in answer.body) == (environment == "development")
    assert answer.body == b"export {};\n" or environment == "development"


async def test_who_has_no_role_sees_nothing(shop: Services) -> None:
    anyone: Any = SimpleNamespace(user=SimpleNamespace(identity="anyone", permissions=[]))

    for route in (webapp.info(anyone), webapp.metrics(anyone), order_routes.show(W1001, anyone)):
        with pytest.raises(HTTPException) as why:
            await route
        assert why.value.status_code == 403
