"""What the payment port promises, whoever keeps it. Another provider: docs/customizing.md."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from agent.providers.payment import (
    Charge,
    Movement,
    NoCharge,
    PaymentRejectedError,
    PaymentUnknownError,
)
from agent.providers.webhooks import WebhookRefusedError
from tests.contract.world import World


async def test_nothing_is_found_of_an_attempt_that_never_came(world: World) -> None:
    assert await world.provider.find(world.good) is NoCharge.NEVER_CAME


async def test_the_same_attempt_twice_takes_the_money_once(world: World) -> None:
    charge = await world.provider.capture(world.good)
    assert (charge.key, charge.outcome, charge.amount, charge.reason) == ("k1", "captured", 1000, "")
    assert await world.provider.capture(world.good) == charge
    assert await world.provider.find(world.good) == charge
    assert await world.sums() == (1000, 0)


async def test_two_captures_at_once_take_the_money_once(world: World) -> None:
    both = await asyncio.gather(world.provider.capture(world.good), world.provider.capture(world.good))
    assert both[0] == both[1]
    assert await world.sums() == (1000, 0)


async def test_a_decline_is_an_answer_with_a_reason_and_is_kept(world: World) -> None:
    charge = await world.provider.capture(world.declining)
    assert charge.outcome == "declined"
    assert charge.reason
    for again in (world.provider.capture, world.provider.find, world.provider.void):
        assert await again(world.declining) == charge
    assert await world.sums() == (0, 0)


async def test_a_lost_answer_is_unknown_and_the_look_up_tells_it(world: World) -> None:
    with pytest.raises(PaymentUnknownError):
        await world.hasty.capture(world.losing)
    found = await world.provider.find(world.losing)
    assert isinstance(found, Charge)
    assert found.outcome == "captured"
    assert await world.sums() == (1000, 0)


async def test_an_attempt_that_is_not_decided_yet_is_told_from_one_that_never_came(world: World) -> None:
    if world.undecided is None:
        assert isinstance(await world.provider.capture(world.good), Charge)
        return
    with pytest.raises(PaymentUnknownError):
        await world.provider.capture(world.undecided)
    assert await world.provider.find(world.undecided) is NoCharge.UNDECIDED
    with pytest.raises(PaymentUnknownError):
        await world.provider.void(world.undecided)
    assert await world.sums() == (0, 0)


async def test_a_voided_attempt_takes_nothing_when_it_comes_after_all(world: World) -> None:
    assert await world.provider.void(world.good) is None
    assert await world.provider.void(world.good) is None
    assert await world.provider.find(world.good) is NoCharge.NEVER_CAME
    if not world.voids_ahead:
        return
    late = await world.provider.capture(world.good)
    assert late.outcome == "declined"
    assert late.reason
    assert await world.sums() == (0, 0)


async def test_a_void_that_comes_too_late_tells_what_the_attempt_did(world: World) -> None:
    charge = await world.provider.capture(world.good)
    assert await world.provider.void(world.good) == charge
    assert await world.provider.find(world.good) == charge


async def test_a_capture_and_a_void_that_race_agree_on_the_outcome(world: World) -> None:
    charge, voided = await asyncio.gather(world.provider.capture(world.good), world.provider.void(world.good))
    if world.voids_ahead or voided:
        assert voided == (charge if charge.outcome == "captured" else None)
    assert await world.sums() == (1000 if charge.outcome == "captured" else 0, 0)


async def test_a_key_with_another_sum_is_rejected(world: World) -> None:
    charge = await world.provider.capture(world.good)
    with pytest.raises(PaymentRejectedError):
        await world.provider.capture(replace(world.good, amount=2000))
    assert await world.provider.find(world.good) == charge
    assert await world.sums() == (1000, 0)


async def test_money_is_given_back_in_parts_and_each_part_once(world: World) -> None:
    charge = await world.provider.capture(world.good)
    for key, amount in (("r1", 600), ("r2", 400), ("r1", 600), ("r2", 400)):
        await world.provider.refund(key, charge.provider_id, amount)
    assert await world.sums() == (1000, 1000)


async def test_more_than_was_captured_is_rejected(world: World) -> None:
    charge = await world.provider.capture(world.good)
    await world.provider.refund("r1", charge.provider_id, 600)
    with pytest.raises(PaymentRejectedError):
        await world.provider.refund("r2", charge.provider_id, 401)
    assert await world.sums() == (1000, 600)


async def test_a_refunds_key_with_another_sum_is_rejected(world: World) -> None:
    charge = await world.provider.capture(world.good)
    await world.provider.refund("r1", charge.provider_id, 600)
    with pytest.raises(PaymentRejectedError):
        await world.provider.refund("r1", charge.provider_id, 300)
    assert await world.sums() == (1000, 600)


async def test_a_refund_is_looked_up_by_its_key(world: World) -> None:
    charge = await world.provider.capture(world.good)
    assert await world.provider.find_refund("r1", charge.provider_id) is None
    state = await world.provider.refund("r1", charge.provider_id, 600)
    assert state in ("succeeded", "pending")
    assert await world.provider.find_refund("r1", charge.provider_id) == state


async def test_money_to_a_card_that_did_not_pay_in_is_paid_out_once_or_refused_each_time(world: World) -> None:
    async def credit() -> str:
        try:
            return await world.provider.credit("c1", 500, world.good.currency, world.good.token)
        except PaymentRejectedError:
            return "refused"

    first = await credit()
    assert await credit() == first
    paid_out = [each.amount for each in await world.provider.movements(datetime.now(UTC) - timedelta(minutes=1))]
    assert paid_out == ([] if first == "refused" else [500])


async def test_what_a_payment_took_is_known_by_the_providers_own_id(world: World) -> None:
    captured, declined = await world.provider.capture(world.good), await world.provider.capture(world.declining)
    assert await world.provider.taken(captured.provider_id, world.good.currency) == 1000
    assert await world.provider.taken(declined.provider_id, world.good.currency) is None
    assert await world.provider.taken("pay_of_nobody", world.good.currency) is None


async def test_what_nobody_signed_is_no_webhook(world: World) -> None:
    with pytest.raises(WebhookRefusedError):
        world.provider.read_webhook(httpx.Headers(), b'{"type": "charge.captured", "key": "k1"}')


async def test_the_books_have_each_capture_and_each_refund_and_no_decline(world: World) -> None:
    began = datetime.now(UTC) - timedelta(minutes=1)
    charge = await world.provider.capture(world.good)
    await world.provider.capture(world.declining)
    await world.provider.refund("r1", charge.provider_id, 400)
    assert await world.provider.movements(began) == [
        Movement("capture", "k1", charge.provider_id, 1000),
        Movement("refund", "r1", charge.provider_id, 400),
    ]


async def test_the_books_are_read_over_all_their_pages(world: World) -> None:
    began = datetime.now(UTC) - timedelta(minutes=1)
    charge = await world.provider.capture(world.good)
    for number in range(150):
        await world.provider.refund(f"r{number}", charge.provider_id, 1)
    keys = [each.key for each in await world.provider.movements(began)]
    assert (len(keys), set(keys)) == (151, {"k1", *(f"r{number}" for number in range(150))})
