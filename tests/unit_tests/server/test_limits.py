"""One customer may start or change only so much; everybody else is trusted."""

from collections.abc import Iterator

import pytest

from agent.identity import ROLES, Caller, Role
from agent.server import limits
from agent.server.limits import TooManyError, throttle
from agent.settings import Settings
from tests.support.goods import W1001
from tests.support.routes import Ask
from tests.support.threads import events

ADA, BEN = Caller("ada_park", "customer"), Caller("ben_ortiz", "customer")


@pytest.fixture(autouse=True)
def _nothing_counted() -> Iterator[None]:
    limits._limiter.cache_clear()
    yield
    limits._limiter.cache_clear()


@pytest.fixture
def config(config: Settings) -> Settings:
    return config.model_copy(update={"customer_rate": "1/minute"})


async def test_a_customer_who_asks_too_often_is_told_when_to_come_back() -> None:
    limited = events("request.limited")
    for _ in range(2):
        await throttle(ADA, "2/minute")

    with pytest.raises(TooManyError, match="no more than 2/minute: try again in") as many:
        await throttle(ADA, "2/minute")

    assert 1 <= int(many.value.headers["Retry-After"]) <= 60
    assert events("request.limited") == limited + 1


async def test_customers_are_counted_apart() -> None:
    for who in (ADA, BEN):
        await throttle(who, "1/minute")
    for who in (ADA, BEN):
        with pytest.raises(TooManyError):
            await throttle(who, "1/minute")


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"customer"}))
async def test_nobody_else_is_counted(role: Role) -> None:
    for _ in range(3):
        await throttle(Caller("ada_park", role), "1/minute")


async def test_an_empty_rate_is_no_limit() -> None:
    for _ in range(3):
        await throttle(ADA, "")


@pytest.mark.parametrize(
    ("path", "body"),
    [("cancel", {"reason": "no longer needed"}), ("pay", {"payment_method_id": "ada_paypal"})],
)
async def test_changing_an_order_counts_and_looking_at_it_does_not(ask: Ask, path: str, body: dict[str, str]) -> None:
    for _ in range(3):
        assert (await ask("GET", f"/ops/orders/{W1001}", ADA)).status_code == 200
    assert (await ask("POST", f"/ops/orders/{W1001}/{path}", ADA, json=body)).status_code != 429

    many = await ask("POST", f"/ops/orders/{W1001}/{path}", ADA, json=body)

    assert (many.status_code, many.headers["retry-after"].isdigit()) == (429, True)
