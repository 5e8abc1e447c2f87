"""`desk` against the live server, as a shell runs it: its exit codes, its one line of error, its JSON."""

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from agent.shop import SHOP
from tests.support.books import CardNetwork
from tests.support.chains import BILLING, GENERAL, OF_LARGE, outsider
from tests.support.desk import Result
from tests.support.driver import Driver, an_order, together
from tests.support.goods import W1007, W1015
from tests.support.live_server import LiveServer, wait_for
from tests.support.threads import staff

DESK = Path(sys.executable).parent / "desk"


class Shell:
    """A shell in which `desk` finds the server and the tokens."""

    def __init__(self, server: LiveServer) -> None:
        self._env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("DESK_")},
            "DESK_URL": server.url,
            "TOKENS_FILE": str(server.tokens_file),
        }

    def __call__(self, *arguments: str, stdin: str = "") -> Result:
        """Run `desk` with these arguments."""
        done = subprocess.run(
            [DESK, *arguments], input=stdin, capture_output=True, text=True, env=self._env, timeout=60, check=False
        )
        return Result(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def desk(server: LiveServer) -> Shell:
    """`desk`, ready to run."""
    return Shell(server)


def test_a_refund_goes_from_a_message_to_an_edited_approval(desk: Shell, network: CardNetwork) -> None:
    [planned] = desk(
        "ask", f"I want 60.00 back for {W1007}, one plate broke", "--customer", "dev_shah", "--json"
    ).documents
    assert f"Refund {SHOP.money(60_00)} of order {W1007}" in planned["messages"][0]
    agreed = desk("ask", "yes", "--thread", planned["thread_id"])
    assert (agreed.code, f"waits for approval by {BILLING[0]}" in agreed.out) == (0, True)

    [listed] = desk("approvals", "list", "--as", BILLING[0], "--role", BILLING[0], "--json").documents
    [request_id] = [view["request_id"] for view in listed if view["order_id"] == W1007]
    [shown] = desk("approvals", "show", request_id, "--as", BILLING[0], "--json").documents
    assert (shown["subject"], shown["action_requests"][0]["args"]["amount"]) == ("dev_shah", SHOP.amount(60_00))

    [edited] = desk("approvals", "edit", request_id, "--set", "amount=55.00", "--as", BILLING[0], "--json").documents
    assert edited["waiting"]["roles"] == [BILLING[1]]
    [done] = desk("approvals", "approve", request_id, "--as", BILLING[1], "--json").documents
    assert f"{SHOP.money(55_00)} of order {W1007} will be refunded" in done["message"]
    assert list(network.refunded(W1007).values()) == [55_00]


def test_an_approver_asks_the_customer_and_reads_the_answer(desk: Shell, driver: Driver) -> None:
    asked = driver.ask(f"I want 15.00 back for {W1015}, one lamp flickers", customer="jonas_weber")
    waiting = driver.ask("yes", customer="jonas_weber", thread=asked.thread).waiting
    assert waiting
    request_id, agent = waiting["request_id"], ("--as", GENERAL[0])
    refused = desk("approvals", "ask", request_id, "Which lamp?", "--as", outsider("general"))
    assert (refused.code, "APPROVAL-ROLE" in refused.err) == (4, True)
    assert desk("approvals", "ask", request_id, "Which lamp?", *agent).code == 0

    def read() -> list[str]:
        values = driver.client("channel").threads.get(asked.thread)["values"]
        return [message["content"] for message in values["messages"]]  # type: ignore[index]

    desk("ops", "reconcile")
    wait_for(lambda: any("“Which lamp?”" in said for said in read()), 30, lambda: f"no question: {read()}")
    answered = driver.ask(f"re {request_id}: the left one, yes", customer="jonas_weber", thread=asked.thread)
    assert answered.waiting == waiting

    [shown] = desk("approvals", "show", request_id, *agent, "--json").documents
    assert [question["answer"] for question in shown["questions"]] == ["the left one, yes"]
    assert "the left one, yes" in desk("approvals", "show", request_id, *agent).out
    [approved] = desk("approvals", "approve", request_id, *agent, "--json").documents
    assert f"{SHOP.money(15_00)} of order {W1015} will be refunded" in approved["message"]


def test_orders_are_submitted_shown_and_rejected(desk: Shell, tmp_path: Path) -> None:
    file = tmp_path / "orders.jsonl"
    orders = [
        an_order("DESK-1", {"MUG-BLUE": 1}),
        an_order("DESK-2", {"TABLE-ASH": 1, "SHELF-OAK": 1}),
        an_order("DESK-3", {"NOPE": 1}),
        an_order("DESK-4", {}),
    ]
    file.write_text("".join(json.dumps(order) + "\n" for order in orders) + "not an order\n")
    submitted = desk("orders", "submit", str(file), "--json")
    rows = {row["line"]: row for row in submitted.documents}
    assert submitted.code == 6
    assert json.loads(submitted.err)["error"].startswith("3 of 5 orders did not go through")
    assert rows[1]["processing_stage"] == "completed"
    assert rows[2]["waiting"]["roles"] == [OF_LARGE[0]]
    assert rows[3]["denial"]["rule"] == "ORDER-SKU"
    assert "lines: List should have at least 1 item" in rows[4]["error"]
    assert (rows[5]["order_id"], rows[5]["code"]) == (None, 2)

    request_id = rows[2]["waiting"]["request_id"]
    by_another = desk("approvals", "approve", request_id, "--as", outsider("large_order"))
    assert (by_another.code, "APPROVAL-ROLE" in by_another.err) == (4, True)
    assert by_another.err.startswith("desk: Not taken: ")
    rejected = desk("approvals", "reject", request_id, "--note", "too many", "--as", OF_LARGE[0], "--json")
    assert rejected.documents[0]["processing_stage"] == "cancelled"
    [shown] = desk("orders", "show", "DESK-2", "--json").documents
    assert (shown["stage"], shown["reason"], shown["payments"]) == ("cancelled", "ORDER-REJECTED", [])
    assert shown["denial"]["rule"] == "ORDER-REJECTED"

    too_late = desk("approvals", "approve", request_id, "--as", OF_LARGE[0])
    assert (too_late.code, too_late.out) == (6, "")
    decided = (
        f"desk: Not taken: {request_id} is rejected: reject by {staff(OF_LARGE[0]).identity} ({OF_LARGE[0]}) at 20"
    )
    assert too_late.err.startswith(decided)
    assert "“too many”" in too_late.err
    [ended] = desk("approvals", "show", request_id, "--as", OF_LARGE[0], "--json").documents
    assert (ended["status"], [each["mine"] for each in ended["decisions"]]) == ("rejected", [True])


def test_a_list_that_goes_on_says_so_and_how_to_get_the_rest(desk: Shell, driver: Driver) -> None:
    for number in (1, 2, 3):
        driver.order(an_order(f"MANY-{number}", {"DESK-ASH": 3}))
    found: set[str] = set()
    rest = ["--offset", "0"]
    while rest:
        page = desk("approvals", "list", "--as", OF_LARGE[0], "--limit", "2", "--json", *rest)
        [views] = page.documents
        found |= {view["order_id"] for view in views}
        rest = json.loads(page.err)["next"].split() if page.err else []
    assert found >= {"MANY-1", "MANY-2", "MANY-3"}


def test_a_customers_own_token_needs_no_name_and_is_told_so(desk: Shell) -> None:
    named = desk("ask", "hello", "--as", "customer", "--customer", "customer-1")
    assert (named.code, "leave out --customer" in named.err) == (4, True)
    assert desk("ask", "hello", "--as", "customer").code == 0


def test_the_operator_reconciles(desk: Shell, cron_fired: None) -> None:
    [report] = desk("ops", "reconcile", "--json").documents
    jobs = "approvals woken asked ended orders expired due debts conversations delivered compare tickets"
    assert set(report) == set(jobs.split())
    assert report["debts"] == {}


def test_a_failure_is_one_clear_line_and_an_exit_code(desk: Shell, tmp_path: Path) -> None:
    ask = ("ask", "hello", "--customer", "ada_park")
    failures: list[tuple[tuple[str, ...], str, int, str]] = [
        ((*ask, "--tokens", str(tmp_path / "none")), "", 2, "desk tokens init"),
        ((*ask, "--token", "guess"), "", 4, "this token is not known"),
        ((*ask, "--as", OF_LARGE[0]), "", 4, f"role {OF_LARGE[0]} may not create threads"),
        (("ask", " ", "--customer", "ada_park"), "", 2, "the message is empty"),
        (("ask", "-", "--customer", "ada_park"), "x" * 100_000, 6, "MESSAGE-LONG"),
        (("orders", "show", "NONE"), "", 5, "ORDER-EXISTS"),
        (("approvals", "show", "apr-none", "--as", OF_LARGE[0]), "", 5, "no open request apr-none"),
    ]
    results = together(*(partial(desk, *arguments, stdin=stdin) for arguments, stdin, _, _ in failures))
    for (arguments, _, code, words), result in zip(failures, results, strict=True):
        assert (result.code, result.out) == (code, ""), f"{arguments}: {result}"
        assert result.err.startswith("desk: "), f"{arguments}: {result.err}"
        assert words in result.err, f"{arguments}: {result.err}"
        assert len(result.err.splitlines()) <= 2, f"{arguments}: {result.err}"  # with an empty one
