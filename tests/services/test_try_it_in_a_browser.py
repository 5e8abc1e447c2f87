"""Somebody tries the desk out in a real browser: they are the customer on the left, and staff on the right."""

from collections.abc import Iterator

import pytest

from tests.services.needed import need

need("playwright", "axe_playwright_python")

from playwright.sync_api import Browser, expect

from tests.support.browser import PHONE, Desk, serious
from tests.support.driver import Driver
from tests.support.live_server import LiveServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    made = LiveServer(tmp_path_factory.mktemp("try"), RECONCILE_CRON="")
    try:
        yield made.start()
    finally:
        made.stop()


@pytest.fixture
def desk(browser: Browser, server: LiveServer) -> Iterator[Desk]:
    """A tab of an order manager; at the end it has had no error and asked no other host."""
    tab = Desk(browser, server)
    yield tab.open("order_manager", "try")
    faults = tab.faults, tab.strangers
    tab.close()
    assert faults == ([], [])


def be_customer(desk: Desk, role: str = "customer") -> None:
    """Sign a customer in beside the staff."""
    desk.page.get_by_label("A customer's token").fill(desk.server.tokens[role])
    desk.press("Sign the customer in")


def say(desk: Desk, words: str) -> None:
    """Write to the desk as the customer."""
    desk.page.get_by_label("A message to the desk").fill(words)
    desk.press("Send")
    expect(desk.page.get_by_role("button", name="Send", exact=True)).to_be_enabled()


def order_like(desk: Desk, earlier: str, lines: str) -> str:
    """Place an order like an earlier one, but of something else; its number."""
    desk.page.get_by_text("Place an order", exact=True).click()
    desk.page.get_by_label("Like an earlier order").fill(earlier)
    desk.press("Fill in")
    number = desk.page.get_by_label("Number of the new order")
    expect(number).not_to_have_value("")
    desk.page.get_by_label("What: a SKU").fill(lines)
    desk.press("Place the order")
    return str(number.input_value())


def test_the_customer_s_side_and_the_staff_s_are_beside_each_other(desk: Desk, driver: Driver) -> None:
    be_customer(desk)
    conversation = desk.page.get_by_role("log", name="Conversation")
    say(desk, "Where is W-1002?")
    expect(conversation).to_contain_text("W-1002 (")

    number = order_like(desk, "W-1002", "DESK-OAK 2")
    waiting = desk.page.get_by_role("region", name="What waits for staff about it")
    expect(waiting.locator(".row", has_text=number)).to_contain_text("order manager")
    expect(waiting).to_contain_text("Awaiting approval")
    assert driver.order_row(number)["customer_id"] == "ada_park"

    waiting.locator(".row a", has_text=number).click()
    expect(desk.page.locator(".card")).to_contain_text("2 × Writing desk (DESK-OAK)")


def test_what_the_server_refuses_is_explained_and_nothing_is_lost(desk: Desk) -> None:
    be_customer(desk)
    desk.page.get_by_text("Place an order", exact=True).click()
    desk.page.get_by_label("Like an earlier order").fill("W-1004")  # somebody else's
    desk.press("Fill in")
    form = desk.page.get_by_role("form", name="Order")
    expect(form.get_by_role("alert")).to_contain_text("Not taken: ")
    desk.page.get_by_label("Number of the new order").fill("W-7001")
    desk.page.get_by_label("What: a SKU").fill("LAMP-OAK none")
    desk.page.get_by_label("Payment method").fill("ada_card")
    desk.press("Place the order")
    expect(form.get_by_role("alert")).to_contain_text("quantity")
    expect(desk.page.get_by_label("What: a SKU")).to_have_value("LAMP-OAK none")


def test_a_token_that_is_no_customer_s_is_not_kept(desk: Desk) -> None:
    be_customer(desk, "operator")
    expect(desk.page.locator("main").get_by_role("alert")).to_contain_text("a customer's is needed")
    assert "desk.token.customer" not in desk.page.evaluate("JSON.stringify(sessionStorage)")


def test_who_signs_out_leaves_no_customer_s_token_behind(desk: Desk) -> None:
    be_customer(desk)
    expect(desk.page.get_by_role("heading", name="Customer ada_park")).to_be_visible()
    desk.page.reload()
    expect(desk.page.get_by_role("heading", name="Customer ada_park")).to_be_visible()

    desk.page.get_by_role("link", name="Tickets").click()
    desk.press("Sign out")

    assert desk.page.evaluate("Object.keys(sessionStorage)") == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [None, PHONE])
def test_the_page_can_be_used_without_seeing_it(
    browser: Browser, server: LiveServer, scheme: str, viewport: dict[str, int] | None
) -> None:
    look = {"color_scheme": scheme, "reduced_motion": "reduce"} | ({"viewport": viewport} if viewport else {})
    desk = Desk(browser, server, **look).open("general_agent", "try")
    assert serious(desk.page) == []
    be_customer(desk)
    say(desk, "let me talk to a person please")
    expect(desk.page.locator(".row", has_text="Ticket: ").first).to_be_visible()
    desk.page.get_by_text("Place an order", exact=True).click()
    assert serious(desk.page) == []
    wide = desk.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide == 0
    desk.close()


@pytest.fixture(scope="module")
def driver(server: LiveServer) -> Iterator[Driver]:
    with Driver(server) as clients:
        yield clients
