"""People answer requests in a real browser: what they press is what is recorded, and what they read is true."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.services.needed import need

need("playwright", "axe_playwright_python")

from playwright.sync_api import Browser, Dialog, expect

from agent.identity import Caller
from agent.tokens import add_token, revoke_tokens
from tests.support.browser import PHONE, UNDO_MILLISECONDS, Desk, Opened, serious, tabs
from tests.support.driver import Driver, Run, an_order
from tests.support.live_server import LiveServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with LiveServer(tmp_path_factory.mktemp("desk"), RECONCILE_CRON="") as running:
        yield running


@pytest.fixture(scope="module")
def driver(server: LiveServer) -> Iterator[Driver]:
    with Driver(server) as clients:
        yield clients


@pytest.fixture
def opened(browser: Browser, server: LiveServer) -> Iterator[Opened]:
    with tabs(browser, server, clock=True) as open_:
        yield open_


@pytest.fixture(autouse=True)
def _nothing_waits(driver: Driver) -> Iterator[None]:
    """Each test begins with empty lists, and gives back what its orders held."""
    yield
    while waiting := driver.client("operator").threads.search(status="interrupted", limit=100):
        for thread in waiting:
            [[interrupt]] = thread["interrupts"].values()
            run = Run(thread["thread_id"], str((thread["metadata"] or {})["graph_id"]), waiting=interrupt["value"])
            driver.answer(interrupt["value"]["roles"][0], run, "reject", "the test is over")


def sent(desk: Desk) -> None:
    """Let the time pass in which an answer can be undone."""
    desk.page.clock.run_for(UNDO_MILLISECONDS)


def large(driver: Driver, order_id: str) -> Run:
    """An order that waits for one person."""
    waits = driver.order(an_order(order_id, {"DESK-OAK": 2}))
    assert waits.waiting
    return waits


def talk(driver: Driver, customer: str, *said: str) -> Run:
    """A conversation at whose end people are asked."""
    thread = driver.conversation()
    for text in said:
        waits = driver.ask(text, customer=customer, thread=thread)
    assert waits.waiting, waits.said
    return waits


def refund(driver: Driver, order: str, amount: str, customer: str) -> Run:
    """A refund that waits for people."""
    return talk(driver, customer, f"I want {amount} back for {order}, it arrived broken", "yes")


def known(driver: Driver, waits: Run) -> Any:
    """The request as the ledger has it."""
    assert waits.waiting
    return driver.client("operator").http.get(f"/ops/approvals/{waits.waiting['request_id']}")


def said(driver: Driver, waits: Run) -> list[tuple[str, str]]:
    """What people have said to a request."""
    return [(each["decision"], each["note"]) for each in known(driver, waits)["decisions"]]


def test_approve_sends_an_answer_for_exactly_what_is_shown(opened: Opened, driver: Driver) -> None:
    waits = large(driver, "WEB-1")
    assert waits.waiting
    desk = opened("order_manager")

    card = desk.read("WEB-1")
    for fact in ("1,098.00 USD", "asked by channel-1 for ada_park", "2 × Writing desk (DESK-OAK)", "Risk 0"):
        expect(card).to_contain_text(fact)
    desk.press("Approve")
    assert said(driver, waits) == []
    sent(desk)
    expect(desk.outbox).to_contain_text("Recorded: approved.")

    assert said(driver, waits) == [("approve", "")]
    assert driver.order_row("WEB-1")["stage"] == "completed"
    [body] = map(json.loads, desk.bodies)
    [[answer]] = [list(body["command"]["resume"].values())]
    assert answer == {"decisions": [{"type": "approve"}], "token": waits.waiting["token"]}


def test_a_rejection_needs_its_reason_and_the_typed_note_rejects(opened: Opened, driver: Driver) -> None:
    waits = large(driver, "WEB-2")
    desk = opened("order_manager")
    card = desk.read("WEB-2")

    desk.press("Reject …")
    desk.press("Reject")
    expect(card.get_by_role("alert")).to_have_text("A rejection needs its reason.")
    card.get_by_label("The reason").fill("the address does not exist")
    desk.press("Reject")
    sent(desk)
    expect(desk.outbox).to_contain_text("Recorded: rejected.")

    assert said(driver, waits) == [("reject", "the address does not exist")]


def test_a_typed_note_does_not_turn_a_yes_into_a_no(opened: Opened, driver: Driver) -> None:
    waits = large(driver, "WEB-3")
    desk = opened("order_manager")
    card = desk.read("WEB-3")

    desk.press("Reject …")
    card.get_by_label("The reason").fill("never mind")
    desk.press("Close")
    desk.press("Approve with a note …")
    card.get_by_label("A note").fill("called them")
    desk.page.keyboard.press("Control+Enter")
    sent(desk)
    expect(desk.outbox).to_contain_text("Recorded: approved.")

    assert said(driver, waits) == [("approve", "called them")]


def test_an_amount_is_edited_as_money_is_written_and_what_is_too_much_is_explained(
    opened: Opened, driver: Driver
) -> None:
    waits = refund(driver, "W-1013", "80.00", "hugo_lindqvist")
    desk = opened("billing_agent")
    card = desk.read("W-1013")

    desk.press("Edit …")
    amount = card.get_by_label("The amount in USD, now 80.00")
    expect(amount).to_have_value("80.00")
    amount.fill("50000")
    desk.press("Approve with this amount")
    sent(desk)
    expect(desk.outbox).to_contain_text("Not taken. ")
    expect(desk.outbox).to_contain_text("can be refunded")
    expect(desk.outbox).to_contain_text("REFUND-AMOUNT")
    assert said(driver, waits) == []

    desk.press("Look at it")
    expect(card).to_contain_text("The last answer was not taken: REFUND-AMOUNT")
    desk.press("Edit …")
    expect(amount).to_have_value("50000")
    amount.fill("60")
    desk.press("Approve with this amount")
    sent(desk)
    expect(desk.outbox).to_contain_text("Recorded; it now waits for billing manager, step 2 of 2.")
    assert known(driver, waits)["action_requests"][0]["args"]["amount"] == "60.00"


def test_the_customer_is_asked_and_their_words_stand_on_the_card_as_a_quotation(opened: Opened, driver: Driver) -> None:
    waits = refund(driver, "W-1010", "60.00", "finn_walsh")
    desk = opened("billing_agent")
    card = desk.read("W-1010")

    desk.keys("q")
    card.get_by_label("The question").fill("When did it arrive?")
    desk.press("Ask the customer")
    sent(desk)
    expect(desk.outbox).to_contain_text("Asked: the question goes to the customer's conversation")
    assert waits.waiting
    words = '**Monday**, <img src="//example.net/x" onerror="alert(1)"> and I say yes'
    driver.ask(f"re {waits.waiting['request_id']}: {words}", customer="finn_walsh")

    desk.page.reload()
    expect(card.locator("blockquote").first).to_have_text(words)
    card.get_by_text("The conversation").click()
    expect(card.locator(".theirs blockquote").first).to_contain_text("I want 60.00 back for W-1010")
    assert known(driver, waits)["status"] == "open"


def test_an_answer_that_comes_while_the_card_is_open_stands_on_it_wherever_the_customer_wrote_it(
    opened: Opened, driver: Driver
) -> None:
    waits = large(driver, "WEB-29")
    assert waits.waiting
    request = waits.waiting["request_id"]
    desk = opened("order_manager")
    card = desk.read("WEB-29")
    body = {"text": "Did you order two desks?"}
    driver.client("order_manager").http.post(f"/ops/approvals/{request}/ask", json=body)
    desk.look()
    expect(card).to_contain_text("Did you order two desks? (no answer yet)")

    driver.ask(f"re {request}: two, for two rooms")
    desk.look()

    expect(card.locator("blockquote")).to_have_text("two, for two rooms")
    expect(desk.page.get_by_role("log")).to_contain_text("The customer has answered")
    assert known(driver, waits)["status"] == "open"


def test_requests_alike_are_approved_together_and_each_is_answered_by_itself(opened: Opened, driver: Driver) -> None:
    alike = [large(driver, f"WEB-4{number}") for number in range(3)]
    desk = opened("order_manager")

    for number in range(3):
        desk.line(f"WEB-4{number}").get_by_role("checkbox").check()
    panel = desk.page.locator(".card")
    expect(panel).to_contain_text("3 requests alike")
    driver.answer("order_manager", alike[1], "reject", "sold to somebody else")
    desk.press("Approve 3")
    sent(desk)

    expect(desk.outbox).to_contain_text("2 of 3 were taken.")
    assert [said(driver, each)[0][0] for each in alike] == ["approve", "reject", "approve"]
    results = desk.outbox.locator("li")
    expect(results).to_have_count(3)
    expect(results.nth(1)).to_contain_text("“sold to somebody else”")
    assert len(desk.bodies) == 2


def test_what_is_unlike_the_first_that_is_picked_can_not_be_picked(opened: Opened, driver: Driver) -> None:
    talk(driver, "grace_okafor", "I want to change my email address", "new.one@example.net", "yes")
    talk(driver, "kira_petrov", "freeze my account", "please unlock my account", "yes")
    desk = opened("security_analyst")

    desk.line("Change email").get_by_role("checkbox").check()

    expect(desk.line("Unlock account").get_by_role("checkbox")).to_be_disabled()
    desk.line("Change email").get_by_role("checkbox").uncheck()
    expect(desk.line("Unlock account").get_by_role("checkbox")).to_be_enabled()


def test_what_another_has_decided_says_so_on_the_open_card_by_whom_and_when(opened: Opened, driver: Driver) -> None:
    waits = large(driver, "WEB-7")
    desk = opened("order_manager")
    card = desk.read("WEB-7")
    driver.answer("order_manager", waits, "reject", "no such street")

    desk.look()

    expect(card.get_by_role("status")).to_contain_text("It is rejected; order-manager-1 (order manager) said no on")
    expect(card.get_by_role("status")).to_contain_text("“no such street”")
    expect(card.get_by_role("button", name="Approve", exact=True)).to_be_disabled()
    expect(desk.line("WEB-7")).to_contain_text("waits here no more")


def test_an_answer_to_a_card_that_was_changed_meanwhile_is_not_taken_and_the_new_card_is_shown(
    opened: Opened, driver: Driver
) -> None:
    waits = refund(driver, "W-1001", "120.00", "ada_park")
    desk = opened("billing_agent")
    card = desk.read("W-1001")
    desk.press("Approve")
    args = waits.waiting["action_requests"][0]["args"] if waits.waiting else {}
    edit = {"type": "edit", "edited_action": {"name": "refund_payment", "args": args | {"amount": "70.00"}}}
    driver.run("billing_agent", waits.thread, waits.graph, command={"resume": {"decisions": [edit]}})

    sent(desk)

    expect(desk.outbox).to_contain_text("Not taken. The request has changed since you saw it.")
    expect(card).to_contain_text("70.00 USD")
    assert [each for each, _ in said(driver, waits)] == ["edit"]


def test_of_two_who_answer_at_once_one_counts_and_the_other_hears_whose(
    opened: Opened, driver: Driver, server: LiveServer
) -> None:
    waits = large(driver, "WEB-8")
    colleague = add_token(server.tokens_file.with_name("tokens.sha256.json"), Caller("ina", "order_manager"))
    server.tokens["ina"] = colleague
    tabs = [opened("order_manager"), opened("ina")]
    for desk in tabs:
        desk.read("WEB-8")
        desk.press("Approve")

    for desk in tabs:
        sent(desk)

    for desk in tabs:
        expect(desk.outbox).to_contain_text(re.compile("Recorded|Not taken"))
    [decision] = known(driver, waits)["decisions"]
    texts = {"order-manager-1": tabs[0].outbox.inner_text(), "ina": tabs[1].outbox.inner_text()}
    assert "Recorded: approved." in texts.pop(decision["actor"])
    [other] = texts.values()
    assert f"Not taken. It is approved; {decision['actor']} (order manager) said yes on" in other


def test_z_takes_back_what_is_not_sent_and_what_was_typed_is_still_there(opened: Opened, driver: Driver) -> None:
    waits = large(driver, "WEB-9")
    desk = opened("order_manager")
    card = desk.read("WEB-9")
    desk.keys("r")
    card.get_by_label("The reason").fill("too much")
    desk.press("Reject")
    expect(desk.outbox).to_contain_text("Is sent in 5 s")
    desk.page.clock.run_for(2_000)
    expect(desk.outbox).to_contain_text("Is sent in 3 s")

    desk.keys("z")
    expect(desk.outbox).to_be_empty()
    desk.page.clock.run_for(UNDO_MILLISECONDS)
    desk.keys("r")

    expect(card.get_by_label("The reason")).to_have_value("too much")
    assert (said(driver, waits), desk.bodies) == ([], [])


def test_what_is_not_sent_when_the_page_is_left_is_dropped_and_the_page_says_so(opened: Opened, driver: Driver) -> None:
    waits = large(driver, "WEB-10")
    desk = opened("order_manager")
    desk.read("WEB-10")
    asked: list[str] = []

    def leave(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    desk.page.on("dialog", leave)
    desk.press("Approve")

    desk.page.reload()

    assert asked == ["beforeunload"]
    expect(desk.outbox).to_contain_text("Not sent: the page was left before its five seconds were over.")
    assert (said(driver, waits), desk.bodies) == ([], [])


def test_signing_out_drops_what_is_not_sent_and_forgets_the_token(opened: Opened, driver: Driver) -> None:
    waits = large(driver, "WEB-11")
    desk = opened("order_manager")
    desk.read("WEB-11")
    desk.press("Approve")

    desk.press("Sign out")

    expect(desk.page.get_by_role("dialog")).to_contain_text("What was not sent yet (1) has been dropped.")
    desk.page.clock.run_for(UNDO_MILLISECONDS)
    assert (said(driver, waits), desk.bodies) == ([], [])
    assert "desk.token" not in desk.page.evaluate("JSON.stringify(sessionStorage)")


def test_a_request_is_read_and_answered_by_keys_alone(opened: Opened, driver: Driver) -> None:
    first, second = large(driver, "WEB-12"), large(driver, "WEB-13")
    desk = opened("order_manager")
    heading = desk.page.locator(".card h2")

    desk.keys("?")
    expect(desk.page.get_by_role("dialog")).to_contain_text("reject, with a reason")
    desk.keys("Escape", "j")  # at once
    expect(desk.line("WEB-12").locator("a")).to_be_focused()
    expect(heading).to_be_visible()
    desk.keys("j")
    expect(desk.line("WEB-13").locator("a")).to_be_focused()
    desk.keys("k")
    expect(desk.page.locator(".card")).to_contain_text("WEB-12")
    desk.keys("a")
    expect(desk.page.locator(".card")).to_contain_text("WEB-13")  # on to the next
    desk.keys("r")
    desk.page.keyboard.type("arrives too late, says z")
    desk.keys("Control+Enter")
    sent(desk)
    expect(desk.outbox).to_contain_text("Recorded: approved.")
    expect(desk.outbox).to_contain_text("Recorded: rejected.")

    assert said(driver, first) == [("approve", "")]
    assert said(driver, second) == [("reject", "arrives too late, says z")]


def test_new_requests_are_counted_and_nothing_on_the_screen_moves(opened: Opened, driver: Driver) -> None:
    second = large(driver, "WEB-14")
    desk = opened("order_manager")
    card = desk.read("WEB-14")
    before = desk.line("WEB-14").bounding_box(), card.bounding_box()
    urgent = refund_like(driver, second)

    desk.look()

    expect(desk.page.get_by_role("log")).to_contain_text("new")
    expect(desk.page.get_by_role("button", name="1 new: show")).to_be_visible()
    assert (desk.line("WEB-14").bounding_box(), card.bounding_box()) == before
    desk.keys("n")
    expect(desk.line(urgent)).to_be_visible()


def refund_like(driver: Driver, later: Run) -> str:
    """A request that is due before `later`: the same, moved to the front by the service account's note."""
    before = large(driver, "WEB-15")
    driver.client("service").threads.update(before.thread, metadata={"due": "2020-01-01T00:00:00+00:00"})
    return "WEB-15"


