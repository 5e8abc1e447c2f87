"""A customer is exported and forgotten while the server runs: what is personal is nowhere any more, the books hold."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from agent.client.connection import ExitCode
from agent.commerce.policy import money
from tests.integration_tests.test_the_command_line import Shell
from tests.support.chains import BILLING, OF_LARGE
from tests.support.driver import Driver, an_order
from tests.support.goods import W1009, goods_dir, order_number
from tests.support.live_server import LiveServer

WHO = "ella_novak"
ORDER = order_number(9001)
PERSONAL = (
    "Novak", "ella.novak@example.com", "88 Lakeview Drive", "Madison", "53703", "gift_ella", "my aunt Berta",
    "to her sister", "of the blue one", "said on the phone",
)  # fmt: skip
"""What of the customer is anywhere on the server before."""


pytestmark = [pytest.mark.thorough, pytest.mark.timeout(240)]
"""A server starts three times, and each `desk` is a process."""


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    """Clients of a server of its own, where nobody else goes to whom is forgotten."""
    server = LiveServer(tmp_path_factory.mktemp("privacy"), RECONCILE_CRON="", SHOP_DIR=goods_dir())
    try:
        server.start()
        with Driver(server) as clients:
            yield clients
    finally:
        server.stop()


@pytest.fixture(scope="module")
def desk(driver: Driver) -> Shell:
    """`desk` on the server's machine."""
    shell = Shell(driver.server)
    shell._env["DATA_DIR"] = str(driver.server.folder / "data")
    return shell


@pytest.fixture(scope="module")
def lived(driver: Driver, desk: Shell) -> str:
    """A customer with an order that people approved, a refund that they approved, and a ticket; the last is open."""
    asked = driver.order(an_order(ORDER, {"SOFA-WOOL": 1}, customer=WHO, method="ella_card"))
    assert driver.answer(OF_LARGE[0], asked, "approve", "for my aunt Berta").stage == "completed"
    done(driver.http("warehouse", "POST", f"/ops/orders/{quote(ORDER, safe='')}/deliver"))
    chat = driver.ask(f"I want 60.00 back for {ORDER}, one broke on the way to her sister", customer=WHO)
    assert f"Refund {money(60_00)}" in chat.said
    waits = driver.ask("yes", customer=WHO, thread=chat.thread)
    assert waits.waiting
    asking = f"/ops/approvals/{waits.waiting['request_id']}/ask"
    done(driver.http(BILLING[0], "POST", asking, {"text": "a picture of the blue one?"}))
    waits = driver.answer(BILLING[0], waits, "approve", "as Novak said on the phone")
    driver.answer(BILLING[1], waits, "approve")
    driver.reconcile()
    person = driver.ask("I want to talk to a person about my aunt Berta", customer=WHO)
    return person.thread


NOT_OURS = ("sandbox.db", "sandbox.db-wal", ".langgraph_checkpoint.2.pckl", ".langgraph_checkpoint.3.pckl")
"""The carrier's books; and where `langgraph dev` leaves the states of threads that it has deleted (findings)."""


def found(driver: Driver) -> set[str]:
    """What personal is in any other file of the server's."""
    kept: set[str] = set()
    for file in driver.server.folder.rglob("*"):
        if file.is_file() and file.name not in NOT_OURS:
            content = file.read_bytes()
            kept |= {f"{file.name}: {word}" for word in PERSONAL if word.encode() in content}
    return kept


def end_what_is_open(driver: Driver) -> None:
    """The customer's order of before is cancelled, and the ticket closed."""
    done(driver.http("channel", "POST", f"/ops/orders/{W1009}/cancel", {"reason": "no longer needed"}))
    [ticket] = driver.client("general_agent").http.get("/ops/tickets")["tickets"]
    done(driver.http("general_agent", "POST", f"/ops/tickets/{ticket['id']}/take"))
    done(driver.http("general_agent", "POST", f"/ops/tickets/{ticket['id']}/close", {"note": "told my aunt Berta"}))
    driver.reconcile()


def done(answer: httpx.Response) -> None:
    assert answer.status_code == 200, answer.text


def test_all_that_is_kept_is_exported_to_who_asks_alone(
    driver: Driver, desk: Shell, lived: str, tmp_path: Path
) -> None:
    file = tmp_path / "ella.json"

    assert desk("customers", "export", WHO, str(file)).code == 0

    told: dict[str, Any] = json.loads(file.read_text())
    assert file.stat().st_mode & 0o777 == 0o600
    assert told["customer"][0]["email"] == "ella.novak@example.com"
    assert {each["id"] for each in told["orders"]} >= {ORDER}
    assert lived in {each["thread_id"] for each in told["conversations"]}
    assert all(word in file.read_text() for word in PERSONAL if word != "gift_ella")
    assert "tok_" not in file.read_text()
    again = desk("customers", "export", WHO, str(file))
    assert (again.code, "--force" in again.err) == (ExitCode.USAGE, True)


def test_one_is_not_forgotten_while_something_is_open(desk: Shell, lived: str) -> None:
    refused = desk("customers", "forget", WHO, "--yes", "--json")
    [told] = refused.documents
    assert refused.code == ExitCode.REFUSED
    assert any(each["what"].startswith("ticket tic-") for each in told["first"])
    assert desk("customers", "forget", "nobody", "--yes").code == ExitCode.NOT_FOUND


def test_a_forgotten_customer_is_nowhere_and_the_books_and_the_trail_still_hold(
    driver: Driver, desk: Shell, lived: str, tmp_path: Path
) -> None:
    backup = tmp_path / "before.db"
    assert desk("db", "backup", str(backup)).code == 0
    end_what_is_open(driver)
    assert found(driver)
    money = [each["amount"] for each in driver.order_row(ORDER)["payments"]]

    forgotten = desk("customers", "forget", WHO, "--yes")

    assert forgotten.code == 0, forgotten.err
    assert "customer.forgotten" in forgotten.err
    driver.server.stop()
    driver.server.start()
    assert found(driver) == set()
    assert desk("audit", "verify").code == 0
    assert desk("db", "check").code == 0
    order = driver.order_row(ORDER)
    assert (order["ship_to"], [each["amount"] for each in order["payments"]]) == ({"country": "US"}, money)
    assert driver.ask("where is my order?", customer=WHO).said == "There is no such customer."
    refused = driver.order(an_order("W-9002", {"MUG-BLUE": 1}, customer=WHO, method="ella_card"))
    assert refused.rule == "ORDER-CUSTOMER"
    with pytest.raises(httpx.HTTPStatusError):
        driver.client("operator").threads.get(lived)

    assert desk("customers", "forget", WHO, "--yes", "--json").documents[0]["again"] is True
    driver.server.stop()
    back = desk("db", "restore", str(backup), "--force")
    assert f"desk customers forget {WHO}" in back.out
