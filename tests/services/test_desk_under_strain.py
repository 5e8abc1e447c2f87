"""The desk in a browser while its server is killed and comes back, and while very many requests wait."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest

from tests.services.needed import need

need("playwright")

from playwright.sync_api import Browser, expect

from tests.support.browser import Desk
from tests.support.driver import Driver, Run, an_order
from tests.support.live_server import LiveServer
from tests.support.waiting_threads import multiply

pytestmark = pytest.mark.timeout(300)  # each starts a server twice

FIRST_LOOK = {
    "metadata": {"awaiting": "order_manager"}, "status": "interrupted", "sort_by": "created_at", "sort_order": "asc",
    "limit": 50, "select": ["thread_id", "metadata", "created_at", "updated_at", "interrupts"],
}  # fmt: skip
"""What the page asks for first."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    with LiveServer(tmp_path, RECONCILE_CRON="") as running:
        yield running


def waiting(server: LiveServer, *order_ids: str) -> list[Run]:
    """Orders that wait for one person."""
    with Driver(server) as driver:
        return [driver.order(an_order(order_id, {"DESK-OAK": 2})) for order_id in order_ids]


def decisions(server: LiveServer, waits: Run) -> list[str]:
    """What people have said to a request."""
    assert waits.waiting
    with Driver(server) as driver:
        known = driver.http("operator", "GET", f"/ops/approvals/{waits.waiting['request_id']}").json()
    return [each["decision"] for each in known["decisions"]]


def test_a_server_that_is_killed_and_comes_back_gets_the_answer_once(browser: Browser, server: LiveServer) -> None:
    [waits] = waiting(server, "KILL-1")
    server.stop()  # in good order once, so that the thread is on the disk
    server.start()
    desk = Desk(browser, server).open("order_manager")
    card = desk.read("KILL-1")
    desk.page.clock.install()
    server.kill()

    desk.look()
    connection = desk.page.locator("#connection")
    expect(connection).to_contain_text("the server does not answer; trying again. What you see is of")
    expect(card).to_contain_text("1,098.00 USD")
    desk.press("Approve")
    desk.page.clock.run_for(5_000)
    expect(desk.outbox).to_contain_text("Nobody knows whether this was taken")
    server.start()
    desk.look()
    expect(connection).to_be_empty()
    desk.press("Send again")

    expect(desk.outbox).to_contain_text("Recorded: approved.", timeout=30_000)
    assert decisions(server, waits) == ["approve"]
    assert (desk.faults, desk.strangers) == ([], [])
    desk.close()


def test_an_answer_that_was_on_its_way_when_the_server_was_killed_is_found_in_the_ledger(
    browser: Browser, server: LiveServer
) -> None:
    [waits] = waiting(server, "KILL-2")
    server.stop()
    server.start()
    desk = Desk(browser, server).open("order_manager")
    desk.read("KILL-2")
    desk.page.clock.install()
    desk.page.route("**/join", lambda route: route.abort())  # the connection breaks once the answer is there
    desk.press("Approve")
    desk.page.clock.run_for(5_000)

    expect(desk.outbox).to_contain_text("Recorded: approved.", timeout=30_000)
    assert decisions(server, waits) == ["approve"]
    assert len(desk.bodies) == 1
    desk.close()


def many(server: LiveServer, count: int) -> Run:
    """`count` requests that wait, of which the first one is real."""
    [waits] = waiting(server, "REAL-1")
    server.stop()
    multiply(server.folder, count - 1)
    server.start()
    return waits


def test_hundreds_that_wait_are_listed_page_by_page_and_none_is_left_out(browser: Browser, server: LiveServer) -> None:
    waits = many(server, 320)
    desk = Desk(browser, server).open("order_manager")
    lines = desk.page.locator(".row")

    expect(desk.page.get_by_role("heading", level=1)).to_have_text("320 requests for order manager")
    expect(lines).to_have_count(100)
    expect(lines.first).to_contain_text("REAL-1")
    expect(lines.nth(99).locator(".amount")).to_have_text("1,098.00 USD")
    for shown, left in ((200, 120), (300, 20)):
        desk.page.get_by_role("button", name="Show more").click()
        expect(lines).to_have_count(shown)
        expect(desk.page.get_by_role("button", name=f"Show more ({left} are left)")).to_be_visible()
        expect(lines.nth(shown - 100).locator("a")).to_be_focused()
    desk.page.get_by_role("button", name="Show more").click()
    expect(lines).to_have_count(320)
    expect(lines.last).to_contain_text("MANY-00319")
    desk.page.clock.install()
    desk.read("REAL-1")
    desk.press("Approve")
    desk.page.clock.run_for(5_000)
    expect(desk.outbox).to_contain_text("Recorded: approved.")
    assert decisions(server, waits) == ["approve"]
    assert (desk.faults, desk.strangers) == ([], [])
    desk.close()


SEEN: Final = """
new MutationObserver((_, observer) => {
  if (document.querySelectorAll(".row").length < 50) return;
  observer.disconnect();
  const asked = performance.getEntriesByType("resource").filter((each) => each.name.endsWith("/threads/search"));
  requestAnimationFrame(() => { window.seen = performance.now() - Math.min(...asked.map((each) => each.startTime)); });
}).observe(document, { childList: true, subtree: true });
"""
"""Milliseconds from the first search to the frame that shows what it found."""


def first_look(server: LiveServer) -> float:
    """Seconds that the server takes for the first page's search."""
    began = time.monotonic()
    headers = {"x-api-key": server.tokens["order_manager"]}
    answer = httpx.post(f"{server.url}/threads/search", json=FIRST_LOOK, headers=headers, timeout=60, trust_env=False)
    answer.raise_for_status()
    return time.monotonic() - began


@pytest.mark.thorough
def test_the_first_page_of_10_000_is_there_as_soon_as_the_server_has_it(browser: Browser, server: LiveServer) -> None:
    many(server, 10_000)
    desk = Desk(browser, server)
    desk.page.add_init_script(f"sessionStorage.setItem('desk.token', {json.dumps(server.tokens['order_manager'])})")
    desk.page.add_init_script(SEEN)

    bare, painted = [], []
    for _ in range(2):
        bare.append(first_look(server))
        desk.page.goto(f"{server.url}/desk/icon.svg")
        desk.page.goto(f"{server.url}/desk/#/approvals")
        desk.page.locator(".row").nth(49).wait_for()
        painted.append(desk.page.evaluate("window.seen") / 1000)

    print(  # noqa: T201
        f"first page of 10,000: bare search {min(bare):.3f} s, painted {min(painted):.3f} s after it was asked for"
    )
    assert min(painted) < min(bare) * 1.3 + 0.05  # three frames
    heading = desk.page.get_by_role("heading", level=1)
    expect(heading).to_have_text("10,000 requests for order manager", timeout=60_000)
    expect(desk.page.locator(".row")).to_have_count(100)
    assert (desk.faults, desk.strangers) == ([], [])
    desk.close()