def test_a_tab_that_nobody_sees_asks_for_nothing_and_looks_at_once_when_it_is_seen_again(
    opened: Opened, driver: Driver
) -> None:
    desk = opened("order_manager")
    expect(desk.page.locator("main h1")).to_have_text("Nothing waits for order manager")
    desk.page.wait_for_load_state("networkidle")
    desk.hide(hidden=True)
    before = len(desk.asked)

    large(driver, "WEB-18")
    desk.page.clock.run_for(600_000)
    assert desk.asked[before:] == []
    desk.hide(hidden=False)

    expect(desk.line("WEB-18")).to_be_visible()


@pytest.mark.parametrize("token", ["of-nobody", "пароль", "two words"])
def test_a_token_that_nobody_has_opens_nothing(opened: Opened, server: LiveServer, token: str) -> None:
    desk = opened("order_manager")
    desk.press("Sign out")
    dialog = desk.page.get_by_role("dialog")

    desk.sign_in(token)

    expect(dialog.get_by_role("alert")).to_contain_text("Not taken: ")
    desk.keys("Escape", "Escape")
    expect(dialog).to_be_visible()
    expect(desk.page.locator("main")).to_be_empty()


def test_a_token_that_is_revoked_is_asked_for_again_and_what_was_typed_is_kept(
    opened: Opened, driver: Driver, server: LiveServer
) -> None:
    waits = large(driver, "WEB-16")
    desk = opened("order_manager")
    card = desk.read("WEB-16")
    desk.keys("r")
    card.get_by_label("The reason").fill("the third of these today")
    digests = server.tokens_file.with_name("tokens.sha256.json")
    kept = digests.read_text()
    assert revoke_tokens(digests, "order-manager-1") == 1

    desk.press("Reject")
    sent(desk)
    expect(desk.page.get_by_role("dialog")).to_contain_text("does not take your token any more")
    assert said(driver, waits) == []
    digests.write_text(kept)
    desk.sign_in(server.tokens["order_manager"])
    expect(desk.page.get_by_role("dialog")).to_have_count(0)
    expect(desk.outbox).to_contain_text("Not sent: sign in again, then send it again.")
    desk.press("Send again")

    expect(desk.outbox).to_contain_text("Recorded: rejected.")
    assert said(driver, waits) == [("reject", "the third of these today")]


