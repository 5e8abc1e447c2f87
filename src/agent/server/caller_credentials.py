"""Whom a token stands for: the holder of one whose digest is kept, or whoever a JWT of the identity provider names.

No reason for a refusal quotes what was sent. What a caller may then do is in `permissions`.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from agent.identity import SERVICE_IDENTITY, Caller, authenticated, is_reserved, is_role
from agent.settings import Settings
from agent.tokens import TokensError, digest_of, holder, read_digests

CLAIMS: Final = ("exp", "sub", "role", "iss", "aud")
CLOCK_SKEW_SECONDS: Final = 5
"""How far the identity provider's clock may be from ours."""

_WHY: Final = {
    "ExpiredSignatureError": "it has expired",
    "ImmatureSignatureError": "it is not valid yet",
    "InvalidIssuerError": "another issuer made it",
    "InvalidAudienceError": "it was made for another audience",
    "InvalidSignatureError": "its signature is wrong",
    "InvalidAlgorithmError": "its algorithm is not the one that is set",
    "MissingRequiredClaimError": f"it must have {', '.join(CLAIMS)}",
}
"""By the errors of PyJWT, which is imported when a JWT is there to be read."""


class CredentialError(Exception):
    """Nobody is known by what was sent; says why, and never what it was."""


def token_in(headers: Mapping[bytes, bytes]) -> str:
    """The token that a request carries, in either header; empty when it has none, or comes as Studio does."""
    if headers.get(b"x-auth-scheme") == b"langsmith":
        return ""
    given = headers.get(b"x-api-key") or headers.get(b"authorization", b"").removeprefix(b"Bearer ")
    return given.decode("latin-1")


def caller_behind(token: str, config: Settings) -> Caller:
    """Whom a token stands for. Reads files. Raises `CredentialError`.

    With JWT settings, whatever has the form of a JWT is one, and nothing else.
    """
    if takes_jwt(config) and token.count(".") == 2:
        return _of_jwt(token, config)
    own = config.service_token.get_secret_value()
    try:
        known = {digest_of(own): Caller(SERVICE_IDENTITY, "service")} if own else {}
        if config.digests_file.exists() or not (own or takes_jwt(config)):
            known |= read_digests(config.digests_file)
    except TokensError as error:
        raise CredentialError(f"no token can be checked: {error}") from error
    caller = holder(token, known)
    if caller is None:
        raise CredentialError("this token is not known")
    return authenticated(caller.identity, caller.role)


def takes_jwt(config: Settings) -> bool:
    """Whether the settings name a key that JWTs are signed with."""
    return bool(config.jwt_secret.get_secret_value() or config.jwt_key_file)


def _of_jwt(token: str, config: Settings) -> Caller:
    import jwt  # noqa: PLC0415

    algorithm, key = "HS256", config.jwt_secret.get_secret_value()
    if config.jwt_key_file:
        algorithm, key = "RS256", _key(config.jwt_key_file, config.jwt_key_file.stat().st_mtime_ns)
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            issuer=config.jwt_issuer,
            audience=config.jwt_audience,
            leeway=CLOCK_SKEW_SECONDS,
            options={"require": list(CLAIMS)},
        )
    except jwt.InvalidTokenError as error:
        raise CredentialError(f"this JWT is refused: {_WHY.get(type(error).__name__, 'it is malformed')}") from None
    return _named_by(claims)


def _named_by(claims: dict[str, Any]) -> Caller:
    """The service account is the server itself, and Studio is nobody: no identity provider speaks for them."""
    role, subject = claims["role"], claims["sub"]
    if not is_role(role) or role == "service":
        raise CredentialError("this JWT is refused: its role is none that it may give")
    if is_reserved(caller := authenticated(subject, role)):
        raise CredentialError("this JWT is refused: its sub is none that it may give")
    return caller


@lru_cache(maxsize=2)
def _key(path: Path, _: int) -> str:
    return path.read_text()
