"""An operator looks at the shop in a real browser: what is wrong comes first, each number leads to its orders."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.services.needed import need

need("playwright", "axe_playwright_python")

from playwright.sync_api import Browser, expect

from tests.support.browser import PHONE, UNDO_MILLISECONDS, Desk, Opened, serious, tabs
from tests.support.driver import Driver, an_order
from tests.support.live_server import LiveServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with LiveServer(tmp_path_factory.mktemp("operations"), RECONCILE_CRON="") as running:
        yield running


@pytest.fixture(scope="module")
def driver(server: LiveServer) -> Iterator[Driver]:
    with Driver(server) as clients:
        yield clients


@pytest.fixture
def opened(browser: Browser, server: LiveServer) -> Iterator[Opened]:
    with tabs(browser, server) as open_:
        yield open_


def test_a_number_leads_to_its_orders_and_an_order_to_its_story(opened: Opened, driver: Driver) -> None:
    driver.completed(an_order("OPS-1", {"MUG-BLUE": 1}))
    waits = driver.order(an_order("OPS-2", {"DESK-OAK": 2}))
    desk = opened("operator", "operations")
    expect(desk.page.get_by_role("heading", level=1)).to_have_text("Nothing is wrong")
    for stage, count in (("Awaiting approval", "1"), ("Completed", "1"), ("Parked", "0")):
        expect(desk.page.locator(".stages a", has_text=stage).locator(".big")).to_have_text(count)
    expect(desk.page.get_by_role("img", name="Orders that ended: now")).to_be_visible()

    desk.page.locator(".stages a", has_text="Awaiting approval").click()
    expect(desk.page.get_by_role("heading", level=1)).to_have_text("Orders, awaiting approval: 1 line")
    expect(desk.line("OPS-2")).to_contain_text("1,098.00 USD of ada_park")
    desk.line("OPS-2").locator("a").first.click()

    expect(desk.page.get_by_role("heading", level=1)).to_have_text("Order OPS-2")
    story = desk.page.locator(".story")
    expect(story).to_contain_text("placed by channel-1 for ada_park")
    expect(story).to_contain_text("order_manager")
    expect(story.get_by_role("link", name=waits.thread)).to_be_visible()
    expect(story).to_contain_text("interrupted")
    desk.keys("o")
    expect(desk.page.get_by_role("heading", level=1)).to_have_text("Nothing is wrong")
    desk.page.get_by_role("region", name="Who is waited for").get_by_role("link", name="1").click()
    expect(desk.line("OPS-2").get_by_role("link", name="its request")).to_be_visible()
    driver.answer("order_manager", waits, "reject", "the test is over")


def test_a_breaker_is_forced_open_after_five_seconds_and_is_wrong_until_it_is_reset(
    opened: Opened, driver: Driver
) -> None:
    desk = opened("operator", "operations")
    desk.page.clock.install()
    heading = desk.page.get_by_role("heading", level=1)
    top = desk.page.locator(".stages").bounding_box()

    desk.press("Force open carrier")
    assert "forced_open" not in str(driver.client("operator").http.get("/ops/breakers"))
    desk.page.clock.run_for(UNDO_MILLISECONDS)

    expect(desk.outbox).to_contain_text("It is open until somebody resets it.")
    expect(heading).to_have_text("1 thing is wrong")
    wrong = desk.page.get_by_role("region", name="What is wrong")
    expect(wrong).to_contain_text("carrier was opened by hand: nothing is sent for 0 min")
    expect(wrong).to_contain_text("desk ops breakers reset carrier")
    expect(wrong).to_contain_text("docs/operations.md, Events: breaker.moved")
    expect(desk.page.get_by_role("log")).to_contain_text("Wrong: carrier was opened by hand")
    expect(desk.page.get_by_role("region", name="Events", exact=True)).to_contain_text("breaker.operated")
    assert desk.page.locator(".stages").bounding_box() == top  # nothing jumps
    desk.press("Reset carrier")
    desk.page.clock.run_for(UNDO_MILLISECONDS)
    expect(heading).to_have_text("Nothing is wrong")


def test_what_had_the_focus_keeps_it_while_numbers_change(opened: Opened, driver: Driver) -> None:
    desk = opened("operator", "operations")
    link = desk.page.locator(".stages a", has_text="Completed")
    before = int(link.locator(".big").inner_text())
    link.focus()

    driver.completed(an_order("OPS-3", {"MUG-BLUE": 1}))
    desk.look()

    expect(link.locator(".big")).to_have_text(str(before + 1))
    expect(link).to_be_focused()


def test_an_order_is_found_by_keys_and_one_that_is_not_there_says_so(opened: Opened, driver: Driver) -> None:
    driver.completed(an_order("OPS-4", {"MUG-BLUE": 1}))
    desk = opened("operator", "operations")
    heading = desk.page.get_by_role("heading", level=1)
    desk.keys("f")
    desk.page.keyboard.type("OPS-4")
    desk.keys("Enter")
    expect(heading).to_have_text("Order OPS-4")
    expect(desk.page.locator(".story")).to_contain_text("completed")

    desk.page.get_by_label("Order or thread").fill("NO-SUCH")
    desk.keys("Enter")
    expect(heading).to_have_text("It can't be shown. The ledger knows no order NO-SUCH.")


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("operations/order/OPS%", "It can't be shown."),
        ("operations/list/debts/refunds", "It can't be shown. Debts of which? There are: refund, void, stop."),
        ("%", "Nothing waits"),
    ],
)
def test_an_address_that_was_cut_leaves_no_page_empty(opened: Opened, path: str, told: str) -> None:
    desk = opened("operator", path)
    expect(desk.page.get_by_role("heading", level=1)).to_contain_text(told)


def test_other_staff_is_told_whose_page_it_is_and_may_read_stories(opened: Opened, driver: Driver) -> None:
    driver.completed(an_order("OPS-5", {"MUG-BLUE": 1}))
    desk = opened("order_manager", "operations")
    heading = desk.page.get_by_role("heading", level=1)
    expect(heading).to_have_text("Not for your role. This is for operator or admin.")
    desk.page.get_by_label("Order or thread").fill("OPS-5")
    desk.press("Find")
    expect(heading).to_have_text("Order OPS-5")


def test_a_server_that_is_killed_is_told_and_the_page_recovers_with_what_the_ledger_knows(
    browser: Browser, server: LiveServer, driver: Driver
) -> None:
    driver.completed(an_order("OPS-6", {"MUG-BLUE": 1}))
    desk = Desk(browser, server).open("operator", "operations")
    completed = desk.page.locator(".stages a", has_text="Completed").locator(".big")
    before = completed.inner_text()
    server.kill()

    desk.look()
    connection = desk.page.locator("#connection")
    expect(connection).to_contain_text("the server does not answer; trying again. What you see is of")
    expect(completed).to_have_text(before)
    server.start()
    desk.look()

    expect(connection).to_be_empty()
    expect(completed).to_have_text(before)
    assert (desk.faults, desk.strangers) == ([], [])
    desk.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [None, PHONE])
def test_the_page_can_be_used_without_seeing_it(
    opened: Opened, driver: Driver, scheme: str, viewport: dict[str, int] | None
) -> None:
    order_id = f"OPS-{scheme}-{'phone' if viewport else 'desktop'}"
    waits = driver.order(an_order(order_id, {"DESK-OAK": 2}))
    driver.http("operator", "POST", "/ops/breakers/carrier/force-open")
    look: dict[str, Any] = {"color_scheme": scheme, "reduced_motion": "reduce"}
    desk = opened("operator", "operations", **look | ({"viewport": viewport} if viewport else {}))
    expect(desk.page.get_by_role("heading", level=1)).to_have_text("1 thing is wrong")
    small = (
        "[...document.querySelectorAll('button, nav a, .stages a')].filter(e => e.offsetHeight && e.offsetHeight < 44)"
    )
    for where in ("operations", "operations/list/orders/awaiting_approval", f"operations/order/{order_id}"):
        desk.page.goto(f"{desk.server.url}/desk/#/{where}")
        expect(desk.page.locator("main h1")).not_to_contain_text("Looking")
        assert serious(desk.page) == []
        wide = desk.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert (where, wide, desk.page.evaluate(f"{small}.length")) == (where, 0, 0)
    driver.http("operator", "POST", "/ops/breakers/carrier/reset")
    driver.answer("order_manager", waits, "reject", "the test is over")
