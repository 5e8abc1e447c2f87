"""What operators see of the breakers, and what they may do with them."""

import pytest

from agent.identity import ROLES, Role
from agent.providers.payment import Attempt
from agent.resilience import CircuitOpenError
from agent.services import Services
from tests.support.routes import Ask
from tests.support.threads import staff

ATTEMPT = Attempt("k1", 1000, "USD", "tok_approve")


async def test_a_forced_breaker_refuses_until_it_is_reset(ask: Ask, shop: Services) -> None:
    told = (await ask("POST", "/ops/breakers/payment/force-open", staff("operator"))).json()
    states = {each["name"]: each["state"] for each in told["breakers"]}
    assert (states["payment"], states["carrier"], told["shared"]) == ("forced_open", "closed", None)
    with pytest.raises(CircuitOpenError):
        await shop.providers.payments[0].capture(ATTEMPT)

    told = (await ask("POST", "/ops/breakers/payment/reset", staff("operator"))).json()

    assert {each["state"] for each in told["breakers"]} == {"closed"}
    assert (await shop.providers.payments[0].capture(ATTEMPT)).outcome == "captured"


async def test_why_it_opened_and_when_it_probes_is_told(ask: Ask, shop: Services) -> None:
    async def unreachable() -> None:
        raise ConnectionRefusedError

    payment = shop.breakers["payment"]
    for _ in range(shop.settings.payment_breaker_minimum_calls):
        with pytest.raises(ConnectionRefusedError):
            await payment.call(unreachable)

    told = (await ask("GET", "/ops/breakers", staff("operator"))).json()

    [shown] = [each for each in told["breakers"] if each["name"] == "payment"]
    assert (shown["state"], shown["why"]) == ("open", "connection")
    assert 0 < shown["next_probe_in"] <= shop.settings.payment_breaker_open_seconds
    assert shown["last_errors"]["connection"]["error"] == "ConnectionRefusedError"


@pytest.mark.parametrize("role", ROLES)
async def test_breakers_are_for_operators(ask: Ask, shop: Services, role: Role) -> None:
    allowed = role in ("operator", "admin")
    assert (await ask("GET", "/ops/breakers", staff(role))).status_code == (200 if allowed else 403)
    answer = await ask("POST", "/ops/breakers/payment/force-open", staff(role))
    assert answer.status_code == (200 if allowed else 403)
    assert shop.breakers["payment"].snapshot().state == ("forced_open" if allowed else "closed")


@pytest.mark.parametrize(("path", "status"), [("nobody/reset", 404), ("payment/explode", 422)])
async def test_what_is_not_there_changes_nothing(ask: Ask, shop: Services, path: str, status: int) -> None:
    before = [(breaker.name, breaker.state) for breaker in await shop.breakers.look()]
    assert (await ask("POST", f"/ops/breakers/{path}", staff("operator"))).status_code == status
    assert [(breaker.name, breaker.state) for breaker in await shop.breakers.look()] == before
