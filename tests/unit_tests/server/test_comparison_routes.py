"""`/ops/compare`: who may have the ledger held against the providers, and what they are told."""

import pytest

from agent.identity import ROLES, Role
from agent.providers.payment import Attempt
from agent.services import Services
from tests.support.routes import Ask
from tests.support.scenes import unreachable, wire
from tests.support.threads import staff


async def test_an_operator_is_told_each_difference(shop: Services, ask: Ask) -> None:
    await shop.providers.payments[0].capture(Attempt("W-9:pay:1", 120_00, "USD", "tok_approve"))

    told = await ask("POST", "/ops/compare", staff("operator"))

    assert told.status_code == 200
    [difference] = told.json()["differences"]
    assert (difference["kind"], difference["key"], difference["amount"]) == ("capture-unknown", "W-9:pay:1", 120_00)
    assert "sent again under the same id" in difference["what_to_do"]


@pytest.mark.parametrize("days", ["0", "367", "many"])
async def test_the_days_are_bounded(ask: Ask, days: str) -> None:
    assert (await ask("POST", f"/ops/compare?days={days}", staff("operator"))).status_code == 422


async def test_a_provider_that_cannot_be_asked_is_503(shop: Services, ask: Ask) -> None:
    with wire(shop.providers.clients[0], request=unreachable):
        told = await ask("POST", "/ops/compare", staff("operator"))
    assert (told.status_code, "can't be asked now" in told.json()["detail"]) == (503, True)


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"operator", "admin"}))
async def test_it_is_for_operators(ask: Ask, role: Role) -> None:
    assert (await ask("POST", "/ops/compare", staff(role))).status_code == 403
