"""Tickets are worked on by people: who may take, answer and close which, what the customer hears, what time does."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import update

from agent.commerce.locks import open_ticket
from agent.commerce.ticket_commands import AnswerTicket, CloseTicket, OpenTicket, TakeTicket, TicketCommand
from agent.commerce.ticket_queue import Tickets, TicketView
from agent.commerce.tickets import WORKERS
from agent.escalation import BY_TOPIC, HOUR, LAST_RESORT
from agent.identity import APPROVER_ROLES, Caller, Role
from agent.ledger.database import KeyReusedError
from agent.ledger.tables import TicketRow
from agent.services import Services
from tests.support.chains import due_seconds, next_role, outsider, roles
from tests.support.clock import Clock
from tests.support.commands import done
from tests.support.goods import W1001
from tests.support.scenes import ask, denies, dump
from tests.support.threads import events, staff

AGENT = staff(roles("general")[0])
SILENCE = BY_TOPIC["general"][0]["expiry_seconds"]
COLLEAGUE = staff(AGENT.role, 2)


async def opened(shop: Services, topic: str = "question", key: str = "t1", **more: Any) -> str:
    """A new ticket of Ada's; its id."""
    arguments = {"topic": topic, "text": "The lamp hums.", "thread_id": "thread-1"} | more
    return str((await ask(shop, OpenTicket, key=key, **arguments))["id"])


async def of_nobody(shop: Services) -> str:
    """A ticket about money of which no order and no customer is known; its id."""
    now = shop.database.clock()
    await shop.database.write(
        lambda session: open_ticket(session, None, "x", topic="billing", text="50.00 too much", now=now)
    )
    [row] = (await dump(shop))["tickets"]
    return str(row["id"])


async def work(
    shop: Services, form: type[TicketCommand], ticket: str, who: Caller = AGENT, key: str | None = None, **more: Any
) -> Any:
    """Run a command on a ticket as somebody, each under a key of its own unless one is given."""
    given = {"key": key or uuid4().hex, "actor": who.identity, "ticket_id": ticket, "role": who.role}
    return await done(shop, form(**{"subject": "ada_park", **given, **more}))


async def view(shop: Services, ticket: str) -> TicketView:
    found = await shop.tickets.get(ticket)
    assert found
    return found


async def told(shop: Services, audience: str) -> list[tuple[str, Any]]:
    rows = [row for row in (await dump(shop))["notices"] if row["audience"] == audience]
    return sorted((row["event"], row["facts"]) for row in rows if row["event"].startswith("ticket."))


@pytest.mark.parametrize(
    ("topic", "role"),
    [
        ("technical", roles("technical")[0]),
        ("billing", roles("billing")[0]),
        ("security", roles("security")[0]),
        ("order", AGENT.role),
        ("account", AGENT.role),
        ("question", AGENT.role),
    ],
)
async def test_a_new_ticket_is_in_the_queue_of_its_topics_first_role_alone(
    shop: Services, topic: str, role: Role
) -> None:
    ticket = await opened(shop, topic)
    queues = {each: [line["id"] for line in await shop.tickets.listed(each, None, 10)] for each in WORKERS}
    assert [each for each, queue in queues.items() if queue] == [role]
    assert queues[role] == [ticket]
    assert [facts["roles"] for event, facts in await told(shop, "staff") if event == "ticket.opened"] == [[role]]


async def test_a_ticket_is_taken_answered_and_closed_and_its_customer_hears_of_it(shop: Services) -> None:
    ticket = await opened(shop, order_id=W1001)
    await work(shop, TakeTicket, ticket)
    await work(shop, AnswerTicket, ticket, text="Please turn it off.")
    await work(shop, CloseTicket, ticket, note="a new lamp is on its way")

    closed = await view(shop, ticket)
    assert (closed["status"], closed["taken_by"], closed["closed_by"]) == ("closed", AGENT.identity, AGENT.identity)
    assert [(each["kind"], each["author"], each["text"]) for each in closed["messages"]] == [
        ("answer", AGENT.identity, "Please turn it off."),
        ("note", AGENT.identity, "a new lamp is on its way"),
    ]
    assert await told(shop, "customers") == [
        ("ticket.answered", {"ticket_id": ticket, "answer": "Please turn it off."}),
        ("ticket.closed", {"ticket_id": ticket}),
    ]
    assert await shop.tickets.listed(AGENT.role, None, 10) == []
    assert [line["id"] for line in await shop.tickets.listed(AGENT.role, "closed", 10)] == [ticket]


