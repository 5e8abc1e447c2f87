"""What becomes of money at Stripe when answers are lost, keys are forgotten, and requests come late or in pages."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Literal

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.providers.payment import (
    Attempt,
    Charge,
    NoCharge,
    PaymentNotSentError,
    PaymentRejectedError,
    PaymentUnknownError,
)
from agent.providers.stripe import CreditNotSupportedError, StripeProvider, StripeRejectedError
from tests.support.serving import PATIENCE, free_port
from tests.support.stripe_stub import Fault, StripeStub

pytestmark = pytest.mark.thorough

ATTEMPT = Attempt("W-1:pay:1", 1000, "USD", "cus_0/pm_card_visa")


class Account:
    """An account at Stripe, our side of it, and one customer who pays."""

    def __init__(self, stub: StripeStub, client: httpx.AsyncClient) -> None:
        self.stub = stub
        self.provider = StripeProvider(client, "sk_test_account", "whsec_account", PATIENCE, url=stub.url)
        self.customer = stub.customer()
        self.attempt = replace(ATTEMPT, token=f"{self.customer}/pm_card_visa")

    def with_card(self, number: str) -> Attempt:
        """The attempt, with another card."""
        return replace(self.attempt, token=f"{self.customer}/{self.stub.card(number)}")

    def calls(self) -> list[str]:
        """What Stripe was asked, ids left out."""
        ids = {each.id for each in self.stub.all("payment_intent")}
        return ["/".join(part for part in seen.call.split("/") if part not in ids) for seen in self.stub.requests]

    def taken(self) -> int:
        """All the money that was taken, in minor units."""
        return sum(each.amount for each in self.stub.all("charge") if each.status == "succeeded")


@pytest.fixture
async def account() -> AsyncIterator[Account]:
    stub = StripeStub()
    async with stub.serving(), httpx.AsyncClient() as client:
        yield Account(stub, client)


async def test_a_capture_looks_then_creates_then_confirms(account: Account) -> None:
    await account.provider.capture(account.attempt)
    assert account.calls() == [
        "GET /v1/payment_intents",
        "POST /v1/payment_intents",
        "POST /v1/payment_intents/confirm",
    ]
    look, create, confirm = account.stub.requests
    assert (look.key, look.params) == (None, {"customer": account.customer, "limit": "100"})
    assert create.key == "W-1:pay:1:intent"
    assert create.params == {
        "amount": "1000",
        "currency": "usd",
        "customer": account.customer,
        "allowed_payment_method_types[0]": "card",
        "metadata[key]": "W-1:pay:1",
    }
    assert confirm.key == "W-1:pay:1:confirm"
    assert confirm.params == {"payment_method": "pm_card_visa", "off_session": "true"}


async def test_every_post_has_an_idempotency_key_of_ours(account: Account) -> None:
    charge = await account.provider.capture(account.attempt)
    await account.provider.refund("r1", charge.provider_id, 400)
    await account.provider.void(replace(account.attempt, key="W-2:pay:1"))
    keys = [seen.key for seen in account.stub.requests if seen.call.startswith("POST")]
    assert keys == [
        "W-1:pay:1:intent",
        "W-1:pay:1:confirm",
        "r1",
    ]
    assert len(account.stub.all("payment_intent")) == 1  # a void makes none


async def test_a_card_that_wants_its_customer_is_declined_and_can_never_be_completed(account: Account) -> None:
    charge = await account.provider.capture(account.with_card("4000002500003155"))
    assert (charge.outcome, charge.reason) == ("declined", "authentication_required")
    assert account.taken() == 0


@pytest.mark.parametrize("call", ["capture", "void", "find"])
async def test_a_capture_whose_key_stripe_forgot_is_still_known(
    account: Account, call: Literal["capture", "void", "find"]
) -> None:
    charge = await account.provider.capture(account.attempt)
    account.stub.forget_keys()
    assert await getattr(account.provider, call)(account.attempt) == charge
    assert account.taken() == 1000


async def test_a_voided_attempt_whose_key_stripe_forgot_takes_nothing(account: Account) -> None:
    await begun(account)
    assert await account.provider.void(account.attempt) is None
    account.stub.forget_keys()
    assert (await account.provider.capture(account.attempt)).outcome == "declined"
    assert account.taken() == 0


async def test_an_attempt_is_found_behind_all_that_its_customer_paid_since(account: Account) -> None:
    charge = await account.provider.capture(account.attempt)
    account.stub.pays_elsewhere(account.customer, 101)
    before = len(account.stub.requests)
    assert await account.provider.find(account.attempt) == charge
    first, second = account.stub.requests[before:]
    assert "starting_after" not in first.params
    assert {"starting_after", "customer", "limit"} <= second.params.keys()


@pytest.mark.parametrize("path", ["/payment_intents", "/confirm"])
@pytest.mark.parametrize("status", [None, 500])
async def test_a_lost_answer_is_unknown_until_someone_looks_or_asks_again(
    account: Account, path: str, status: int | None
) -> None:
    create = len(account.stub.requests) + 1

    async def lose(request: httpx.Request) -> None:
        if request.method == "POST" and request.url.path.endswith(path):
            account.stub.faults.append(Fault(path, status, after=True))

    async with httpx.AsyncClient(event_hooks={"request": [lose]}) as client:
        losing = StripeProvider(client, "sk_test_account", "whsec_account", PATIENCE, url=account.stub.url)
        with pytest.raises(PaymentUnknownError):
            await losing.capture(account.attempt)
    assert len(account.stub.requests) == create + (1 if path == "/payment_intents" else 2)  # nothing asked twice
    found = await account.provider.find(account.attempt)
    assert (found is NoCharge.NEVER_CAME) == (path == "/payment_intents")
    charge = await account.provider.capture(account.attempt)
    assert charge.outcome == "captured"
    assert found in (NoCharge.NEVER_CAME, charge)
    assert account.taken() == 1000


async def test_a_lost_answer_to_a_refund_does_not_pay_twice_even_a_day_later(account: Account) -> None:
    charge = await account.provider.capture(account.attempt)

    async def lose(request: httpx.Request) -> None:
        if request.method == "POST":
            account.stub.faults.append(Fault("/refunds", after=True))

    async with httpx.AsyncClient(event_hooks={"request": [lose]}) as client:
        losing = StripeProvider(client, "sk_test_account", "whsec_account", PATIENCE, url=account.stub.url)
        with pytest.raises(PaymentUnknownError):
            await losing.refund("r1", charge.provider_id, 400)
    account.stub.forget_keys()
    await account.provider.refund("r1", charge.provider_id, 400)
    assert [each.amount for each in account.stub.all("refund")] == [400]


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("succeeded", "succeeded"),
        ("pending", "pending"),
        ("requires_action", "pending"),
        ("failed", "failed"),
        ("canceled", "failed"),
    ],
)
async def test_a_refund_is_done_when_stripe_says_so(account: Account, status: str, state: str) -> None:
    charge = await account.provider.capture(account.attempt)
    assert await account.provider.find_refund("r1", charge.provider_id) is None
    await account.provider.refund("r1", charge.provider_id, 400)
    account.stub.all("refund")[0].status = status
    assert await account.provider.refund("r1", charge.provider_id, 400) == state
    assert await account.provider.find_refund("r1", charge.provider_id) == state
    assert len(account.stub.all("refund")) == 1


async def test_a_refund_of_a_status_that_nobody_knows_is_unknown(account: Account) -> None:
    charge = await account.provider.capture(account.attempt)
    await account.provider.refund("r1", charge.provider_id, 400)
    account.stub.all("refund")[0].status = "a new one"
    with pytest.raises(PaymentUnknownError, match="a new one"):
        await account.provider.find_refund("r1", charge.provider_id)


async def begun(account: Account) -> None:
    """The attempt's intent is there, and a worker was stopped before it confirmed it."""
    account.stub.faults.append(Fault("/confirm"))
    with pytest.raises(PaymentUnknownError):
        await account.provider.capture(account.attempt)


