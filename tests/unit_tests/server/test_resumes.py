"""An answer fits the interrupt that waits now, and its request in the ledger, or it is refused."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from langgraph_sdk.client import LangGraphClient

from agent import identity
from agent.approvals.models import ApprovalView
from agent.identity import APPROVER_ROLES, ROLES, STUDIO_IDENTITY, Caller, Role
from agent.ledger.database_errors import DatabaseUnavailableError
from agent.platform import order_thread
from agent.server import resumes
from agent.server.resumes import check_answer, check_checkpoint, check_message
from agent.server.rules import RunRefusedError
from agent.services import Services
from agent.settings import Settings
from tests.support.approvals import ask, decide, order
from tests.support.chains import OF_VERY_LARGE
from tests.support.goods import W1001
from tests.support.threads import APPROVE, SERVICE, events, staff

from .test_rules import run

NOW, OLD = "a" * 32, "b" * 32
LATEST, EARLIER = "1f1e6b39-d8fc-66d2-8004-b0e27447ad77", "1f1e6b39-d8fc-66d2-8003-b0e27447ad77"
MANAGER, DIRECTOR = staff(OF_VERY_LARGE[0]), staff(OF_VERY_LARGE[1])


class Seen:
    """The thread as the caller sees it: what waits on it; `status` is what looking at it gives."""

    def __init__(self) -> None:
        self.status = 200
        self.is_away = False
        self.interrupts: dict[str, list[dict[str, Any]]] = {}
        self.messages: list[dict[str, Any]] = []

    def wait(self, *views: Any) -> None:
        self.interrupts = {f"task-{n}": [{"id": NOW, "value": view}] for n, view in enumerate(views)}

    def client(self) -> LangGraphClient:
        return LangGraphClient(httpx.AsyncClient(transport=httpx.MockTransport(self._answer), base_url="http://api"))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if self.is_away:
            raise httpx.ConnectError("connection refused")
        thread = f"/threads/{order_thread('N-1', 'customer:ada_park')}"
        seen = {"interrupts": self.interrupts, "values": {"messages": self.messages}}
        parts = {thread: seen, f"{thread}/state": {"checkpoint": {"checkpoint_id": LATEST}}}
        return httpx.Response(self.status, json=parts[request.url.path] if self.status == 200 else {"detail": "no"})


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    thread = Seen()
    monkeypatch.setattr(resumes, "get_client", thread.client)
    return thread


@pytest.fixture
async def view(shop: Services, seen: Seen) -> ApprovalView:
    """A request that waits for a manager, then a director."""
    opened = await ask(shop.approvals, order(), "very_large_order")
    seen.wait(opened)
    return opened


def answer(said: Any = APPROVE) -> dict[str, Any]:
    return run("order_processing", input=None, command={"resume": said})


async def refused(caller: Caller, value: dict[str, Any]) -> RunRefusedError:
    with pytest.raises(RunRefusedError) as why:
        await check_answer(caller, value)
    return why.value


@pytest.mark.parametrize("said", [APPROVE, "approve", True, [APPROVE], {NOW: APPROVE}], ids=str)
async def test_an_answer_of_the_right_role_is_addressed_to_what_waits(view: ApprovalView, said: Any) -> None:
    value = answer(said)

    await check_answer(MANAGER, value)

    plain, named = (said[NOW], "interrupt") if isinstance(said, dict) and NOW in said else (said, "")
    assert value["kwargs"]["command"] == {"resume": {NOW: {"said": plain, "named": named}}}


async def test_where_the_server_cannot_be_asked_for_the_thread_who_answers_is_told_to_come_again(seen: Seen) -> None:
    seen.is_away = True
    why = await refused(MANAGER, answer())
    assert (why.status, why.why) == (503, "the thread can't be looked at now: try again")
    with pytest.raises(RunRefusedError):
        await check_checkpoint(run("order_processing", config={"configurable": {"checkpoint_id": LATEST}}))


async def test_an_answer_goes_on_with_the_checkpoint_that_it_named(view: ApprovalView) -> None:
    value = answer()

    await check_answer(MANAGER, value, "checkpoint")

    assert value["kwargs"]["command"]["resume"] == {NOW: {"said": APPROVE, "named": "checkpoint"}}


async def test_a_client_can_not_say_for_itself_what_it_named(view: ApprovalView) -> None:
    value = answer({"said": APPROVE, "named": "interrupt"})

    await check_answer(MANAGER, value)

    assert value["kwargs"]["command"]["resume"] == {NOW: {"said": {"said": APPROVE, "named": "interrupt"}, "named": ""}}


@pytest.mark.parametrize("role", sorted(APPROVER_ROLES - {OF_VERY_LARGE[0]}))
async def test_another_approver_is_refused_and_told_who_may(view: ApprovalView, role: Role) -> None:
    before = events("approval.answer_refused")

    why = await refused(staff(role), answer())

    assert (why.status, why.why) == (403, f"APPROVAL-ROLE: this step is for {MANAGER.role}")
    assert events("approval.answer_refused") == before + 1


@pytest.mark.parametrize("role", sorted(set(ROLES) - APPROVER_ROLES - {"service"}))
async def test_who_is_no_approver_is_refused_before_anything_is_looked_at(seen: Seen, role: Role) -> None:
    seen.status = 500
    assert (await refused(Caller("ada_park", role), answer())).status == 403


async def test_whose_step_has_passed_since_they_looked_is_told_so(shop: Services, view: ApprovalView) -> None:
    await decide(shop.approvals, view["request_id"], view["action_hash"], APPROVE, MANAGER)

    why = await refused(MANAGER, answer())

    assert (why.status, why.why) == (409, f"APPROVAL-ROLE: this step is for {DIRECTOR.role}")
    await check_answer(DIRECTOR, answer())  # the ledger says so, whatever the thread still shows


async def test_the_service_account_wakes_a_thread_whatever_waits(seen: Seen) -> None:
    seen.wait({"request_id": "apr-expired"})
    value = answer("look again")

    await check_answer(SERVICE, value)

    assert value["kwargs"]["command"]["resume"] == {NOW: {"said": "look again", "named": ""}}


@pytest.mark.parametrize("said", [{OLD: APPROVE}, {NOW: APPROVE, OLD: APPROVE}, {}], ids=["stale", "two", "none"])
@pytest.mark.parametrize("caller", [MANAGER, SERVICE])
async def test_an_answer_to_another_interrupt_is_refused(view: ApprovalView, said: Any, caller: Caller) -> None:
    assert (await refused(caller, answer(said))).status == 409


@pytest.mark.parametrize("waiting", [0, 2])
@pytest.mark.parametrize("caller", [MANAGER, SERVICE])
async def test_exactly_one_interrupt_must_wait(view: ApprovalView, seen: Seen, waiting: int, caller: Caller) -> None:
    seen.wait(*[view] * waiting)
    assert (await refused(caller, answer())).status == 409


@pytest.mark.parametrize("shown", [None, "approve?", {}, {"request_id": "apr-0", "roles": [OF_VERY_LARGE[0]]}], ids=str)
async def test_what_is_no_request_of_ours_is_not_answered(shop: Services, seen: Seen, shown: Any) -> None:
    seen.wait(shown)
    assert (await refused(MANAGER, answer())).status == 409


@pytest.mark.parametrize(("status", "told"), [(404, 404), (403, 409), (500, 409)])
async def test_a_thread_that_can_not_be_seen_says_no_more_than_that(seen: Seen, status: int, told: int) -> None:
    seen.status = status
    assert (await refused(MANAGER, answer())).status == told


async def test_a_ledger_that_is_away_is_no_answer(
    shop: Services, view: ApprovalView, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_: str) -> ApprovalView:
        raise DatabaseUnavailableError("test")

    monkeypatch.setattr(shop.approvals, "get", away)

    assert (await refused(MANAGER, answer())).status == 503


@pytest.fixture
def studio(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Caller]:
    """Studio on a server of this mode."""

    def of(mode: str) -> Caller:
        monkeypatch.setattr(identity, "settings", lambda: Settings.model_validate({"studio_mode": mode}))
        return Caller(STUDIO_IDENTITY, "channel")

    return of


AS_MANAGER = {"as": OF_VERY_LARGE[0], "decision": "approve"}


@pytest.mark.parametrize("said", [AS_MANAGER, {NOW: AS_MANAGER}], ids=["bare", "addressed"])
async def test_studio_that_may_act_answers_as_the_right_role(
    view: ApprovalView, studio: Callable[[str], Caller], said: Any
) -> None:
    value = answer(said)

    await check_answer(studio("act"), value)

    assert value["kwargs"]["command"]["resume"][NOW]["said"] == AS_MANAGER, "the gate reads it once more"


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        ("act", APPROVE),
        ("act", {"as": OF_VERY_LARGE[1], "decision": "approve"}),
        ("act", {"as": "customer", "decision": "approve"}),
        ("read", AS_MANAGER),
        ("off", AS_MANAGER),
    ],
    ids=str,
)
async def test_studio_is_refused_otherwise(
    view: ApprovalView, studio: Callable[[str], Caller], mode: str, said: Any
) -> None:
    assert (await refused(studio(mode), answer(said))).status == 403


def showing(checkpoint: str | None) -> dict[str, Any]:
    shown = {"checkpoint_id": checkpoint, "checkpoint_ns": ""} if checkpoint else {}
    return run("order_processing", config={"configurable": {"langgraph_auth_user_id": "x", **shown}})


@pytest.mark.parametrize("checkpoint", [LATEST, None])
async def test_a_run_may_name_the_latest_checkpoint_and_goes_on_from_whatever_is_latest_then(
    seen: Seen, checkpoint: str | None
) -> None:
    value = showing(checkpoint)

    assert await check_checkpoint(value) == ("checkpoint" if checkpoint else "")

    assert value["kwargs"]["config"] == {"configurable": {"langgraph_auth_user_id": "x"}}


async def test_a_run_from_an_older_checkpoint_is_refused(seen: Seen) -> None:
    with pytest.raises(RunRefusedError) as why:
        await check_checkpoint(showing(EARLIER))

    assert why.value.status == 409


async def test_a_checkpoint_of_a_thread_that_is_not_theirs_is_none(seen: Seen) -> None:
    seen.status = 404
    with pytest.raises(RunRefusedError) as why:
        await check_checkpoint(showing(LATEST))

    assert why.value.status == 404


async def test_without_a_checkpoint_nothing_is_asked(seen: Seen) -> None:
    seen.status = 500
    await check_checkpoint(showing(None))
    await check_checkpoint(run("order_processing", config=None))


SAID = {"type": "human", "content": f"where is {W1001}?", "id": "m-1"}
TOLD = {"type": "ai", "content": "On its way.", "id": "m-2"}


def message(**fields: Any) -> dict[str, Any]:
    said = {"role": "user", "content": f"where is {W1001}?"} | fields
    return run(thread=order_thread("N-1", "customer:ada_park"), input={"messages": [said]})


@pytest.mark.parametrize("fields", [
    {}, {"id": None}, {"id": "m-1"}, {"id": "m-3"}, {"id": "m-3", "content": "On its way."},
    {"id": "m-1", "content": [{"type": "text", "text": f"where is {W1001}?"}]},
], ids=str)  # fmt: skip
async def test_a_message_of_its_own_id_or_the_same_again_is_let_in(seen: Seen, fields: dict[str, Any]) -> None:
    seen.messages = [SAID, TOLD]

    await check_message(message(**fields))


@pytest.mark.parametrize(
    "fields",
    [{"id": "m-1", "content": f"cancel {W1001}"}, {"id": "m-2"}, {"id": "m-2", "content": "On its way."}],
    ids=str,
)
async def test_a_message_that_would_take_anothers_place_is_refused(seen: Seen, fields: dict[str, Any]) -> None:
    seen.messages = [SAID, TOLD]

    with pytest.raises(RunRefusedError) as why:
        await check_message(message(**fields))

    assert (why.value.status, why.value.why.split(":")[0]) == (422, "MESSAGE-ID")


async def test_the_first_message_makes_its_thread(seen: Seen) -> None:
    seen.status = 404

    await check_message(message(id="m-1"))
