"""A server that should not start says why in one line."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from agent.server import startup
from agent.server.startup import open_ledger, unfit
from agent.services import Services
from agent.settings import GIVEN_BY_OTHERS, Settings
from agent.shop import SHOP, load
from agent.tokens import create_tokens

RANDOM = "Zk3vQ9r8GKYqrTwjUPD8ILPZIo2LaLaS"
JWT = {"jwt_secret": RANDOM, "jwt_issuer": "https://id.example", "jwt_audience": "desk"}


@pytest.fixture
def there(tmp_path: Path) -> dict[str, Any]:
    """Production, with tokens and their digests, that takes real money."""
    create_tokens(tmp_path / "tokens.json")
    return {
        "environment": "production",
        "langgraph_strict_msgpack": True,
        "tokens_file": tmp_path / "tokens.json",
        "payment_provider": "stripe",
        "stripe_api_key": "sk_test_1",
        "seed_shop": False,
    }


def why(given: dict[str, Any]) -> str:
    """Why a server with these settings would not start, or nothing."""
    said = unfit(Settings.model_validate(given)) or ""
    assert "\n" not in said
    return said


def test_development_starts_without_anything(tmp_path: Path) -> None:
    assert why({"tokens_file": tmp_path / "none", "studio_mode": "act"}) == ""


def test_production_starts_with_digests_and_a_token_of_its_own(there: dict[str, Any]) -> None:
    there["tokens_file"].unlink()

    assert why(there | {"service_token": RANDOM}) == ""
    assert "SERVICE_TOKEN" in why(there)


def test_production_starts_with_jwts_and_a_token_of_its_own(there: dict[str, Any], tmp_path: Path) -> None:
    assert why(there | JWT | {"service_token": RANDOM, "tokens_file": tmp_path / "none"}) == ""


def test_production_does_not_start_when_nobody_could_call(there: dict[str, Any]) -> None:
    digests = Settings.model_validate(there).digests_file
    digests.write_text("{}")
    assert "needs somebody who could call: " in why(there)
    digests.unlink()
    assert "needs somebody who could call: " in why(there)


@pytest.mark.parametrize("mode", ["read", "act"])
def test_production_does_not_start_with_studio(there: dict[str, Any], mode: str) -> None:
    assert "STUDIO_MODE=off" in why(there | {"studio_mode": mode})


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"payment_provider": "sandbox"}, "PAYMENT_PROVIDER other than sandbox"),
        ({"second_payment_provider": "sandbox"}, "SECOND_PAYMENT_PROVIDER other than sandbox"),
        ({"seed_shop": True}, "SEED_SHOP=false"),
        ({"langgraph_strict_msgpack": False}, "LANGGRAPH_STRICT_MSGPACK=true"),
    ],
    ids=str,
)
def test_production_does_not_start_with_what_is_for_trying_out(
    there: dict[str, Any], given: dict[str, Any], named: str
) -> None:
    assert why(there) == ""
    assert named in why(there | given)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"second_payment_url": "http://127.0.0.1:9"}, "it needs SECOND_PAYMENT_PROVIDER=sandbox"),
        (
            {"second_payment_provider": "stripe", "second_payment_url": "http://127.0.0.1:9"},
            "it needs SECOND_PAYMENT_PROVIDER=sandbox",
        ),
        ({"second_payment_provider": "sandbox"}, "name another, or SECOND_PAYMENT_URL"),
        ({"payment_provider": "stripe", "second_payment_provider": "stripe"}, "is the first one again: name another"),
        ({"second_payment_provider": "stripe"}, ""),
        ({"payment_provider": "stripe", "second_payment_provider": "sandbox"}, ""),
        ({"second_payment_provider": "sandbox", "second_payment_url": "http://127.0.0.1:9"}, ""),
    ],
    ids=str,
)
def test_a_second_provider_is_another_one(given: dict[str, Any], says: str) -> None:
    said = why(given)
    assert said.endswith(says) if says else said == ""


@pytest.mark.parametrize("given", [{"payment_provider": "stripe"}, {"second_payment_provider": "stripe"}], ids=str)
@pytest.mark.parametrize(
    ("currency", "starts"),
    [
        *((name, True) for name in ("USD", "EUR", "JPY", "MGA")),
        *((name, False) for name in ("ISK", "UGX", "HUF", "IDR", "KWD")),
    ],
)
def test_stripe_is_not_sent_amounts_that_it_would_take_for_others(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], currency: str, starts: bool
) -> None:
    monkeypatch.setattr(startup, "SHOP", SHOP.model_copy(update={"currency": currency}))
    said = why(given)
    assert said == "" if starts else said.startswith(f"stripe cannot take {currency}, the currency of ")
    assert why({}) == ""


SECRETS = ["service_token", "trail_key", "stripe_webhook_secret", "sandbox_webhook_secret", "notice_webhook_secret",
           "approval_webhook_secret", "jwt_secret"]  # fmt: skip


@pytest.mark.parametrize("weak", ["x", "x" * 64, "x" * 31, RANDOM[:-1], f"{RANDOM},x", f"x,{RANDOM}", f"{RANDOM},"])
@pytest.mark.parametrize("name", SECRETS)
def test_production_does_not_start_with_a_secret_that_can_be_guessed(
    there: dict[str, Any], name: str, weak: str
) -> None:
    assert why(there | JWT | {name: RANDOM}) == ""
    said = why(there | JWT | {name: weak})
    assert f"{name.upper()} " in said
    assert weak not in said.split()


def test_every_secret_of_ours_is_looked_at() -> None:
    ours = {name for name, value in Settings() if isinstance(value, SecretStr)} - GIVEN_BY_OTHERS
    assert ours == set(SECRETS)


def test_all_that_production_lacks_is_named_at_once(tmp_path: Path) -> None:
    said = why({"environment": "production", "tokens_file": tmp_path / "none", "studio_mode": "act", "trail_key": "x"})
    for named in ("STUDIO_MODE", "SERVICE_TOKEN", "PAYMENT_PROVIDER", "SEED_SHOP", "TRAIL_KEY", "STRICT_MSGPACK"):
        assert named in said


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"jwt_issuer": ""}, "JWT_ISSUER and JWT_AUDIENCE"),
        ({"jwt_audience": ""}, "JWT_ISSUER and JWT_AUDIENCE"),
        ({"jwt_secret": "pa55word"}, "32 bytes or more"),
        ({"jwt_key_file": "key.pem"}, "not both"),
        ({"jwt_secret": "", "jwt_key_file": "absent.pem"}, "no public key in PEM"),
        ({"jwt_secret": "", "jwt_key_file": __file__}, "no public key in PEM"),
        ({"payment_token_url": "https://id/token", "payment_client_id": "desk"}, "PAYMENT_CLIENT_SECRET"),
        ({"customer_rate": "often"}, "CUSTOMER_RATE"),
    ],
    ids=str,
)
def test_settings_that_cannot_hold_are_named_and_not_shown(given: dict[str, Any], says: str) -> None:
    said = why(JWT | given)

    assert says in said
    assert "pa55word" not in said


def test_production_on_a_database_that_others_use_needs_their_key(there: dict[str, Any]) -> None:
    assert "TRAIL_KEY: all processes" in why(there | {"database_url": "postgresql+psycopg://nobody@127.0.0.1:9/desk"})


def test_an_article_that_can_not_be_read_keeps_the_server_from_starting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "articles").mkdir()
    (tmp_path / "articles" / "bad.md").write_text("no title")
    (tmp_path / "shop.toml").write_text((SHOP.folder / "shop.toml").read_text())
    monkeypatch.setattr("agent.server.startup.SHOP", load(tmp_path))
    assert "bad.md: an article begins with" in (unfit(Settings()) or "")


def test_a_ledger_of_a_shop_in_another_currency_is_not_gone_on_with(
    monkeypatch: pytest.MonkeyPatch, shop: Services
) -> None:
    assert open_ledger(shop.settings) is None
    monkeypatch.setattr("agent.commerce.shop_import.SHOP", SHOP.model_copy(update={"currency": "KWD"}))
    assert f"the ledger is a shop's in {SHOP.currency}, and" in (open_ledger(shop.settings) or "")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"payment_token": "secret \n"}, "PAYMENT_TOKEN has a space"),
        ({"payment_token": "sécret"}, "PAYMENT_TOKEN has a space"),
        ({"payment_rate": "often"}, "PAYMENT_RATE is no rate"),
        ({"payment_url": "http://[::"}, "PAYMENT_URL is no http address"),
        ({"payment_token_url": "http://[::"}, "PAYMENT_TOKEN_URL is no http address"),
        ({"notice_webhook_url": "x.example/h"}, "NOTICE_WEBHOOK_URL is no http address"),
        ({"notice_webhook_url": "https://x.example/h"}, "NOTICE_WEBHOOK_SECRET must be whsec_"),
        (
            {"approval_webhook_url": "https://x.example/h", "approval_webhook_secret": "x"},
            "APPROVAL_WEBHOOK_SECRET must",
        ),
        ({"sandbox_webhook_secret": "whsec_!!!"}, "SANDBOX_WEBHOOK_SECRET must be"),
    ],
    ids=str,
)
def test_what_would_break_every_request_keeps_the_server_from_starting(given: dict[str, Any], says: str) -> None:
    told = unfit(Settings(**given)) or ""
    assert says in told
    assert not any(str(value).strip() in told for value in given.values())


def test_production_with_stripe_needs_its_key(there: dict[str, Any]) -> None:
    assert "STRIPE_API_KEY" in why(there | {"stripe_api_key": ""})
