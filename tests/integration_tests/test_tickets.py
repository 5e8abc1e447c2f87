"""A case for a person, over HTTP: from the message that nobody could read to the answer that is heard there."""

from collections.abc import Iterator

import pytest

from agent.client.connection import ExitCode
from tests.integration_tests.test_the_command_line import Shell
from tests.support.chains import BILLING, GENERAL
from tests.support.desk import Result
from tests.support.driver import Driver
from tests.support.goods import goods_dir
from tests.support.live_server import LiveServer, wait_for
from tests.support.openai_stub import OpenAIStub, fails

QUEUE = "/ops/tickets"


@pytest.fixture
def speechless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    """Clients of a server whose model fails: what the rules can't read is a case for a person."""
    with OpenAIStub([fails(500)]) as stub:
        server = LiveServer(
            tmp_path_factory.mktemp("tickets"),
            SHOP_DIR=goods_dir(),
            OPENAI_API_KEY="of-nobody",
            OPENAI_BASE_URL=stub.url,
            RECONCILE_CRON="",
        )
        try:
            server.start()
            with Driver(server) as driver:
                yield driver
        finally:
            server.stop()


def test_a_ticket_is_worked_on_by_its_role_and_its_customer_hears_the_answer(speechless: Driver) -> None:
    driver = speechless
    asked = driver.ask("it came, but you know how that is")
    general = driver.client(GENERAL[0]).http

    [ticket] = general.get(QUEUE)["tickets"]
    own = f"{QUEUE}/{ticket['id']}"
    assert f"case {ticket['id']}" in asked.said
    assert (ticket["customer_id"], ticket["thread_id"], ticket["status"]) == ("ada_park", asked.thread, "open")
    assert driver.http(BILLING[0], "GET", QUEUE).json()["tickets"] == []
    for role in (BILLING[0], "customer", "channel"):
        assert driver.http(role, "GET", own).status_code == 403
        assert driver.http(role, "POST", f"{own}/take").status_code == 403

    def desk(*arguments: str) -> Result:
        return Shell(driver.server)("tickets", *arguments, "--as", GENERAL[0], "--json")

    assert [each["id"] for each in desk("list").documents[0]] == [ticket["id"]]
    assert desk("take", ticket["id"]).documents[0]["status"] == "taken"
    assert desk("answer", ticket["id"], "A new one is on its way.").code == 0
    assert desk("close", ticket["id"], "--note", "sent again").documents[0]["status"] == "closed"
    assert desk("take", ticket["id"]).code == ExitCode.REFUSED
    driver.reconcile()

    def heard() -> bool:
        values = driver.client("channel").threads.get(asked.thread)["values"] or {}
        said = [message["content"] for message in values["messages"]]
        told = "\n".join(said)
        return "“A new one is on its way.”" in told and f"Case {ticket['id']} is closed." in told

    wait_for(heard, 20, lambda: f"no answer in {asked.thread}")
    assert "sent again" not in driver.http("channel", "GET", f"/threads/{asked.thread}/state").text