async def test_of_closed_tickets_the_last_one_comes_first(shop: Services, clock: Clock) -> None:
    first, second = await opened(shop, key="t1"), await opened(shop, key="t2", thread_id="thread-2")
    for ticket in (second, first):
        clock.advance(minutes=1)
        await work(shop, TakeTicket, ticket)
        await work(shop, CloseTicket, ticket)
    closed = await shop.tickets.listed(AGENT.role, "closed", 10)
    assert [line["id"] for line in closed] == [first, second]
    assert closed[0]["closed_at"] == clock.now.isoformat()


async def test_a_second_taker_is_told_who_has_it(shop: Services) -> None:
    ticket = await opened(shop)
    await work(shop, TakeTicket, ticket)
    with denies("TICKET-TAKER", AGENT.identity):
        await work(shop, TakeTicket, ticket, COLLEAGUE)
    assert (await view(shop, ticket))["taken_by"] == AGENT.identity


async def test_of_two_who_take_at_once_one_has_it(shop: Services) -> None:
    ticket = await opened(shop)
    takers = [
        shop.commerce.run(
            TakeTicket(key=who.identity, actor=who.identity, subject="ada_park", ticket_id=ticket, role=AGENT.role)
        )
        for who in (AGENT, COLLEAGUE)
    ]
    answers = await asyncio.gather(*takers)
    assert [isinstance(answer, dict) for answer in answers].count(True) == 1


async def test_who_has_it_may_take_it_again(shop: Services) -> None:
    ticket = await opened(shop)
    await work(shop, TakeTicket, ticket)
    before = await view(shop, ticket)
    await work(shop, TakeTicket, ticket)
    assert await view(shop, ticket) == before


@pytest.mark.parametrize("form", [AnswerTicket, CloseTicket])
async def test_only_the_taker_goes_on(shop: Services, form: type[TicketCommand]) -> None:
    ticket = await opened(shop)
    said: dict[str, Any] = {"text": "Hello"} if form is AnswerTicket else {}
    with denies("TICKET-STATUS"):
        await work(shop, form, ticket, **said)
    await work(shop, TakeTicket, ticket)
    before = await view(shop, ticket)
    with denies("TICKET-TAKER", AGENT.identity):
        await work(shop, form, ticket, COLLEAGUE, **said)
    assert await view(shop, ticket) == before
    assert await told(shop, "customers") == []


@pytest.mark.parametrize("form", [TakeTicket, AnswerTicket, CloseTicket])
async def test_a_closed_ticket_stays_closed(shop: Services, form: type[TicketCommand]) -> None:
    ticket = await opened(shop)
    said: dict[str, Any] = {"text": "Hello"} if form is AnswerTicket else {}
    await work(shop, TakeTicket, ticket)
    await work(shop, CloseTicket, ticket)
    with denies("TICKET-STATUS", "closed"):
        await work(shop, form, ticket, **said)


@pytest.mark.parametrize("role", sorted(APPROVER_ROLES - {roles("billing")[0]}))
async def test_another_role_may_not_take_it(shop: Services, role: Role) -> None:
    ticket = await opened(shop, "billing")
    with denies("TICKET-ROLE", roles("billing")[0]):
        await work(shop, TakeTicket, ticket, staff(role))
    assert (await view(shop, ticket))["status"] == "open"


async def test_a_ticket_that_is_not_there_is_said_to_be_none(shop: Services) -> None:
    with denies("TICKET-EXISTS"):
        await work(shop, TakeTicket, "tic-404")


