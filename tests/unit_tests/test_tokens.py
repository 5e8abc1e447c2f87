"""The files of tokens and of their digests."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agent.identity import ROLES, Caller
from agent.tokens import (
    TokensError,
    add_token,
    create_tokens,
    digest_of,
    holder,
    read_digests,
    read_tokens,
    revoke_tokens,
)

BEN = Caller("ben_ortiz", "customer")


@pytest.fixture
def digests(tmp_path: Path) -> Path:
    """Digests of the development tokens, which lie beside them."""
    create_tokens(tmp_path / "tokens.json")
    return tmp_path / "tokens.sha256.json"


def test_new_tokens_are_one_a_role_and_read_by_their_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"

    assert create_tokens(path)

    callers = read_tokens(path)
    assert [caller.role for caller in callers.values()] == list(ROLES)
    assert all(len(token) >= 32 for token in callers)
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_development_tokens_speak_for_the_demo_customer_and_the_service_account(tmp_path: Path) -> None:
    create_tokens(tmp_path / "tokens.json")
    identities = {caller.role: caller.identity for caller in read_tokens(tmp_path / "tokens.json").values()}

    assert identities["customer"] == "ada_park"
    assert identities["service"] == "service-1"
    assert identities["order_manager"] == "order-manager-1"
    assert len(set(identities.values())) == len(ROLES)


def test_tokens_that_are_there_already_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    create_tokens(path)
    before = path.read_text()

    assert not create_tokens(path)
    assert path.read_text() == before


def test_a_missing_token_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(TokensError, match="is missing: run `make setup`"):
        read_tokens(tmp_path / "tokens.json")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_token_file_that_others_can_use_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "tokens.json"
    create_tokens(path)
    path.chmod(mode)

    with pytest.raises(TokensError, match="chmod 600"):
        read_tokens(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"tokens"',
        b'{"admin": "secret"}',
        b'{"admin": {"token": "secret"}}',
        b'{"admin": {"token": ["secret"], "identity": "ann"}}',
        b"\xff\xfe",
    ],
)
def test_a_broken_token_file_is_refused_without_telling_its_secrets(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "tokens.json"
    path.write_bytes(content)
    path.chmod(0o600)

    with pytest.raises(TokensError, match="is not a token file") as refused:
        read_tokens(path)
    assert "secret" not in str(refused.value)


def test_a_token_of_no_known_role_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    path.write_text(json.dumps({"root": {"token": "secret", "identity": "ann"}}))
    path.chmod(0o600)

    with pytest.raises(TokensError, match="unknown roles: root"):
        read_tokens(path)


def test_the_server_knows_the_holders_by_digests_that_hold_no_token(digests: Path, tmp_path: Path) -> None:
    tokens, known = read_tokens(tmp_path / "tokens.json"), read_digests(digests)

    assert {token: holder(token, known) for token in tokens} == tokens
    assert not [token for token in tokens if token in digests.read_text()]
    assert digests.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("given", ["", "guess", "\xff\xfe", digest_of("guess")])
def test_what_is_no_token_has_no_holder(digests: Path, given: str) -> None:
    assert holder(given, read_digests(digests)) is None


def test_a_digest_is_no_token(digests: Path) -> None:
    known = read_digests(digests)

    assert not [digest for digest in known if holder(digest, known)]


def test_lost_digests_are_made_again_from_the_tokens(digests: Path, tmp_path: Path) -> None:
    before = dict(read_digests(digests))
    digests.unlink()

    assert create_tokens(tmp_path / "tokens.json")
    assert read_digests(digests) == before


def test_the_digests_of_lost_tokens_go_when_new_ones_are_made_and_others_stay(digests: Path, tmp_path: Path) -> None:
    bens = add_token(digests, BEN)
    lost = next(iter(read_tokens(tmp_path / "tokens.json")))
    (tmp_path / "tokens.json").unlink()

    assert create_tokens(tmp_path / "tokens.json")

    known = read_digests(digests)
    assert (holder(lost, known), holder(bens, known)) == (None, BEN)
    assert len(known) == len(ROLES) + 1


def test_an_added_token_counts_beside_the_old_ones_until_all_are_revoked(digests: Path) -> None:
    old, new = add_token(digests, BEN), add_token(digests, BEN)
    assert [holder(token, read_digests(digests)) for token in (old, new)] == [BEN, BEN]

    assert revoke_tokens(digests, "ben_ortiz") == 2

    assert [holder(token, read_digests(digests)) for token in (old, new)] == [None, None]
    assert len(read_digests(digests)) == len(ROLES), "nobody else's"
    assert revoke_tokens(digests, "ben_ortiz") == 0


def test_tokens_that_are_added_and_revoked_at_the_same_time_do_not_undo_each_other(digests: Path) -> None:
    people = [Caller(f"customer_{n}", "customer") for n in range(20)]
    revoked = [add_token(digests, caller) for caller in people]
    others = [Caller(f"other_{n}", "customer") for n in range(20)]

    with ThreadPoolExecutor(8) as pool:
        counts = [pool.submit(revoke_tokens, digests, caller.identity) for caller in people]
        added = list(pool.map(lambda caller: add_token(digests, caller), others))

    known = read_digests(digests)
    assert [count.result() for count in counts] == [1] * 20
    assert [holder(token, known) for token in added] == others
    assert [token for token in revoked if holder(token, known)] == []


def test_what_tokens_are_changed_under_is_their_owners_alone(digests: Path) -> None:
    assert digests.with_name(f"{digests.name}.lock").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("change", [lambda path: add_token(path, BEN), lambda path: revoke_tokens(path, "ben_ortiz")])
def test_tokens_of_a_directory_that_is_missing_are_not_changed(
    tmp_path: Path, change: Callable[[Path], object]
) -> None:
    with pytest.raises(TokensError, match="nowhere is missing: make that directory"):
        change(tmp_path / "nowhere" / "digests.json")


def test_the_first_token_can_be_added_where_there_are_none(tmp_path: Path) -> None:
    token = add_token(tmp_path / "digests.json", BEN)

    assert holder(token, read_digests(tmp_path / "digests.json")) == BEN


def test_digests_are_read_once_until_their_file_changes(digests: Path) -> None:
    assert read_digests(digests) is read_digests(digests)

    entries = json.loads(digests.read_text())
    digests.write_text(json.dumps(dict(list(entries.items())[:1])))
    assert len(read_digests(digests)) == 1


def test_whoever_reads_while_a_token_is_added_sees_a_whole_file(digests: Path) -> None:
    before = digests.read_text()
    with digests.open() as reader:
        add_token(digests, BEN)
        assert reader.read() == before
    files = {"tokens.json", "tokens.sha256.json", "tokens.sha256.json.lock"}
    assert {file.name for file in digests.parent.iterdir()} == files


def test_missing_digests_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(TokensError, match="is missing: run `make setup`"):
        read_digests(tmp_path / "digests.json")


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_digests_that_others_can_change_are_refused(digests: Path, mode: int) -> None:
    digests.chmod(mode)

    with pytest.raises(TokensError, match="chmod go-w"):
        read_digests(digests)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b'{"0": "secret"}', b'{"0": {"identity": "ann"}}', b"\xff\xfe"]
)
def test_a_broken_file_of_digests_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "digests.json"
    path.write_bytes(content)
    path.chmod(0o600)

    with pytest.raises(TokensError, match="is not a file of digests") as refused:
        read_digests(path)
    assert "secret" not in str(refused.value)


def test_a_digest_of_no_known_role_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "digests.json"
    path.write_text(json.dumps({digest_of("token"): {"identity": "ann", "role": "root"}}))
    path.chmod(0o600)

    with pytest.raises(TokensError, match="unknown roles: root"):
        read_digests(path)


def test_a_token_of_a_role_that_is_gone_is_nobodys(tmp_path: Path) -> None:
    tokens, digests = tmp_path / "tokens.json", tmp_path / "digests.json"
    create_tokens(tokens, digests)
    of_all, callers = json.loads(tokens.read_text()), read_digests(digests)
    old = {"agent": {"token": "secret", "identity": "agent-1"}}
    tokens.write_text(json.dumps(of_all | old))
    known = json.loads(digests.read_text())
    digests.write_text(json.dumps(known | {digest_of("secret"): {"identity": "agent-1", "role": "agent"}}))

    assert "secret" not in read_tokens(tokens)
    assert read_digests(digests) == callers
