"""The desk in a real browser, as somebody sits before it: what they press and type, and what they then read.

The browser is the system's Chromium; the page is the one that the live server serves.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.support.live_server import LiveServer

UNDO_MILLISECONDS: Final = 5_000
"""How long an answer can be undone before it is sent."""
PATIENCE_MILLISECONDS: Final = 15_000
"""Within which something must be on the page, on a busy machine."""
DESKTOP: Final = {"width": 1200, "height": 800}
PHONE: Final = {"width": 390, "height": 844}


def program() -> Path | None:
    """The system's Chromium, if it is installed."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    return Path(found) if found else None


@contextmanager
def chromium(executable: Path) -> Iterator[Browser]:
    """A browser. Without its sandbox, since it may be root who runs the tests; it sees nothing but our own page."""
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


class Desk:
    """One tab of somebody.

    `faults` are errors of the page, `asked` all its requests, `strangers` those to another host than the server, and
    `bodies` what was sent to start a run.
    """

    def __init__(self, browser: Browser, server: LiveServer, **context: Any) -> None:
        self.server = server
        self.faults: list[str] = []
        self.strangers: list[str] = []
        self.asked: list[str] = []
        self.bodies: list[str] = []
        self._context = browser.new_context(viewport=context.pop("viewport", DESKTOP), **context)
        self.page: Page = self._context.new_page()
        self.page.set_default_timeout(PATIENCE_MILLISECONDS)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", self._heard)
        self.page.on("request", self._asked)

    def _heard(self, message: Any) -> None:
        refusals = "Failed to load resource"  # the browser's own word for every status that is no success
        if message.type in ("error", "warning") and not message.text.startswith(refusals):
            self.faults.append(message.text)

    def _asked(self, request: Any) -> None:
        self.asked.append(request.url)
        if not request.url.startswith((f"{self.server.url}/", "data:")):
            self.strangers.append(request.url)
        if request.method == "POST" and request.url.endswith("/runs"):
            self.bodies.append(request.post_data or "")

    def close(self) -> None:
        """Close the tab."""
        self._context.close()

    def open(self, role: str, path: str = "approvals") -> "Desk":
        """Open a page of the desk, and sign in as this role."""
        self.page.goto(f"{self.server.url}/desk/#/{path}")
        self.sign_in(self.server.tokens[role])
        expect(self.page.locator("main h1")).not_to_contain_text("Looking")
        return self

    def sign_in(self, token: str) -> None:
        """Paste a token."""
        self.page.get_by_label("Your token").fill(token)
        self.page.get_by_role("button", name="Sign in").click()

    def line(self, about: str) -> Locator:
        """The line of the list that is about this order, request or customer."""
        return self.page.locator(".row", has_text=about)

    def read(self, about: str) -> Locator:
        """Open what a line is about; its card."""
        self.line(about).locator("a").click()
        card = self.page.locator(".card")
        expect(card).to_contain_text(about)
        return card

    def press(self, name: str) -> None:
        """Press a button, by its name."""
        self.page.get_by_role("button", name=name, exact=True).click()

    def keys(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    @property
    def outbox(self) -> Locator:
        """What was decided here: what is on its way, and what came of the rest."""
        return self.page.locator("#outbox")

    def hide(self, *, hidden: bool) -> None:
        """Put another tab before this one, or not."""
        self.page.evaluate(
            "hidden => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });"
            " document.dispatchEvent(new Event('visibilitychange')); }",
            hidden,
        )

    def look(self) -> None:
        """Have the page look now what waits, as when it is shown again."""
        self.page.evaluate("window.dispatchEvent(new Event('online'))")


def serious(page: Page) -> list[tuple[str, list[str]]]:
    """What axe-core finds that keeps somebody from using the page."""
    found = Axe().run(page).response["violations"]
    return [
        (each["id"], [node["html"] for node in each["nodes"]])
        for each in found
        if each["impact"] in ("serious", "critical")
    ]