async def test_the_same_key_answers_once_and_with_other_words_is_an_error(shop: Services) -> None:
    ticket = await opened(shop)
    await work(shop, TakeTicket, ticket)
    for _ in range(2):
        await work(shop, AnswerTicket, ticket, key="k", text="Hello")
    with pytest.raises(KeyReusedError):
        await work(shop, AnswerTicket, ticket, key="k", text="Bye")
    assert [each["text"] for each in (await view(shop, ticket))["messages"]] == ["Hello"]


async def test_a_denial_is_not_the_last_word_under_its_key(shop: Services) -> None:
    ticket = await opened(shop)
    with denies("TICKET-STATUS"):
        await work(shop, AnswerTicket, ticket, key="k", text="Hello")
    await work(shop, TakeTicket, ticket)
    await work(shop, AnswerTicket, ticket, key="k", text="Hello")
    assert [each["text"] for each in (await view(shop, ticket))["messages"]] == ["Hello"]


async def test_a_ticket_without_a_customer_is_closed_and_not_answered(shop: Services) -> None:
    ticket, who = await of_nobody(shop), staff(roles("billing")[0])
    await work(shop, TakeTicket, ticket, who, subject=ticket)
    with denies("TICKET-CUSTOMER"):
        await work(shop, AnswerTicket, ticket, who, subject=ticket, text="Hello")
    await work(shop, CloseTicket, ticket, who, subject=ticket, note="the bank's fault")
    assert (await view(shop, ticket))["status"] == "closed"
    assert await told(shop, "customers") == []


async def test_a_case_that_the_customer_never_heard_of_is_closed_in_silence(shop: Services) -> None:
    ticket = await opened(shop, thread_id=None)
    await work(shop, TakeTicket, ticket)
    await work(shop, CloseTicket, ticket)
    assert await told(shop, "customers") == []


async def test_a_ticket_is_of_the_conversation_that_it_names_or_in_which_the_customer_was_last_heard(
    shop: Services,
) -> None:
    await shop.notifications.record_conversation("ada_park", "thread-2")
    named, heard = await opened(shop), await opened(shop, key="t2", thread_id=None)
    assert [(await view(shop, ticket))["thread_id"] for ticket in (named, heard)] == ["thread-1", "thread-2"]


async def test_a_conversation_is_held_from_the_taking_to_the_closing(shop: Services) -> None:
    ticket = await opened(shop)
    assert await shop.tickets.held("thread-1") is None
    await work(shop, TakeTicket, ticket)
    held = await shop.tickets.held("thread-1")
    assert held
    assert held["id"] == ticket
    assert await shop.tickets.held("thread-2") is None
    await work(shop, CloseTicket, ticket)
    assert await shop.tickets.held("thread-1") is None


async def test_what_the_customer_writes_meanwhile_is_kept_once_and_staff_hears_of_it(shop: Services) -> None:
    ticket = await opened(shop)
    assert await shop.tickets.note("thread-1", "Hello?", "m0") is None
    await work(shop, TakeTicket, ticket)
    for _ in range(2):
        assert await shop.tickets.note("thread-1", "It still hums.", "m1") == ticket
    [message] = (await view(shop, ticket))["messages"]
    assert (message["kind"], message["author"], message["text"]) == ("reply", "ada_park", "It still hums.")
    assert [event for event, _ in await told(shop, "staff")] == ["ticket.heard", "ticket.opened"]


