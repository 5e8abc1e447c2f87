"""The routes of a request: what became of it, and its questions: who may ask, and who may read."""

from typing import Any

import pytest

from agent.approvals.requests import Action
from agent.identity import ROLES, Caller, Role
from agent.services import Services
from agent.shop import SHOP
from tests.support.approvals import decide
from tests.support.chains import GENERAL, outsider
from tests.support.goods import W1001
from tests.support.routes import Ask
from tests.support.threads import reject, staff


@pytest.fixture
async def path(shop: Services) -> str:
    """The routes of an open request that waits for a general agent."""
    action = Action("refund_payment", {"order_id": W1001, "amount": 40_00}, f"Refund {SHOP.money(40_00)} of {W1001}")
    view = await shop.approvals.open(
        action, "general", key="plan:1", subject="ada_park", order_id=W1001, thread_id="t-1", asked_by="ada_park"
    )
    return f"/ops/approvals/{view['request_id']}"


async def say(ask: Ask, path: str, role: Role = GENERAL[0], text: Any = "Which leg broke?", key: str = "k1") -> Any:
    return await ask("POST", f"{path}/ask", staff(role), json={"text": text}, headers={"idempotency-key": key})


async def test_a_question_is_asked_once_by_key_and_read_by_staff(ask: Ask, path: str) -> None:
    first, again = await say(ask, path), await say(ask, path)
    assert first.status_code == again.status_code == 200
    assert (await say(ask, path, text="Which arm?")).status_code == 409

    read = (await ask("GET", f"{path}/questions", staff(outsider("general")))).json()

    assert read == [first.json()] == [again.json()]
    assert (read[0]["text"], read[0]["asked_by"]) == ("Which leg broke?", staff(GENERAL[0]).identity)


async def test_without_a_key_each_question_is_its_own(ask: Ask, path: str) -> None:
    answers = [await ask("POST", f"{path}/ask", staff(GENERAL[0]), json={"text": "Which?"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 409]
    assert "QUESTION-OPEN" in answers[1].text


@pytest.mark.parametrize("role", ROLES)
async def test_only_who_may_answer_now_asks_and_only_staff_reads(ask: Ask, path: str, role: Role) -> None:
    assert (await say(ask, path, role)).status_code == (200 if role == GENERAL[0] else 403)
    reads = role not in ("customer", "channel")
    assert (await ask("GET", f"{path}/questions", staff(role))).status_code == (200 if reads else 403)


async def test_a_customer_does_not_learn_which_requests_there_are(ask: Ask, path: str) -> None:
    ada = Caller("ada_park", "customer")
    theirs = await ask("POST", f"{path}/ask", ada, json={"text": "?"})
    nobodys = await ask("POST", "/ops/approvals/apr-none/ask", ada, json={"text": "?"})
    assert (theirs.status_code, theirs.text) == (nobodys.status_code, nobodys.text)


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 2001, None, 7])
async def test_a_question_is_text_of_some_length(ask: Ask, path: str, text: Any) -> None:
    assert (await say(ask, path, text=text)).status_code == 422


async def test_a_request_that_is_not_there_or_decided_takes_none(ask: Ask, path: str, shop: Services) -> None:
    assert (await say(ask, "/ops/approvals/apr-none")).status_code == 404
    request_id = path.rpartition("/")[2]
    view = await shop.approvals.get(request_id)
    await decide(shop.approvals, request_id, view["action_hash"], reject("no"), staff(GENERAL[0]))
    assert (await say(ask, path)).status_code == 409


async def test_staff_sees_what_was_said_to_a_request_by_whom_and_which_of_it_is_their_own(
    shop: Services, ask: Ask, path: str
) -> None:
    assert (await ask("GET", path, staff(GENERAL[0]))).json()["decisions"] == []
    request_id = path.rpartition("/")[2]
    view = await shop.approvals.get(request_id)
    await decide(shop.approvals, request_id, view["action_hash"], reject("no photo"), staff(GENERAL[0]))

    seen = (await ask("GET", path, staff(GENERAL[0]))).json()
    others = (await ask("GET", path, staff(outsider("general")))).json()

    [said] = seen["decisions"]
    assert (seen["status"], said["decision"], said["note"]) == ("rejected", "reject", "no photo")
    assert (said["actor"], said["role"], said["step"], said["mine"]) == (
        staff(GENERAL[0]).identity,
        GENERAL[0],
        1,
        True,
    )
    assert others["decisions"] == [said | {"mine": False}]


@pytest.mark.parametrize("role", ["customer", "channel"])
async def test_what_was_said_is_for_staff(ask: Ask, path: str, role: Role) -> None:
    assert (await ask("GET", path, Caller("ada_park", role))).status_code == 403


async def test_a_request_that_is_none_is_not_found(ask: Ask) -> None:
    answer = await ask("GET", "/ops/approvals/apr-none", staff(GENERAL[0]))
    assert (answer.status_code, "APPROVAL-EXISTS" in answer.text) == (404, True)
