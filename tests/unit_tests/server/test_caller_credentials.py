"""Whom a token stands for. Refusals say why, and never what was sent."""

import base64
import hmac
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import SecretStr

from agent.identity import ROLES, Caller, Role
from agent.server.caller_credentials import CLAIMS, CredentialError, caller_behind
from agent.settings import Settings
from agent.tokens import add_token, create_tokens, read_tokens, revoke_tokens

SECRET = "a secret of the tests, longer than 32 bytes"
ANN = Caller("ann", "order_manager")


@pytest.fixture
def files(tmp_path: Path) -> Settings:
    """A server that knows the digests of the development tokens."""
    create_tokens(tmp_path / "tokens.json")
    return Settings(tokens_file=tmp_path / "tokens.json")


@pytest.fixture
def shared(files: Settings) -> Settings:
    """The same, and JWTs signed with a shared secret."""
    return files.model_copy(
        update={"jwt_secret": SecretStr(SECRET), "jwt_issuer": "https://id.example", "jwt_audience": "desk"}
    )


@pytest.fixture(scope="session")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: rsa.RSAPrivateKey) -> bytes:
    """The public half."""
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture
def key_file(key: rsa.RSAPrivateKey, tmp_path: Path) -> Path:
    (tmp_path / "key.pem").write_bytes(pem(key))
    return tmp_path / "key.pem"


@pytest.fixture
def public(shared: Settings, key_file: Path) -> Settings:
    """The same, and JWTs signed by the holder of a private key instead."""
    return shared.model_copy(update={"jwt_secret": SecretStr(""), "jwt_key_file": key_file})


def signed(secret: Any = SECRET, algorithm: str = "HS256", **changed: Any) -> str:
    """A good JWT with some claims changed; one that is None is left out."""
    good = {"sub": "ann", "role": "order_manager", "iss": "https://id.example", "aud": "desk", "exp": time.time() + 9e4}
    return jwt.encode({name: value for name, value in (good | changed).items() if value is not None}, secret, algorithm)


def without(claim: str) -> str:
    changed: dict[str, Any] = {claim: None}
    return signed(**changed)


def why(token: str, config: Settings) -> str:
    with pytest.raises(CredentialError) as refused:
        caller_behind(token, config)
    assert not [part for part in token.split(".") if len(part) > 4 and part in str(refused.value)]
    return str(refused.value)


@pytest.mark.parametrize("role", ROLES)
def test_a_token_stands_for_its_holder(files: Settings, role: Role) -> None:
    [(token, holder)] = [item for item in read_tokens(files.tokens_file).items() if item[1].role == role]

    assert caller_behind(token, files) == holder


def test_the_tokens_themselves_are_not_needed(files: Settings) -> None:
    token, holder = next(iter(read_tokens(files.tokens_file).items()))
    files.tokens_file.unlink()

    assert caller_behind(token, files) == holder


def test_a_token_counts_from_when_it_was_added_until_it_is_revoked(files: Settings) -> None:
    token = add_token(files.digests_file, ANN)
    assert caller_behind(token, files) == ANN

    revoke_tokens(files.digests_file, "ann")
    assert why(token, files) == "this token is not known"


def test_the_server_knows_itself_by_its_own_token(files: Settings) -> None:
    files.digests_file.unlink()
    alone = files.model_copy(update={"service_token": SecretStr("its own")})

    assert caller_behind("its own", alone) == Caller("service-1", "service")
    assert why("guess", alone) == "this token is not known"


def test_without_any_digests_it_says_what_to_do(files: Settings) -> None:
    files.digests_file.unlink()

    assert "run `make setup`" in why("guess", files)


def test_a_jwt_stands_for_its_subject(shared: Settings) -> None:
    assert caller_behind(signed(), shared) == ANN
    assert caller_behind(signed(sub="ada_park", role="customer"), shared) == Caller("ada_park", "customer")


def test_a_jwt_signed_with_the_private_key_stands_for_its_subject(public: Settings, key: rsa.RSAPrivateKey) -> None:
    assert caller_behind(signed(key, "RS256"), public) == ANN


def test_tokens_count_beside_jwts(shared: Settings) -> None:
    assert caller_behind(add_token(shared.digests_file, ANN), shared) == ANN


def test_a_jwt_is_one_only_if_there_are_settings_for_it(files: Settings) -> None:
    assert why(signed(), files) == "this token is not known"


@pytest.mark.parametrize(
    ("token", "says"),
    [
        (signed(exp=time.time() - 60), "it has expired"),
        (signed(nbf=time.time() + 86_400), "it is not valid yet"),
        (signed(iss="https://elsewhere.example"), "another issuer made it"),
        (signed(aud="shop"), "it was made for another audience"),
        (signed("another secret, also longer than 32 bytes"), "its signature is wrong"),
        (signed(SECRET * 2, "HS512"), "its algorithm is not the one that is set"),
        (signed(None, "none"), "its algorithm is not the one that is set"),
        *((without(claim), "it must have exp, sub, role, iss, aud") for claim in CLAIMS),
        (signed(role="root"), "its role is none that it may give"),
        (signed(role=["order_manager"]), "its role is none that it may give"),
        (signed(role="service", sub="service-1"), "its role is none that it may give"),
        (signed(sub="service-1"), "its sub is none that it may give"),
        (signed(sub="langgraph-studio-user"), "its sub is none that it may give"),
        (signed(sub="studio as order_manager"), "its sub is none that it may give"),
        (signed(sub=""), "its sub is none that it may give"),
        (signed(sub=7), "it is malformed"),
        ("not.a.jwt", "it is malformed"),
        ("..", "it is malformed"),
        ("ÿ.þ.\n", "it is malformed"),
    ],
)
def test_a_jwt_that_does_not_hold_is_refused_and_says_why(shared: Settings, token: str, says: str) -> None:
    assert why(token, shared) == f"this JWT is refused: {says}"


def test_the_public_key_is_no_shared_secret(public: Settings, key_file: Path) -> None:
    """The classic: HS256, with the public key that everybody has. PyJWT would not sign so itself."""
    header, body = signed().split(".")[:2]
    signature = hmac.digest(key_file.read_bytes(), f"{header}.{body}".encode(), "sha256")
    forged = f"{header}.{body}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"

    assert why(forged, public) == "this JWT is refused: its algorithm is not the one that is set"


def test_a_replaced_key_counts_at_once(public: Settings, key_file: Path, key: rsa.RSAPrivateKey) -> None:
    caller_behind(signed(key, "RS256"), public)
    new = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    key_file.write_bytes(pem(new))

    assert why(signed(key, "RS256"), public) == "this JWT is refused: its signature is wrong"
    assert caller_behind(signed(new, "RS256"), public) == ANN


@pytest.mark.parametrize("name", ["OM ", " om", "Om\u200b", "ｏｍ"])
def test_a_colleague_is_one_person_however_their_identity_is_spelled(files: Settings, name: str) -> None:
    token = add_token(files.digests_file, Caller(name, "order_manager"))

    assert caller_behind(token, files) == Caller("om", "order_manager")
    assert revoke_tokens(files.digests_file, "om") == 1


def test_a_customers_identity_keeps_its_case(files: Settings) -> None:
    token = add_token(files.digests_file, Caller(" Ada_Park ", "customer"))

    assert caller_behind(token, files) == Caller("Ada_Park", "customer")
