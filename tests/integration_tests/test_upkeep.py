"""What the cron does while nobody looks. It fires once a minute, so this is best run after everything else."""

import json
import time
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from langgraph_sdk.errors import NotFoundError
from standardwebhooks import Webhook

from agent.approvals.models import ApprovalView
from agent.escalation import LAST_RESORT
from agent.platform import order_thread
from tests.integration_tests.conftest import LOST_ORDER
from tests.support.books import CardNetwork, Ledger, check_money
from tests.support.chains import GENERAL, OF_LARGE, expiry_seconds
from tests.support.driver import Driver, Run, an_order
from tests.support.goods import W1001, goods_dir, numbered
from tests.support.live_server import LiveServer, wait_for

SECRET = f"whsec_{b64encode(bytes(range(24))).decode()}"

SHORT_TIMES = str(120 / expiry_seconds("large_order"))
"""A large order's step expires after 2 minutes, and is due in a sixth of it at most: the cron fires in between."""


def test_the_cron_takes_on_an_order_that_was_lost_before_the_server_started(
    cron_fired: None, driver: Driver, network: CardNetwork
) -> None:
    assert list(network.captured(LOST_ORDER)) == [f"{LOST_ORDER}:pay:1"]
    thread = driver.client("channel").threads.get(order_thread(LOST_ORDER, "channel:channel-1"))
    assert thread["status"] == "idle", "whoever placed it sees it again"


def test_whatever_happened_on_this_server_its_ledger_and_the_card_network_tell_the_same(
    cron_fired: None, ledger: Ledger, network: CardNetwork
) -> None:
    check_money(ledger, network)


class StaffTool:
    """Somebody's endpoint for what happens to requests: the messages that it verified and took, in `taken`. What is
    sent to the address of a chat, in `chat`."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.chat: list[str] = []
        taken, chat = self.taken, self.chat

        class Hook(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.path == "/chat":
                    chat.append(json.loads(body)["message"])
                else:
                    taken.append(json.loads(body) if Webhook(SECRET).verify(body, dict(self.headers)) else {})
                self.send_response(204)
                self.end_headers()

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        self.address = f"json://127.0.0.1:{self._server.server_port}/chat"
        self._thread = Thread(target=self._server.serve_forever)
        self._thread.start()

    def told(self, request_id: str) -> list[str]:
        """What it heard of a request."""
        return [message["type"] for message in self.taken if message["data"]["request_id"] == request_id]

    def close(self) -> None:
        """Nobody listens any more."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture(scope="module")
def staff_tool() -> Iterator[StaffTool]:
    tool = StaffTool()
    yield tool
    tool.close()


@pytest.fixture(scope="module")
def hurried(tmp_path_factory: pytest.TempPathFactory, staff_tool: StaffTool) -> Iterator[Driver]:
    """A server on which people have little time, and on which staff hears of it."""
    made = LiveServer(
        tmp_path_factory.mktemp("hurried"),
        SHOP_DIR=goods_dir(),
        APPROVAL_TIME_SCALE=SHORT_TIMES,
        APPROVAL_WEBHOOK_URL=staff_tool.url,
        APPROVAL_WEBHOOK_SECRET=SECRET,
        STAFF_NOTIFY_URLS=json.dumps({OF_LARGE[0]: staff_tool.address}),
    )
    try:
        with Driver(made.start()) as clients:
            yield clients
    finally:
        made.stop()


def waits_for(driver: Driver, thread_id: str) -> ApprovalView | None:
    """What a thread waits for, as its approvers see it."""
    try:
        thread = driver.client(GENERAL[0]).threads.get(thread_id)
    except NotFoundError:
        return None
    interrupts = (thread.get("interrupts") or {}).values()  # one that was just made again has none yet
    return next((one["value"] for several in interrupts for one in several), None)


@pytest.mark.thorough
def test_the_cron_escalates_a_request_that_nobody_answers_and_whom_it_waits_for_is_told_and_can_be_looked_up(
    hurried: Driver, staff_tool: StaffTool
) -> None:
    asked, began = hurried.order(an_order("SLOW-1", {"SOFA-WOOL": 1})), time.monotonic()
    assert asked.waiting
    staff, request_id = hurried.client(OF_LARGE[0]), asked.waiting["request_id"]
    index = {"request_id": request_id, "awaiting": OF_LARGE[0], "request_type": "large_order", "order_id": "SLOW-1"}
    found = staff.threads.search(metadata=index)
    assert [thread["thread_id"] for thread in found] == [asked.thread]
    assert (found[0]["metadata"] or {})["owner"] == "channel:channel-1"

    def escalated() -> ApprovalView | None:
        view = waits_for(hurried, asked.thread)
        return view if view and LAST_RESORT in view["roles"] else None

    late = wait_for(escalated, 90 - (time.monotonic() - began), hurried.server.log_end)

    assert late is not None
    assert late["request_id"] == request_id
    assert staff.threads.search(metadata=index | {"escalated_to": LAST_RESORT})
    hurried.reconcile()  # which sends what there is to tell, without waiting for the next minute
    assert staff_tool.told(request_id)[0] == "approval.requested"
    assert "approval.escalated" in staff_tool.told(request_id)
    sentences = [sentence for sentence in staff_tool.chat if request_id in sentence]
    assert f"waits for {OF_LARGE[0]}, until " in sentences[0]
    assert f"{OF_LARGE[0]} or {LAST_RESORT} may answer it now" in sentences[-1]
    assert len(set(sentences)) == len(sentences)
    asked.waiting = late
    assert hurried.answer(LAST_RESORT, asked, "approve").stage == "completed"
    assert not staff.threads.search(metadata=index)


@pytest.mark.thorough
def test_a_conversation_that_a_kill_took_is_made_again_and_the_yes_to_it_is_paid_once(hurried: Driver) -> None:
    asked = hurried.ask(f"refund 20.00 of {W1001}")
    asked = hurried.ask("yes", thread=asked.thread)
    assert asked.waiting
    hurried.server.kill()
    hurried.server.start()

    def asked_again() -> ApprovalView | None:
        return waits_for(hurried, asked.thread)

    waiting = wait_for(asked_again, 40, hurried.server.log_end)

    assert waiting is not None
    assert waiting["request_id"] == asked.waiting["request_id"]
    assert hurried.client("channel").threads.get(asked.thread)["status"] == "interrupted", "its owner has it back"
    again = Run(asked.thread, asked.graph, waiting=waiting)
    assert "will be refunded" in hurried.answer(GENERAL[0], again, "approve").said
    ledger = Ledger(hurried.server.folder / "data" / "ledger.db")
    settled = numbered("SELECT amount FROM debts WHERE order_id = 'W-1001' AND settled")
    assert [row["amount"] for row in ledger.rows(settled)] == [20_00]


@pytest.mark.thorough
def test_health_says_when_the_reconciler_last_ran(hurried: Driver) -> None:
    hurried.reconcile()

    told = hurried.http("operator", "GET", "/ops/health").json()

    assert (told["status"], told["reconciler"]) == ("ok", "on time")
    assert told["reconciler_last_run"]
