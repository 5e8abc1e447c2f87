"""A live server under Debian's Prometheus and Alertmanager: the dashboard's queries run, and when the card network is
down somebody is told, and told again when it is over."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from deploy.dashboard import FILE
from tests.services.needed import absent
from tests.support.driver import Driver, an_order
from tests.support.live_server import LiveNetwork, LiveServer, wait_for
from tests.support.monitoring import PAGERDUTY_KEY, Monitoring, absent_programs, monitoring

ALERT: Final = "DeskPaymentBreakerOpen"
LIMIT: Final = 40.0
"""Seconds in which a busy machine will surely have done it."""


@pytest.fixture(scope="module")
def programs_of_monitoring() -> None:
    """Both are installed."""
    if missing := absent_programs():
        absent(" and ".join(missing))


@pytest.fixture(scope="module")
def network(programs_of_monitoring: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveNetwork]:
    """The card network, which a test may stop."""
    made = LiveNetwork(tmp_path_factory.mktemp("network"), slow_seconds=0)
    made.spawn()
    try:
        wait_for(made.answers, LIMIT, lambda: "the card network does not answer")
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory, network: LiveNetwork) -> Iterator[Driver]:
    """Clients of a server whose reconciler runs when a test says so."""
    server = LiveServer(
        tmp_path_factory.mktemp("server"),
        PAYMENT_URL=network.url, PAYMENT_BREAKER_OPEN_SECONDS="1", RECONCILE_CRON="", STALE_AFTER_SECONDS="1",
    )  # fmt: skip
    try:
        with Driver(server.start()) as clients:
            clients.reconcile()
            yield clients
    finally:
        server.stop()


@pytest.fixture
def watched(tmp_path: Path, driver: Driver) -> Iterator[Monitoring]:
    """Prometheus and Alertmanager, with some scrapes done."""
    with monitoring(tmp_path / "monitoring", driver.server) as made:
        wait_for(lambda: made.ask('count_over_time(up{job="desk"}[1m]) > 2'), LIMIT, lambda: "nothing is scraped")
        yield made


def test_the_rules_can_be_evaluated(watched: Monitoring) -> None:
    wait_for(lambda: not watched.unhealthy_rules(), LIMIT, lambda: str(watched.unhealthy_rules()))


def test_a_card_network_that_is_down_is_told_of_once_and_told_to_be_over(
    watched: Monitoring, driver: Driver, network: LiveNetwork
) -> None:
    first, *later = (an_order(f"W-{number}", {"LAMP-OAK": 1}) for number in range(7001, 7004))
    assert driver.order(first).stage == "completed"
    assert watched.firing() == set()

    network.stop()
    assert {driver.order(order).stage for order in later} == {"parked"}
    wait_for(watched.catcher.paged, LIMIT, lambda: f"nobody was told: {watched.firing()}")
    assert watched.firing() == {ALERT}
    [page] = watched.catcher.pages
    assert page["routing_key"] == PAGERDUTY_KEY
    assert page["payload"]["summary"] == "The payment provider does not work. "
    what = page["payload"]["custom_details"]["what"]
    assert re.match(r"Since [0-9-]{10} [0-9:]{5} UTC: The breaker payment has not been closed", what)
    assert "docs/runbook.md#deskpaymentbreakeropen" in what
    every_panel_has_something_to_show(watched)

    network.spawn()
    wait_for(network.answers, LIMIT, lambda: "the card network does not answer")
    wait_for(lambda: reconciled(driver, later), LIMIT, lambda: "orders are still parked")
    wait_for(lambda: "resolve" in watched.catcher.paged(), LIMIT, lambda: f"it is not over: {watched.firing()}")
    assert watched.firing() == set()
    assert (watched.catcher.paged(), watched.catcher.warnings) == (["trigger", "resolve"], [])


def reconciled(driver: Driver, orders: list[dict[str, Any]]) -> bool:
    """Run the reconciler once; whether these orders are through."""
    driver.reconcile()
    return all(driver.order_row(order["order_id"])["stage"] == "completed" for order in orders)


def every_panel_has_something_to_show(watched: Monitoring) -> None:
    """Also the table of alerts that fire, since one does."""
    for panel in json.loads(FILE.read_text())["panels"]:
        for target in panel.get("targets", []):
            assert watched.ask(target["expr"].replace("$__rate_interval", "1m")), (panel["title"], target["expr"])


def test_one_cause_is_told_once(watched: Monitoring) -> None:
    together = [
        {"alertname": ALERT},
        {"alertname": "DeskPaymentsFailing", "provider": "sandbox"},
        {"alertname": "DeskDebtsUnpaid", "kind": "refund"},
        {"alertname": "DeskErrorBudgetBurnsFast", "graph": "order_processing"},
        {"alertname": "DeskErrorBudgetBurnsSlowly", "graph": "customer_service"},
        {"alertname": "DeskApprovalsLate", "role": "order_manager", "severity": "warning"},
    ]
    explained = {"DeskPaymentsFailing", "DeskDebtsUnpaid", "DeskErrorBudgetBurnsFast"}
    wait_for(lambda: watched.inhibited(together) == explained, LIMIT, lambda: str(watched.inhibited(together)))


def test_warnings_are_told_in_their_own_place_and_those_of_one_kind_together(watched: Monitoring) -> None:
    late = {"alertname": "DeskApprovalsLate", "severity": "warning"}
    assert watched.inhibited([late | {"role": role} for role in ("order_manager", "senior_tech")]) == set()
    [told] = wait_for(lambda: watched.catcher.warnings, LIMIT, lambda: "nobody was told")
    title = told["attachments"][0]["title"]
    assert title.startswith("firing: ")
    assert "order_manager" in title
    assert "senior_tech" in title
    assert watched.catcher.pages == []
