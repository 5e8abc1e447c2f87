"""The trail of an approval: the request sealed, each decision chained to the one before it, by HMAC.

Without the key nobody makes up an answer at the gate, or a yes in a checkpoint or a table, that would not show.
Thread ids are left out: a request outlives its thread. What an answer means is in `requests`. Words that are erased
leave their seal behind, and a second one over that and over what is left (`erasure`).
"""

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from agent.escalation import Step, escalation_of
from agent.ledger.database import digest
from agent.ledger.tables import ApprovalRow, DecisionRow
from agent.settings import Settings


class BrokenTrailError(Exception):
    """A link of the chain that does not hold; `link` names it: `request`, `decision 2`, `head`, …"""

    def __init__(self, link: str, why: str) -> None:
        super().__init__(f"{link}: {why}")
        self.link = link


class Trail:
    """Seals with the first key, and accepts the seals of all: an old key stays behind a new one."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = tuple(keys)

    @classmethod
    def of(cls, config: Settings) -> Self:
        """With the keys of TRAIL_KEY, or else the one that is kept beside the embedded ledger. Reads files."""
        given = [key.strip().encode() for key in config.trail_key.get_secret_value().split(",") if key.strip()]
        return cls(given or [_kept_key(config.data_dir / "trail.key")])

    def of_request(self, row: ApprovalRow) -> str:
        """The seal of a request as it was asked."""
        return self._seal(_request(row))

    def of_decision(self, before: str, row: DecisionRow) -> str:
        """The seal of a decision that follows the seal `before`."""
        return self._seal(_decision(before, row))

    def of_answer(self, head: str, said: Any, identity: str, role: str, *, named: str = "") -> str:
        """The seal of an answer as it came through the gate, to a request with this `head`."""
        return self._seal(_answer(head, said, identity, role, named))

    def is_answer(self, seal: str, head: str, said: Any, identity: str, role: str, *, named: str = "") -> bool:
        """Whether an answer came through the gate, to the request as it stands."""
        return self._holds(seal, _answer(head, said, identity, role, named))

    def of_erased_action(self, row: ApprovalRow) -> str:
        """The seal of what is left of a request's action, once words of it are erased."""
        return self._seal(_erased_action(row))

    def of_erased_decision(self, before: str, row: DecisionRow) -> str:
        """The seal of what is left of a decision that follows the seal `before`, once its note is erased."""
        return self._seal(_erased_decision(before, row))

    def prove(self, row: ApprovalRow, decisions: Sequence[DecisionRow]) -> None:
        """Follow the chain from the request to its head, and hold the request against it.

        Requests made before there were seals have none, and nothing to prove. Raises `BrokenTrailError`.
        """
        if row.seal is None:
            return
        if not self._holds(row.seal, _request(row)):
            raise BrokenTrailError("request", "not what was sealed, or sealed with another key")
        head, over = row.seal, row.asked
        for n, decision in enumerate(sorted(decisions, key=lambda each: each.number or 0), 1):
            link = f"decision {n}"
            if decision.number != n or not self._is_decision(head, decision):
                raise BrokenTrailError(link, "not what was sealed, or one before it is missing")
            about = {name: value for name, value in (decision.over or {}).items() if name not in ("seen", "erased")}
            if decision.decision != "edit" and about != over:
                raise BrokenTrailError(link, "about another action than was asked")
            head, over = decision.seal or "", about
        if row.head != head:
            raise BrokenTrailError("head", "a decision is missing")
        if over != what_is_asked(row) or not self._is_action(row):
            raise BrokenTrailError("action", "changed without a decision")
        if row.status == "approved" and (missing := _missing(row, decisions)):
            raise BrokenTrailError("status", f"approved without {' and '.join(missing)}")
        if row.status == "open" and any(each.decision == "reject" for each in decisions):
            raise BrokenTrailError("status", "open although it was rejected")

    def _is_decision(self, before: str, row: DecisionRow) -> bool:
        if erasure := (row.over or {}).get("erased"):
            return self._holds(erasure, _erased_decision(before, row))
        return self._holds(row.seal or "", _decision(before, row))

    def _is_action(self, row: ApprovalRow) -> bool:
        if erasure := row.action.get("erased"):
            return self._holds(erasure, _erased_action(row))
        return digest([row.action["name"], row.action["arguments"]]) == row.action_hash

    def _seal(self, content: list[Any]) -> str:
        return _hmac(self._keys[0], content)

    def _holds(self, seal: str, content: list[Any]) -> bool:
        return any(hmac.compare_digest(_hmac(key, content), seal) for key in self._keys)


def what_is_asked(row: ApprovalRow) -> dict[str, Any]:
    """The exact action, and whose yes it takes: what each seal is over."""
    return {"action_hash": row.action_hash, "roles": [step["role"] for step in row.chain]}


def _missing(row: ApprovalRow, decisions: Sequence[DecisionRow]) -> list[str]:
    """The roles whose yes an approved request lacks."""
    yes = {each.step: each.role for each in decisions if each.round == row.round and each.decision != "reject"}
    chain: list[Step] = row.chain
    return [step["role"] for n, step in enumerate(chain) if yes.get(n) not in (step["role"], escalation_of(chain, n))]


def _request(row: ApprovalRow) -> list[Any]:
    return ["request", row.id, row.key, row.subject, row.order_id, row.asked_by, row.action["name"], row.asked]


def _answer(head: str, said: Any, identity: str, role: str, named: str) -> list[Any]:
    """`named` came later than seals: without it they are as they always were."""
    return ["answer", head, said, identity, role, *([named] if named else [])]


def _decision(before: str, row: DecisionRow) -> list[Any]:
    said = [row.number, row.round, row.step, row.decision, row.actor, row.role, row.note, row.at.isoformat()]
    return ["decision", before, row.request_id, *said, row.over]


def _erased_action(row: ApprovalRow) -> list[Any]:
    return ["erased action", row.id, row.action_hash, row.action["name"], row.action["arguments"]]


def _erased_decision(before: str, row: DecisionRow) -> list[Any]:
    """The seal that was made over the note is part of this, as it is of the next decision: the chain stays whole."""
    *content, over = _decision(before, row)
    left = {name: value for name, value in (over or {}).items() if name != "erased"}
    return ["erased decision", row.seal, *content, left]


def _hmac(key: bytes, content: list[Any]) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _kept_key(path: Path) -> bytes:
    """The key in a file that only its owner can read; made at first, once, whoever starts at the same time.

    Raises ValueError for a file that is empty: with no key anybody could seal.
    """
    if not path.exists():
        _make_key(path)
    if not (key := path.read_text().strip()):
        raise ValueError(
            f"{path} is empty: put the key back that seals were made with, or remove the file for a new one"
        )
    return key.encode()


def _make_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
        with suppress(FileExistsError):  # then that one counts
            os.link(made, path)
    finally:
        made.unlink()
