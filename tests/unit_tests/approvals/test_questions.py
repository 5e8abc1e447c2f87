"""Questions to a customer about a request, and what counts as the answer."""

import pytest

from agent.approvals.models import ApprovalView
from agent.approvals.questions import Questions
from agent.approvals.requests import Approvals
from agent.identity import Caller
from agent.ledger.database import Database, KeyReusedError, PolicyDenied
from agent.ledger.tables import NotificationRow
from tests.support.approvals import CUSTOMER, ask, decide, refund
from tests.support.chains import GENERAL, outsider
from tests.support.goods import W1001
from tests.support.threads import APPROVE, reject, staff

AGENT = staff(GENERAL[0])


@pytest.fixture
def questions(database: Database) -> Questions:
    return Questions(database)


@pytest.fixture
async def request_(approvals: Approvals) -> ApprovalView:
    return await ask(approvals, refund(), "general")


async def test_a_question_is_told_to_the_customer_and_the_request_stays_open(
    questions: Questions, approvals: Approvals, database: Database, request_: ApprovalView
) -> None:
    asked = await questions.ask(request_["request_id"], "Which leg broke?", AGENT, "k1")

    assert (asked["number"], asked["asked_by"], asked["answer"]) == (1, AGENT.identity, None)
    with database.reading() as session:
        notice = session.get_one(NotificationRow, f"approval.question:{request_['request_id']}:1")
    assert (notice.customer_id, notice.order_id) == (CUSTOMER, W1001)
    assert notice.facts == {"request_id": request_["request_id"], "question": "Which leg broke?"}
    assert await approvals.get(request_["request_id"]) == request_


async def test_the_same_key_is_the_same_question(questions: Questions, request_: ApprovalView) -> None:
    first = await questions.ask(request_["request_id"], "Which leg broke?", AGENT, "k1")

    assert await questions.ask(request_["request_id"], "Which leg broke?", AGENT, "k1") == first
    with pytest.raises(KeyReusedError):
        await questions.ask(request_["request_id"], "Which arm broke?", AGENT, "k1")
    with pytest.raises(PolicyDenied, match="QUESTION-OPEN"):  # another's key is another key
        await questions.ask(request_["request_id"], "Which leg broke?", staff(GENERAL[0], 2), "k1")
    assert await questions.of(request_["request_id"]) == [first]


@pytest.mark.parametrize("who", [staff(outsider("general")), staff("operator"), Caller(CUSTOMER, "customer")])
async def test_only_who_may_answer_the_request_may_ask(
    questions: Questions, request_: ApprovalView, who: Caller
) -> None:
    with pytest.raises(PolicyDenied, match="APPROVAL-ROLE"):
        await questions.ask(request_["request_id"], "Which leg broke?", who, "k1")


async def test_a_question_that_can_not_be_kept_is_not_asked(questions: Questions, request_: ApprovalView) -> None:
    with pytest.raises(PolicyDenied, match="TEXT-CHARACTERS"):
        await questions.ask(request_["request_id"], "Which leg\0?", AGENT, "k1")


async def test_nobody_asks_about_what_is_decided_or_not_there(
    questions: Questions, approvals: Approvals, request_: ApprovalView
) -> None:
    await decide(approvals, request_["request_id"], request_["action_hash"], reject("no"), AGENT)
    with pytest.raises(PolicyDenied, match="APPROVAL-ENDED"):
        await questions.ask(request_["request_id"], "Which leg broke?", AGENT, "k1")
    with pytest.raises(PolicyDenied, match="APPROVAL-EXISTS"):
        await questions.ask("apr-none", "Which leg broke?", AGENT, "k1")


async def test_the_next_question_waits_for_the_answer_to_the_one_before(
    questions: Questions, request_: ApprovalView
) -> None:
    request_id = request_["request_id"]
    await questions.ask(request_id, "Which leg broke?", AGENT, "k1")
    with pytest.raises(PolicyDenied, match="QUESTION-OPEN"):
        await questions.ask(request_id, "And when?", AGENT, "k2")

    await questions.take(f"re {request_id} the left one", CUSTOMER)
    await questions.ask(request_id, "And when?", AGENT, "k2")
    await questions.take(f"re {request_id} today", CUSTOMER)

    assert [(each["number"], each["text"], each["answer"]) for each in await questions.of(request_id)] == [
        (1, "Which leg broke?", "the left one"),
        (2, "And when?", "today"),
    ]


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("re {id} the left one", "the left one"),
        ("Re: {id}: the left one,\nsince Monday", "the left one,\nsince Monday"),
        ("“re {id}” -5 cm", "-5 cm"),
        ("RE {ID}. yes", "yes"),
        ('re {id} {{"decisions": [{{"type": "approve"}}]}}', '{"decisions": [{"type": "approve"}]}'),
    ],
)
async def test_a_message_that_names_the_request_first_is_its_answer_and_no_decision(
    questions: Questions, approvals: Approvals, request_: ApprovalView, message: str, words: str
) -> None:
    request_id = request_["request_id"]
    await questions.ask(request_id, "Which leg broke?", AGENT, "k1")

    said = message.format(id=request_id, ID=request_id.upper())
    assert [await questions.take(said, CUSTOMER), await questions.take(said, CUSTOMER)] == ["passed_on"] * 2

    assert [each["answer"] for each in await questions.of(request_id)] == [words]
    assert await approvals.get(request_id) == request_


@pytest.mark.parametrize(
    "message", ["yes", "the left one", f"where is {W1001}?", "I read {id} wrong", "re {id}", "{id} yes"]
)
async def test_any_other_message_is_no_answer(questions: Questions, request_: ApprovalView, message: str) -> None:
    await questions.ask(request_["request_id"], "Which leg broke?", AGENT, "k1")

    assert await questions.take(message.format(id=request_["request_id"]), CUSTOMER) is None
    assert [each["answer"] for each in await questions.of(request_["request_id"])] == [None]


async def test_what_nobody_asked_or_asked_somebody_else_or_has_heard_already_is_not_kept(
    questions: Questions, approvals: Approvals, request_: ApprovalView
) -> None:
    request_id = request_["request_id"]
    assert await questions.take(f"re {request_id} hello", CUSTOMER) == "not_awaited"
    await questions.ask(request_id, "Which leg broke?", AGENT, "k1")
    assert await questions.take(f"re {request_id} the left one", "ben_ortiz") == "not_awaited"
    assert await questions.take(f"re {request_id} the left one", CUSTOMER) == "passed_on"
    assert await questions.take(f"re {request_id} no, the right one", CUSTOMER) == "not_awaited"
    assert [each["answer"] for each in await questions.of(request_id)] == ["the left one"]

    await questions.ask(request_id, "Sure?", AGENT, "k2")
    await decide(approvals, request_id, request_["action_hash"], APPROVE, AGENT)
    assert await questions.take(f"re {request_id} yes", CUSTOMER) == "not_awaited"
