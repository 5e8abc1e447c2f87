"""What the cron does while nobody looks. It fires once a minute, so this is best run after everything else."""

from agent.platform import order_thread
from tests.integration_tests.books import CardNetwork, Ledger, check_money
from tests.integration_tests.conftest import LOST_ORDER
from tests.integration_tests.driver import Driver


def test_the_cron_takes_on_an_order_that_was_lost_before_the_server_started(
    cron_fired: None, driver: Driver, network: CardNetwork
) -> None:
    assert list(network.captured(LOST_ORDER)) == [f"{LOST_ORDER}:pay:1"]
    thread = driver.client("channel").threads.get(order_thread(LOST_ORDER))
    assert thread["status"] == "idle", "whoever placed it sees it again"


def test_whatever_happened_on_this_server_its_ledger_and_the_card_network_tell_the_same(
    cron_fired: None, ledger: Ledger, network: CardNetwork
) -> None:
    check_money(ledger, network)
