"""The plan of the synthetic customers is a pure function of its seed, and of the shop's own things."""

from itertools import islice, takewhile

import pytest

from agent.approvals.chains import LARGE_ORDER, VERY_LARGE_ORDER
from agent.commerce.commands import NewOrder
from agent.commerce.shop_import import catalogue
from agent.order_numbers import find
from traffic.plan import AFTERWARDS, Visit, plan

PRICES = {variant.sku: variant.price for product in catalogue().products for variant in product.variants}


def visits(seed: int = 7, rate: float = 2.0, number: int = 500) -> list[Visit]:
    return list(islice(plan(seed, rate), number))


def total(visit: Visit) -> int:
    return sum(PRICES[sku] * quantity for sku, quantity in visit.order.lines.items())


def test_the_same_seed_gives_the_same_orders_words_and_times() -> None:
    assert visits() == visits()


def test_two_seeds_have_no_order_in_common() -> None:
    assert {visit.order.id for visit in visits(7)} & {visit.order.id for visit in visits(70)} == set()


def test_customers_come_at_the_rate_that_is_asked_for() -> None:
    assert 480 < sum(1 for _ in takewhile(lambda visit: visit.at < 60, plan(7, 10))) < 720


def test_another_rate_changes_when_they_come_and_nothing_else() -> None:
    slow, quick = visits(rate=1), visits(rate=4)
    assert [(each.order, each.says) for each in slow] == [(each.order, each.says) for each in quick]
    assert quick[-1].at == pytest.approx(slow[-1].at / 4)


@pytest.mark.parametrize("rate", [0.0, -1.0])
def test_a_rate_of_nobody_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="rate"):
        next(plan(7, rate))


def test_every_order_is_one_that_the_shop_takes() -> None:
    for visit in visits():
        order = NewOrder.model_validate(visit.order.document())
        assert {line.sku for line in order.lines} <= PRICES.keys()


def test_some_orders_need_one_person_some_need_two_and_most_need_nobody() -> None:
    totals = [total(visit) for visit in visits()]
    assert sum(each < LARGE_ORDER for each in totals) > 400
    assert any(LARGE_ORDER <= each < VERY_LARGE_ORDER for each in totals)
    assert any(each >= VERY_LARGE_ORDER for each in totals)


def test_customers_write_of_every_kind_and_name_their_order_as_the_desk_reads_it() -> None:
    assert {visit.kind for visit in visits()} == set(AFTERWARDS)
    for visit in visits():
        if visit.kind not in ("nothing", "question"):
            assert find(visit.says[0]) == [visit.order.id]
