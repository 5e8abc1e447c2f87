"""A server that should not start says why in one line."""

from pathlib import Path
from typing import Any

import pytest

from agent.server.startup import unfit
from agent.settings import Settings
from agent.tokens import create_tokens

JWT = {"jwt_secret": "x" * 32, "jwt_issuer": "https://id.example", "jwt_audience": "desk"}


@pytest.fixture
def there(tmp_path: Path) -> dict[str, Any]:
    """Production, with tokens and their digests."""
    create_tokens(tmp_path / "tokens.json")
    return {"environment": "production", "tokens_file": tmp_path / "tokens.json"}


def why(given: dict[str, Any]) -> str:
    """Why a server with these settings would not start, or nothing."""
    said = unfit(Settings.model_validate(given)) or ""
    assert "\n" not in said
    return said


def test_development_starts_without_anything(tmp_path: Path) -> None:
    assert why({"tokens_file": tmp_path / "none", "studio_mode": "act"}) == ""


def test_production_starts_with_digests_and_a_token_of_its_own(there: dict[str, Any]) -> None:
    there["tokens_file"].unlink()

    assert why(there | {"service_token": "its own"}) == ""
    assert "SERVICE_TOKEN" in why(there)


def test_production_starts_with_jwts_and_a_token_of_its_own(there: dict[str, Any], tmp_path: Path) -> None:
    assert why(there | JWT | {"service_token": "its own", "tokens_file": tmp_path / "none"}) == ""


def test_production_does_not_start_when_nobody_could_call(there: dict[str, Any]) -> None:
    digests = Settings.model_validate(there).digests_file
    digests.write_text("{}")
    assert "without anybody who could call" in why(there)
    digests.unlink()
    assert "without anybody who could call" in why(there)


@pytest.mark.parametrize("mode", ["read", "act"])
def test_production_does_not_start_with_studio(there: dict[str, Any], mode: str) -> None:
    assert "STUDIO_MODE=off" in why(there | {"studio_mode": mode})


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"jwt_issuer": ""}, "JWT_ISSUER and JWT_AUDIENCE"),
        ({"jwt_audience": ""}, "JWT_ISSUER and JWT_AUDIENCE"),
        ({"jwt_secret": "pa55word"}, "32 bytes or more"),
        ({"jwt_key_file": "key.pem"}, "not both"),
        ({"jwt_secret": "", "jwt_key_file": "absent.pem"}, "no public key in PEM"),
        ({"jwt_secret": "", "jwt_key_file": __file__}, "no public key in PEM"),
        ({"customer_rate": "often"}, "CUSTOMER_RATE"),
    ],
    ids=str,
)
def test_settings_that_cannot_hold_are_named_and_not_shown(given: dict[str, Any], says: str) -> None:
    said = why(JWT | given)

    assert says in said
    assert "pa55word" not in said
