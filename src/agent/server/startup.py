"""What a server must have before it starts. One line says what is wrong; nothing is repaired here."""

import re
from collections.abc import Iterator
from typing import Final

import httpx
import limits
from pydantic import SecretStr
from sqlalchemy import update
from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from agent.approvals.trail import Trail
from agent.assistant.knowledge import Knowledge
from agent.commerce.shop_import import check_currency
from agent.ledger.database import Database
from agent.ledger.database_errors import DatabaseConflictError, DatabaseUnavailableError, LedgerDamagedError
from agent.ledger.engines import Limits, is_embedded, ledger_file
from agent.ledger.repair_hints import in_one_line
from agent.ledger.schema import SchemaError, upgrade
from agent.ledger.tables import HeartbeatRow
from agent.money import exponent
from agent.notifications.staff_addresses import staff_addresses
from agent.notifications.webhook import SECRET
from agent.observability.events import emit
from agent.providers.oauth import VISIBLE
from agent.providers.stripe_currencies import stripe_exponent
from agent.server.caller_credentials import takes_jwt
from agent.settings import GIVEN_BY_OTHERS, Settings
from agent.shop import SHOP
from agent.tokens import TokensError, read_digests

SHORTEST_SECRET_BYTES: Final = 32
"""Of HS256, whose signatures can be tried offline (RFC 7518, 3.2); and of everything else that could be guessed."""
FEWEST_CHARACTERS: Final = 8
"""Different ones in a secret: the letter x, 32 times, is long enough and known to everybody."""


_URLS: Final = (
    "payment_url",
    "second_payment_url",
    "payment_token_url",
    "notice_webhook_url",
    "approval_webhook_url",
    "otel_exporter_otlp_endpoint",
)
"""Settings that are addresses."""
_THREE_DECIMALS: Final = 3
"""KWD and its like have so many, of which Stripe wants the last to be 0 (docs.stripe.com/currencies)."""
_RECEIVERS: Final = {"notice_webhook_url": "notice_webhook_secret", "approval_webhook_url": "approval_webhook_secret"}
"""What is sent there is signed with this."""


def open_ledger(config: Settings) -> str | None:
    """Why a server must not start with its embedded ledger as it is: damaged, gone, newer; None when it may.

    One that can't be written is an event: whatever needs no write is answered. Another database may come later.
    """
    if not is_embedded(config.ledger_url):
        return None
    database = Database(config.ledger_url, limits=Limits.of(config))
    try:
        upgrade(config.ledger_url)
        Trail.of(config)
        with database.writing() as session:
            session.execute(update(HeartbeatRow).values(at=HeartbeatRow.at))
            check_currency(session)
    except (LedgerDamagedError, SchemaError) as error:
        return in_one_line(error, config.ledger_url)
    except ValueError as error:  # of the trail's key
        return str(error)
    except (DatabaseUnavailableError, DatabaseConflictError, OSError) as error:
        emit("ledger.unusable", why=str(error), where=str(ledger_file(config.ledger_url)))
    finally:
        database.close_blocking()
    return None


def unfit(config: Settings) -> str | None:
    """Why a server with these settings must not start; None when it may. Reads files."""
    of_outside = (_wrong_url, _wrong_client, _wrong_addresses, _wrong_payments)
    checks = (_wrong_articles, _wrong_jwt, _wrong_rate, *of_outside, _wrong_in_production, _wrong_secret)
    return next((wrong for check in checks if (wrong := check(config))), None)


def _wrong_articles(_: Settings) -> str | None:
    try:
        Knowledge.load(SHOP.articles).close()
    except (ValueError, OSError) as error:
        return f"{SHOP.articles}: {error}"
    return None


def _wrong_jwt(config: Settings) -> str | None:
    if not takes_jwt(config):
        return None
    secret = config.jwt_secret.get_secret_value()
    if secret and config.jwt_key_file:
        return "set JWT_SECRET or JWT_KEY_FILE, not both"
    if not (config.jwt_issuer and config.jwt_audience):
        return "JWTs need JWT_ISSUER and JWT_AUDIENCE, or another service's would be taken"
    if secret and len(secret.encode()) < SHORTEST_SECRET_BYTES:
        return f"JWT_SECRET needs {SHORTEST_SECRET_BYTES} bytes or more"
    import jwt  # noqa: PLC0415  (only who takes JWTs waits for it)

    try:
        if config.jwt_key_file:
            jwt.get_algorithm_by_name("RS256").prepare_key(config.jwt_key_file.read_text())
    except (OSError, ValueError, jwt.InvalidKeyError) as error:
        return f"JWT_KEY_FILE is no public key in PEM: {type(error).__name__}"
    return None


def _wrong_client(config: Settings) -> str | None:
    known = config.payment_client_id and config.payment_client_secret.get_secret_value()
    return (
        None
        if known or not config.payment_token_url
        else ("PAYMENT_TOKEN_URL gives tokens for PAYMENT_CLIENT_ID and PAYMENT_CLIENT_SECRET only: set both")
    )


def _wrong_rate(config: Settings) -> str | None:
    for name in ("customer_rate", "payment_rate"):
        try:
            if rate := getattr(config, name):
                limits.parse(rate)
        except ValueError:
            return f"{name.upper()} is no rate such as 60/minute"
    return None


