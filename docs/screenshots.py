"""Draws the desk in a browser into docs/images: a live server, people who wait for an answer, Chromium.

`make screenshots`. What is shown is what the page shows; only the shop is made up.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from playwright.sync_api import Browser

from tests.support.browser import PHONE, Desk, chromium, program
from tests.support.driver import Driver, an_order
from tests.support.live_server import LiveServer

IMAGES: Final = Path(__file__).parent / "images"
ORDERS: Final = {"W-3001": {"DESK-WALNUT": 2}, "W-3002": {"SOFA-WOOL": 1}, "W-3003": {"DESK-OAK": 2, "LAMP-OAK": 1}}
REFUNDS: Final = {
    "hugo_lindqvist": "I want 80.00 back for W-1013, it arrived broken",
    "finn_walsh": "please refund 60.00 of W-1010, the box was open and two pieces are missing",
}


def main() -> None:
    """Draw all of them anew."""
    IMAGES.mkdir(exist_ok=True)
    executable = program()
    if executable is None:
        sys.exit("Chromium is not installed: run `make services`")
    with TemporaryDirectory() as folder, chromium(executable) as browser:
        server = LiveServer(Path(folder), RECONCILE_CRON="")
        try:
            _fill(server.start())
            _draw(browser, server)
            _draw_operations(browser, server)
        finally:
            server.stop()


def _fill(server: LiveServer) -> None:
    with Driver(server) as driver:
        for order_id, lines in ORDERS.items():
            driver.order(an_order(order_id, lines))
        for customer, said in REFUNDS.items():
            plan = driver.ask(said, customer=customer)
            driver.ask("yes", customer=customer, thread=plan.thread)
        driver.ask("let me speak to a person about the lamp, it flickers", customer="ada_park")


def _draw(browser: Browser, server: LiveServer) -> None:
    desk = Desk(browser, server).open("billing_agent")
    desk.read("W-1013")
    desk.press("Edit …")
    desk.page.get_by_label("The amount").fill("60.00")
    desk.page.screenshot(path=IMAGES / "approvals.png")
    desk.close()
    desk = Desk(browser, server, viewport=PHONE, color_scheme="dark", reduced_motion="reduce").open("order_manager")
    desk.read("W-3001")
    desk.press("Approve")
    desk.outbox.get_by_role("button", name="Undo").wait_for()
    desk.page.screenshot(path=IMAGES / "approvals-phone.png")
    desk.keys("z")
    desk.close()


def _draw_operations(browser: Browser, server: LiveServer) -> None:
    """The shop of before, whose card network is cut off while orders go on coming."""
    with Driver(server) as driver:
        for number in range(12):
            driver.completed(an_order(f"W-31{number:02}", {("MUG-BLUE", "CLOCK-OAK", "LAMP-OAK")[number % 3]: 1}))
        driver.http("operator", "POST", "/ops/breakers/payment/force-open")
        for number in range(3):
            driver.order(an_order(f"W-32{number:02}", {"MUG-BLUE": 1}))
    for name, how in ("operations", {}), ("operations-phone", {"viewport": PHONE, "color_scheme": "dark"}):
        desk = Desk(browser, server, **how).open("operator", "operations")
        desk.page.screenshot(path=IMAGES / f"{name}.png", full_page=not how)
        desk.close()


if __name__ == "__main__":
    main()
