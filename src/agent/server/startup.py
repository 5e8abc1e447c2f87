"""What a server must have before it starts. One line says what is wrong; nothing is repaired here."""

import limits

from agent.server.credentials import takes_jwt
from agent.settings import Settings
from agent.tokens import TokensError, read_digests

SHORTEST_SECRET_BYTES = 32
"""Of HS256, whose signatures can be tried offline (RFC 7518, 3.2)."""


def unfit(config: Settings) -> str | None:
    """Why a server with these settings must not start; None when it may. Reads files."""
    return _wrong_jwt(config) or _wrong_rate(config) or _wrong_in_production(config)


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
    except (OSError, ValueError, jwt.InvalidKeyError) as wrong:
        return f"JWT_KEY_FILE is no public key in PEM: {type(wrong).__name__}"
    return None


def _wrong_rate(config: Settings) -> str | None:
    try:
        if config.customer_rate:
            limits.parse(config.customer_rate)
    except ValueError:
        return "CUSTOMER_RATE is no rate such as 60/minute"
    return None


def _wrong_in_production(config: Settings) -> str | None:
    if config.environment != "production":
        return None
    if config.studio_mode != "off":
        return "ENVIRONMENT=production needs STUDIO_MODE=off"
    try:
        known = takes_jwt(config) or read_digests(config.digests_file)
    except TokensError as unusable:
        return f"ENVIRONMENT=production without anybody who could call: {unusable}"
    if not known:
        return f"ENVIRONMENT=production without anybody who could call: {config.digests_file} is empty"
    if not (config.service_token.get_secret_value() or config.tokens_file.exists()):
        return "ENVIRONMENT=production needs SERVICE_TOKEN: the server calls itself with it"
    return None
