"""The page of the living shop in a real browser: its buttons do what they say, and it outlives the server."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.services.needed import need

need("playwright", "axe_playwright_python")

from playwright.sync_api import Browser, Page, expect

from tests.support.browser import PHONE, serious
from tests.support.live_server import ROOT

START_MILLISECONDS = 60_000


@pytest.fixture(scope="module")
def opened() -> Iterator[dict[str, str]]:
    """Where a living shop is."""
    command = [sys.executable, "-m", "show", "--headless", "--json", "--rate", "1"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as show:
        assert show.stdout
        try:
            yield json.loads(show.stdout.readline())
        finally:
            show.terminate()
            assert show.wait(timeout=30) == 130


@pytest.fixture
def page(browser: Browser, opened: dict[str, str]) -> Iterator[Page]:
    """The page; at the end it has had no error and asked no other host."""
    faults: list[str] = []
    made = browser.new_page()
    made.on("pageerror", lambda error: faults.append(str(error)))
    made.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    own = opened["control"]
    made.on("request", lambda request: None if request.url.startswith(own) else faults.append(request.url))
    made.goto(own)
    yield made
    made.close()
    assert faults == []


def fact(page: Page, name: str) -> str:
    """What stands on the page under a name."""
    term = page.locator("dt", has_text=re.compile(f"^{name}$"))
    expect(term).to_be_visible()
    return str(term.locator("xpath=following-sibling::dd[1]").inner_text())


def test_buttons_take_away_and_give_back_and_nothing_is_lost(page: Page, opened: dict[str, str]) -> None:
    page.get_by_role("button", name="Stop the card network").click()
    expect(page.locator("#alive")).to_contain_text("stopped")
    page.get_by_role("button", name="Start the card network").click()
    page.get_by_role("button", name="Slow the carrier").click()
    expect(page.locator("#alive")).to_contain_text("slow")
    page.get_by_role("button", name="Quicken the carrier").click()

    page.get_by_role("button", name="Kill the server").click()
    expect(page.locator("#alive")).to_contain_text("starting again")
    expect(page.get_by_role("button", name="Kill the server")).to_be_disabled()
    expect(page.locator("#alive")).not_to_contain_text("starting again", timeout=START_MILLISECONDS)

    assert fact(page, "kills") == "1"
    assert (fact(page, "lost"), fact(page, "charged twice")) == ("0", "0")
    expect(page.get_by_role("link", name="Open the desk")).to_have_attribute("href", opened["desk"])
    expect(page.locator("#tokens dt", has_text="order manager")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_can_be_used_without_seeing_it(browser: Browser, opened: dict[str, str], scheme: str) -> None:
    page = browser.new_page(color_scheme=scheme, viewport=PHONE)
    page.goto(opened["control"])
    expect(page.locator("#counts dt").first).to_be_visible()
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    page.close()
