"""The simulation of a fleet, held against queueing theory where that has an answer."""

from dataclasses import replace
from statistics import fmean

import pytest

from benchmarks.fleet import DAY, HOUR, Fleet, Outage, Simulation, approvers_needed, erlang_c

BUSY = Fleet(2_000_000, asked_share=0.3, approvers=6, seconds=4 * DAY)
"""People are busy for three quarters of their time."""


def test_without_an_outage_requests_wait_for_people_as_erlang_c_says() -> None:
    """Over 6,000 requests; a queue's mean wait is a noisy thing, so several seeds are taken together."""
    waits = [wait for seed in range(4) for wait in Simulation(replace(BUSY, seed=seed)).run().answer_waits]
    expected = erlang_c(BUSY.orders_a_year / (365 * DAY) * BUSY.asked_share, BUSY.answer_seconds, BUSY.approvers)
    assert fmean(waits) == pytest.approx(expected, rel=0.1)


def test_without_an_outage_orders_wait_for_workers_as_erlang_c_says() -> None:
    fleet = Fleet(5_000_000, workers=2, order_seconds=9.0, asked_share=0, seconds=DAY)
    waits = [wait for seed in range(3) for wait in Simulation(replace(fleet, seed=seed)).run().worker_waits]
    assert fmean(waits) == pytest.approx(erlang_c(5_000_000 / (365 * DAY), 9.0, 2), rel=0.1)


def test_a_single_server_waits_as_the_m_m_1_formula_says() -> None:
    assert erlang_c(0.8, 1.0, 1) == pytest.approx(0.8 / (1 - 0.8))


def test_erlang_c_refuses_servers_that_cannot_keep_up() -> None:
    with pytest.raises(ValueError, match="can't keep up"):
        erlang_c(2.0, 1.0, 2)


def test_the_same_seed_is_the_same_run_and_another_is_another() -> None:
    fleet = Fleet(1_000_000, worker_outage=Outage(9 * HOUR, HOUR), network_outage=Outage(13 * HOUR, HOUR), seconds=DAY)
    assert Simulation(fleet).run() == Simulation(fleet).run()
    assert Simulation(fleet).run() != Simulation(replace(fleet, seed=17)).run()


def test_orders_of_an_outage_are_parked_and_all_taken_on_once_it_is_over() -> None:
    fleet = Fleet(10_000_000, asked_share=0, seconds=6 * HOUR, network_outage=Outage(HOUR, 2 * HOUR))
    outcome = Simulation(fleet).run()
    assert outcome.parked == pytest.approx(2 * 10_000_000 / (365 * 24), rel=0.1)
    passes = -(-outcome.parked // 500)
    assert (passes - 1) * 60 <= outcome.drained_seconds < passes * 60


def test_office_hours_alone_keep_no_due_time_of_a_request_of_the_night() -> None:
    with pytest.raises(ValueError, match="hours are what lacks"):
        approvers_needed(Fleet(1_000_000, shift=(8 * HOUR, 18 * HOUR), seconds=2 * DAY))