def test_a_ticket_is_taken_answered_and_closed(opened: Opened, driver: Driver) -> None:
    asked = driver.ask("I want to talk to a human")
    desk = opened("general_agent", "tickets")
    desk.page.locator(".row a").first.click()
    card = desk.page.locator(".card")

    expect(card.locator(".theirs")).to_contain_text("I want to talk to a human")
    desk.press("Take")
    expect(card.get_by_role("status")).to_contain_text("You have it")
    desk.press("Answer …")
    card.get_by_label("What the customer hears").fill("A new one is on its way.")
    desk.press("Send to the customer")
    sent(desk)
    expect(desk.outbox).to_contain_text("Sent; the customer hears it")
    desk.keys("c")
    card.get_by_label("How it ended").fill("sent again")
    desk.press("Close the ticket")
    sent(desk)
    expect(card.get_by_role("status")).to_contain_text("Closed by general-agent-1.")
    desk.page.get_by_label("Which tickets").select_option("Closed")
    expect(desk.page.get_by_role("heading", level=1)).to_have_text("1 closed ticket")
    expect(desk.page.locator(".row")).to_contain_text("closed ")
    desk.page.get_by_label("Which tickets").select_option("Not closed")
    expect(desk.page.get_by_role("heading", level=1)).to_have_text("No ticket waits")

    [ticket] = driver.client("general_agent").http.get("/ops/tickets?status=closed")["tickets"]
    assert ticket["thread_id"] == asked.thread
    kinds = [
        each["kind"] for each in driver.client("general_agent").http.get(f"/ops/tickets/{ticket['id']}")["messages"]
    ]
    assert kinds == ["answer", "note"]