def _wrong_url(config: Settings) -> str | None:
    """The first address that can't be called; it is not shown, for it may hold a secret."""
    wrong = (name for name in _URLS if _no_url(getattr(config, name)))
    return next((f"{name.upper()} is no http address with a host" for name in wrong), None)


def _no_url(text: str) -> bool:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        return True
    return bool(text) and not (url.scheme in ("http", "https") and url.host)


def _wrong_secret(config: Settings) -> str | None:
    """The first secret of another form than its use wants. None is shown."""
    if not re.fullmatch(VISIBLE, config.payment_token.get_secret_value() or "-"):
        return "PAYMENT_TOKEN has a space, a line end or a letter that no header holds"
    for url, setting in _RECEIVERS.items():
        if getattr(config, url) and not SECRET.fullmatch(getattr(config, setting).get_secret_value()):
            return f"{setting.upper()} must be whsec_ and the base64 of 24 random bytes or more"
    try:
        if secret := config.sandbox_webhook_secret.get_secret_value():
            Webhook(secret)
    except (ValueError, EmptyWebhookSecretError):
        return "SANDBOX_WEBHOOK_SECRET must be whsec_ and base64"
    return None


def _wrong_addresses(config: Settings) -> str | None:
    try:
        staff_addresses(config)
    except ValueError as error:
        return str(error)
    return None


def _wrong_payments(config: Settings) -> str | None:
    first, second = config.payment_provider, config.second_payment_provider
    if config.second_payment_url and second != "sandbox":
        return "SECOND_PAYMENT_URL is a second sandbox's: it needs SECOND_PAYMENT_PROVIDER=sandbox"
    if first == second and not config.second_payment_url:
        where = ", or SECOND_PAYMENT_URL" if first == "sandbox" else ""
        return f"SECOND_PAYMENT_PROVIDER={second} is the first one again: name another{where}"
    if "stripe" in (first, second) and stripe_exponent(SHOP.currency) != exponent(SHOP.currency):
        return (
            f"stripe cannot take {SHOP.currency}, the currency of {SHOP.folder / 'shop.toml'}: here an amount has "
            f"{exponent(SHOP.currency)} digits after its decimal sign, and there {stripe_exponent(SHOP.currency)}, so "
            "that it would take another sum"
        )
    if "stripe" in (first, second) and exponent(SHOP.currency) == _THREE_DECIMALS:
        here = f"{SHOP.currency}, the currency of {SHOP.folder / 'shop.toml'}"
        return f"stripe cannot take {here}: of its three decimals the last must be 0 there, and here it need not"
    return None


def _wrong_in_production(config: Settings) -> str | None:
    """All of it at once, so that nobody starts eight times to learn eight things."""
    if config.environment != "production":
        return None
    missing = [*_nobody_could_call(config), *_of_the_sandbox(config), *_of_stripe(config), *_weak_secrets(config)]
    return f"ENVIRONMENT=production needs {'; '.join(missing)}" if missing else None


def _nobody_could_call(config: Settings) -> Iterator[str]:
    if config.studio_mode != "off":
        yield "STUDIO_MODE=off"
    if not config.langgraph_strict_msgpack:
        yield "LANGGRAPH_STRICT_MSGPACK=true, or a checkpoint could name any class to be built from it"
    try:
        if not (takes_jwt(config) or read_digests(config.digests_file)):
            yield f"somebody who could call: {config.digests_file} is empty"
    except TokensError as error:
        yield f"somebody who could call: {error}"
    if not (config.service_token.get_secret_value() or config.tokens_file.exists()):
        yield "SERVICE_TOKEN: the server calls itself with it"
    if config.database_url and not config.trail_key.get_secret_value():
        yield "TRAIL_KEY: all processes on one ledger seal with the same"


def _of_stripe(config: Settings) -> Iterator[str]:
    used = "stripe" in (config.payment_provider, config.second_payment_provider)
    if used and not config.stripe_api_key.get_secret_value():
        yield "STRIPE_API_KEY"


def _of_the_sandbox(config: Settings) -> Iterator[str]:
    """What stands in for the world while one tries things out."""
    if config.payment_provider == "sandbox":
        yield "PAYMENT_PROVIDER other than sandbox, which moves no money"
    if config.second_payment_provider == "sandbox":
        yield "SECOND_PAYMENT_PROVIDER other than sandbox"
    if config.seed_shop:
        yield "SEED_SHOP=false"


def _weak_secrets(config: Settings) -> Iterator[str]:
    """Secrets that are set and could be guessed. None is shown."""
    secrets: dict[str, SecretStr] = {
        name: value for name, value in config if isinstance(value, SecretStr) and name not in GIVEN_BY_OTHERS
    }
    for name, secret in secrets.items():
        parts = secret.get_secret_value().split(",") if secret else []  # TRAIL_KEY may be two
        if any(len(part.encode()) < SHORTEST_SECRET_BYTES or len(set(part)) < FEWEST_CHARACTERS for part in parts):
            yield f"{name.upper()} of {SHORTEST_SECRET_BYTES} random bytes or more"
