"""The routes of tickets: who reaches them, what is refused by which rule, and what can't be read."""

import json
from typing import Any

import pytest

from agent.commerce.locks import open_ticket
from agent.commerce.ticket_commands import OpenTicket
from agent.identity import ROLES, Role
from agent.server.permissions import TICKET_OVERSEERS, TICKET_WORKERS
from agent.services import Services
from tests.support.chains import BILLING, TECHNICAL
from tests.support.commands import done
from tests.support.routes import Ask
from tests.support.scenes import dump
from tests.support.threads import staff

AGENT, COLLEAGUE = staff(BILLING[0]), staff(BILLING[0], 2)
QUEUE = "/ops/tickets"


@pytest.fixture
async def path(shop: Services) -> str:
    """The routes of a new billing ticket."""
    command = OpenTicket(
        key="t1", actor="customer_service", subject="ada_park", topic="billing", text="Twice?", thread_id="thread-1"
    )
    return f"{QUEUE}/{(await done(shop, command))['id']}"


async def test_a_ticket_is_taken_answered_and_closed(ask: Ask, path: str) -> None:
    taken = await ask("POST", f"{path}/take", AGENT)
    assert (taken.status_code, taken.json()["taken_by"]) == (200, AGENT.identity)
    answered = await ask("POST", f"{path}/answer", AGENT, json={"text": " Once. "})
    assert [each["text"] for each in answered.json()["messages"]] == ["Once."]
    closed = await ask("POST", f"{path}/close", AGENT, json={"note": "seen"})
    assert (closed.json()["status"], closed.json()["closed_by"]) == ("closed", AGENT.identity)


async def test_a_second_taker_is_refused_with_who_has_it(ask: Ask, path: str) -> None:
    await ask("POST", f"{path}/take", AGENT)
    refused = await ask("POST", f"{path}/take", COLLEAGUE)
    assert (refused.status_code, "TICKET-TAKER" in refused.text, AGENT.identity in refused.text) == (409, True, True)


async def test_the_same_key_answers_once_and_anothers_key_is_another(ask: Ask, path: str) -> None:
    await ask("POST", f"{path}/take", AGENT)
    headers, body = {"idempotency-key": "k"}, {"json": {"text": "Once."}}
    for _ in range(2):
        again = await ask("POST", f"{path}/answer", AGENT, headers=headers, **body)
    other_words = await ask("POST", f"{path}/answer", AGENT, headers=headers, json={"text": "Twice."})
    anothers = await ask("POST", f"{path}/answer", COLLEAGUE, headers=headers, **body)
    assert len(again.json()["messages"]) == 1
    assert (other_words.status_code, anothers.status_code) == (409, 409)
    assert "TICKET-TAKER" in anothers.text


@pytest.mark.parametrize("role", ROLES)
async def test_a_ticket_is_read_by_its_role_and_overseers_and_worked_on_by_its_role_alone(
    ask: Ask, path: str, role: Role
) -> None:
    who, own = staff(role), role == BILLING[0]
    queue = await ask("GET", QUEUE, who)
    assert queue.status_code == (200 if role in (*TICKET_WORKERS, *TICKET_OVERSEERS) else 403)
    if queue.status_code == 200:
        assert bool(queue.json()["tickets"]) == (own or role in TICKET_OVERSEERS)
    assert (await ask("GET", path, who)).status_code == (200 if own or role in TICKET_OVERSEERS else 403)
    for verb, body in (("take", None), ("answer", {"text": "Hi"}), ("close", {})):
        answer = await ask("POST", f"{path}/{verb}", who, json=body)
        assert answer.status_code == (200 if own else 403), verb


@pytest.mark.parametrize("role", ["customer", "channel"])
async def test_customers_do_not_learn_which_tickets_there_are(ask: Ask, path: str, role: Role) -> None:
    theirs, nobodys = await ask("GET", path, staff(role)), await ask("GET", f"{QUEUE}/tic-404", staff(role))
    assert (theirs.status_code, theirs.text) == (nobodys.status_code, nobodys.text)


async def test_a_role_reads_no_other_roles_queue_and_an_overseer_any(ask: Ask, path: str) -> None:
    refused = await ask("GET", f"{QUEUE}?role={BILLING[0]}", staff(TECHNICAL[0]))
    assert (refused.status_code, "TICKET-ROLE" in refused.text) == (403, True)
    seen = [await ask("GET", f"{QUEUE}?role={role}", staff("admin")) for role in (BILLING[0], TECHNICAL[0])]
    assert [len(each.json()["tickets"]) for each in seen] == [1, 0]


async def test_a_list_goes_on_page_by_page(shop: Services, ask: Ask, path: str) -> None:
    now = shop.database.clock()
    await shop.database.write(
        lambda session: open_ticket(session, None, "x", topic="billing", text="50.00 too much", now=now)
    )
    first = (await ask("GET", f"{QUEUE}?limit=1", AGENT)).json()
    second = (await ask("GET", f"{QUEUE}?limit=1&offset=1", AGENT)).json()
    assert (first["more"], second["more"]) == (True, False)
    assert first["tickets"][0]["id"] != second["tickets"][0]["id"]


async def test_a_ticket_of_no_customer_is_worked_on_and_answered_to_nobody(shop: Services, ask: Ask) -> None:
    now = shop.database.clock()
    await shop.database.write(
        lambda session: open_ticket(session, None, "x", topic="billing", text="50.00 too much", now=now)
    )
    [ticket] = (await ask("GET", QUEUE, AGENT)).json()["tickets"]
    own = f"{QUEUE}/{ticket['id']}"
    assert (await ask("POST", f"{own}/take", AGENT)).status_code == 200
    refused = await ask("POST", f"{own}/answer", AGENT, json={"text": "Hi"})
    assert (refused.status_code, "TICKET-CUSTOMER" in refused.text) == (409, True)
    assert (await ask("POST", f"{own}/close", AGENT, json={})).json()["status"] == "closed"


@pytest.mark.parametrize("verb", ["take", "answer", "close"])
async def test_a_ticket_that_is_not_there_is_not_found(ask: Ask, verb: str) -> None:
    answer = await ask("POST", f"{QUEUE}/{'x' * 200}/{verb}", AGENT, json={"text": "Hi"} if verb == "answer" else {})
    assert (answer.status_code, "TICKET-EXISTS" in answer.text) == (404, True)


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("answer", {}),
        ("answer", {"text": " \n"}),
        ("answer", {"text": "x" * 8001}),
        ("answer", {"text": "half a pair \ud800"}),
        ("answer", {"text": "Hi", "more": 1}),
        ("close", {"note": "x" * 2001}),
        ("close", {"note": 7}),
        ("close", {"note": "half a pair \ud800"}),
    ],
)
async def test_what_can_not_be_read_is_refused_and_changes_nothing(
    shop: Services, ask: Ask, path: str, verb: str, body: dict[str, Any]
) -> None:
    await ask("POST", f"{path}/take", AGENT)
    before = await dump(shop)
    sent = {"content": json.dumps(body), "headers": {"content-type": "application/json"}}  # with escapes, as it comes
    assert (await ask("POST", f"{path}/{verb}", AGENT, **sent)).status_code == 422
    assert await dump(shop) == before


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "offset=-1", "status=lost", "role=king"])
async def test_a_list_has_bounds(ask: Ask, query: str) -> None:
    assert (await ask("GET", f"{QUEUE}?{query}", AGENT)).status_code == 422