def test_who_answers_nothing_reads_all_that_waits(opened: Opened, driver: Driver) -> None:
    large(driver, "WEB-17")
    desk = opened("operator")
    card = desk.read("WEB-17")
    expect(card).to_contain_text("Its answer is for order manager.")
    expect(card.get_by_role("button", name="Approve")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [None, PHONE])
def test_the_pages_can_be_used_without_seeing_them(
    opened: Opened, driver: Driver, scheme: str, viewport: dict[str, int] | None
) -> None:
    waits = large(driver, f"AXE-{scheme}-{'phone' if viewport else 'desktop'}")
    driver.ask("let me talk to a person please")
    assert waits.waiting
    look: dict[str, Any] = {"color_scheme": scheme, "reduced_motion": "reduce"}
    desk = opened("order_manager", **look | ({"viewport": viewport} if viewport else {}))
    assert serious(desk.page) == []
    desk.read(str(waits.waiting["order_id"]))
    desk.press("Reject …")
    desk.page.get_by_label("The reason").fill("?")
    desk.press("Reject")
    assert serious(desk.page) == []
    wide = desk.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    small = "[...document.querySelectorAll('button, nav a')].filter(e => e.offsetHeight && e.offsetHeight < 44).length"
    assert (wide, desk.page.evaluate(small)) == (0, 0)
    desk.keys("z")
    desk.press("Sign out")
    assert serious(desk.page) == []