async def test_an_untaken_ticket_goes_on_to_the_next_role_and_at_the_end_it_is_an_event(
    shop: Services, clock: Clock
) -> None:
    ticket = await opened(shop, "security")
    chain, due = [*roles("security"), LAST_RESORT], due_seconds("security")
    for asked in range(2, len(chain) + 1):
        clock.advance(seconds=due - 60)
        assert await shop.tickets.enforce_deadlines() == {}
        clock.advance(minutes=1)
        assert await shop.tickets.enforce_deadlines() == {ticket: "escalated"}
        assert (await view(shop, ticket))["roles"] == chain[:asked]
    before = events("ticket.overdue")
    clock.advance(seconds=due)
    assert await shop.tickets.enforce_deadlines() == {ticket: "overdue"}
    assert await shop.tickets.enforce_deadlines() == {}
    assert events("ticket.overdue") == before + 1
    assert [line["id"] for line in await shop.tickets.listed(chain[0], None, 10)] == [ticket]
    assert await shop.tickets.listed(outsider("security"), None, 10) == []


async def test_who_it_was_escalated_to_may_take_it(shop: Services, clock: Clock) -> None:
    ticket, who = await opened(shop, "technical"), staff(next_role("technical"))
    clock.advance(seconds=due_seconds("technical"))
    await shop.tickets.enforce_deadlines()
    assert [line["id"] for line in await shop.tickets.listed(who.role, None, 10)] == [ticket]
    await work(shop, TakeTicket, ticket, who)
    assert (await view(shop, ticket))["taken_by"] == who.identity


async def test_several_who_watch_the_clock_escalate_once(shop: Services, clock: Clock) -> None:
    tickets = [await opened(shop, "billing", key=f"t{n}", thread_id=f"thread-{n}") for n in range(3)]
    clock.advance(seconds=due_seconds("billing"))
    done = await asyncio.gather(*(Tickets(shop.database).enforce_deadlines() for _ in range(4)))
    assert sorted(each for one in done for each in one) == sorted(tickets)
    assert {(await view(shop, ticket))["roles"][-1] for ticket in tickets} == {next_role("billing")}


async def test_a_taker_who_says_nothing_loses_it_to_the_queue_and_one_who_answers_does_not(
    shop: Services, clock: Clock
) -> None:
    ticket = await opened(shop)
    await work(shop, TakeTicket, ticket)
    clock.advance(seconds=SILENCE - HOUR)
    await work(shop, AnswerTicket, ticket, text="I am looking into it.")
    clock.advance(seconds=SILENCE - HOUR)
    assert await shop.tickets.enforce_deadlines() == {}
    clock.advance(seconds=HOUR)
    assert await shop.tickets.enforce_deadlines() == {ticket: "escalated"}
    freed = await view(shop, ticket)
    assert (freed["status"], freed["taken_by"], freed["roles"]) == ("open", None, [AGENT.role, next_role("general")])
    assert await shop.tickets.held("thread-1") is None


async def test_a_closed_ticket_is_never_due(shop: Services, clock: Clock) -> None:
    ticket = await opened(shop)
    await work(shop, TakeTicket, ticket)
    await work(shop, CloseTicket, ticket)
    clock.advance(days=30)
    assert await shop.tickets.enforce_deadlines() == {}


async def test_what_the_release_before_writes_meanwhile_is_for_the_first_role(shop: Services) -> None:
    ticket, who = await opened(shop, "billing"), staff(roles("billing")[0])
    as_before = update(TicketRow).values(role=None, due_at=None)
    await shop.database.write(lambda session: session.execute(as_before))
    assert [line["id"] for line in await shop.tickets.listed(who.role, None, 10)] == [ticket]
    assert await shop.tickets.listed(next_role("billing"), None, 10) == []
    await work(shop, TakeTicket, ticket, who)
    assert (await view(shop, ticket))["taken_by"] == who.identity


async def test_the_most_urgent_comes_first_and_a_list_goes_on_page_by_page(shop: Services, clock: Clock) -> None:
    tickets = []
    for number in range(5):
        tickets.append(await opened(shop, key=f"t{number}", thread_id=f"thread-{number}"))
        clock.advance(minutes=1)
    pages = [await shop.tickets.listed(AGENT.role, "open", 2, offset) for offset in (0, 2, 4)]
    assert [[line["id"] for line in page] for page in pages] == [tickets[:2], tickets[2:4], tickets[4:]]