@pytest.mark.parametrize("call", ["capture", "void"])
async def test_a_payment_that_is_under_way_is_undecided(account: Account, call: Literal["capture", "void"]) -> None:
    await account.provider.capture(account.attempt)
    account.stub.all("charge")[0].status = "pending"
    assert await account.provider.find(account.attempt) is NoCharge.UNDECIDED
    with pytest.raises(PaymentUnknownError, match="processing"):
        await getattr(account.provider, call)(account.attempt)


@pytest.mark.parametrize("token", ["tok_approve", "pm_card_visa", "cus_1/", "/pm_card_visa"])
async def test_a_token_without_a_customer_is_rejected_before_anything_is_sent(account: Account, token: str) -> None:
    attempt = replace(account.attempt, token=token)
    for call in (account.provider.capture, account.provider.find, account.provider.void):
        with pytest.raises(PaymentRejectedError):
            await call(attempt)
    assert account.stub.requests == []


async def test_an_unknown_card_is_rejected_and_the_attempt_can_be_voided(account: Account) -> None:
    attempt = replace(account.attempt, token=f"{account.customer}/pm_unknown")
    with pytest.raises(StripeRejectedError) as rejected:
        await account.provider.capture(attempt)
    assert rejected.value.status == 404
    assert "pm_unknown" not in str(rejected.value)
    assert await account.provider.void(attempt) is None


async def test_an_attempt_with_another_card_under_the_same_key_is_rejected(account: Account) -> None:
    with pytest.raises(StripeRejectedError):
        await account.provider.capture(replace(account.attempt, token=f"{account.customer}/pm_unknown"))
    with pytest.raises(StripeRejectedError):
        await account.provider.capture(account.attempt)
    assert account.taken() == 0


async def test_a_wrong_api_key_is_rejected(account: Account) -> None:
    async with httpx.AsyncClient() as client:
        stranger = StripeProvider(client, "pk_of_a_stranger", "whsec_account", PATIENCE, url=account.stub.url)
        with pytest.raises(StripeRejectedError) as rejected:
            await stranger.capture(account.attempt)
    assert rejected.value.status == 401


async def test_money_that_another_method_paid_is_not_sent_to_a_card(account: Account) -> None:
    with pytest.raises(CreditNotSupportedError) as raised:
        await account.provider.credit("c1", 1000, "USD", account.attempt.token)
    assert isinstance(raised.value, PaymentRejectedError)
    assert account.stub.requests == []


async def test_a_refused_connection_was_not_sent(account: Account) -> None:
    async with httpx.AsyncClient() as client:
        closed = StripeProvider(client, "sk_test_account", "", PATIENCE, url=f"http://127.0.0.1:{free_port()}")
        with pytest.raises(PaymentNotSentError, match="ConnectError"):
            await closed.capture(account.attempt)


async def test_an_amount_too_small_is_rejected_and_its_void_creates_nothing(account: Account) -> None:
    attempt = replace(account.attempt, amount=25)
    with pytest.raises(StripeRejectedError, match="amount_too_small"):
        await account.provider.capture(attempt)
    assert await account.provider.void(attempt) is None
    assert account.stub.all("payment_intent") == []


STEPS = st.lists(st.sampled_from(["capture", "lost capture", "find", "void", "a day passes"]), max_size=6)


@settings(max_examples=30, deadline=None)
@given(steps=STEPS)
async def test_whatever_happens_money_is_taken_once_or_never_and_all_answers_agree(steps: list[str]) -> None:
    stub = StripeStub()
    async with stub.serving(), httpx.AsyncClient() as client:
        account = Account(stub, client)
        answers: list[Charge | None] = []
        for step in steps:
            match step:
                case "capture":
                    answers.append(await account.provider.capture(account.attempt))
                case "lost capture":
                    stub.faults.append(Fault("/confirm", after=True))
                    try:
                        await account.provider.capture(account.attempt)
                    except PaymentUnknownError:
                        assert stub.faults == []
                    stub.faults.clear()
                case "find":
                    found = await account.provider.find(account.attempt)
                    answers.append(found if isinstance(found, Charge) else None)
                case "void":
                    answers.append(await account.provider.void(account.attempt))
                case "a day passes":
                    stub.forget_keys()
        assert account.taken() == (1000 if {"capture", "lost capture"} & set(steps) else 0)
        assert len(stub.all("payment_intent")) <= 1
        assert {answer.outcome for answer in answers if answer} <= {"captured"}
