"""What the outside world announces, to whom, and that nobody waits for it."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from agent.providers.factory import sandbox_client
from agent.providers.payment import Attempt, PaymentNotSentError
from agent.providers.sandbox import SandboxProvider
from agent.providers.sandbox_carrier import SandboxCarrier
from sandbox.announcer import Announce, Announcer
from sandbox.server import InProcess, Sandbox
from tests.support.serving import PATIENCE, Mailbox, free_port, process, serving, until

SECRET = "whsec_b3JkZXJzIHN1cnZpdmUgZXZlcnl0aGluZw=="
ATTEMPT = Attempt("k1", 1000, "USD", "tok_approve")
HOME = {"postcode": "97301"}
PARCEL = "W-1/east"

Announced = list[tuple[str, str]]


@asynccontextmanager
async def world(database: Path, announce: Announce, hand_over_seconds: float = 0) -> AsyncIterator[httpx.AsyncClient]:
    """The outside world in this process, which announces what it does."""
    sandbox = Sandbox(database, slow_seconds=0, hand_over_seconds=hand_over_seconds, announce=announce)
    async with httpx.AsyncClient(transport=InProcess(sandbox), base_url="http://sandbox") as client:
        yield client


async def deliver(client: httpx.AsyncClient) -> None:
    answer = await client.post("/shipments/deliver", json={}, headers={"Idempotency-Key": PARCEL})
    answer.raise_for_status()


async def test_every_charge_is_announced_once(tmp_path: Path) -> None:
    said: Announced = []
    async with world(tmp_path / "network.db", lambda *what: said.append(what)) as client:
        cards = SandboxProvider(client, PATIENCE)
        for _ in range(2):
            await cards.capture(ATTEMPT)
            await cards.capture(Attempt("k2", 1000, "USD", "tok_decline"))
        with pytest.raises(PaymentNotSentError):
            await cards.capture(Attempt("k3", 1000, "USD", "tok_down"))
        await cards.void(Attempt("k4", 1000, "USD", "tok_approve"))
        await cards.capture(Attempt("k4", 1000, "USD", "tok_approve"))
    assert said == [("charge.captured", "k1"), ("charge.declined", "k2"), ("charge.declined", "k4")]


async def test_a_charge_whose_answer_never_comes_is_announced_all_the_same(tmp_path: Path) -> None:
    said: Announced = []
    async with world(tmp_path / "network.db", lambda *what: said.append(what)) as client:
        lost = asyncio.create_task(
            SandboxProvider(client, PATIENCE).capture(Attempt("k1", 1000, "USD", "tok_timeout_after_charge"))
        )

        async def heard() -> bool:
            return bool(said)

        await until(heard)
        assert not lost.done()
        lost.cancel()
    assert said == [("charge.captured", "k1")]


async def test_every_change_of_a_parcel_is_announced_once(tmp_path: Path) -> None:
    said: Announced = []
    async with world(tmp_path / "network.db", lambda *what: said.append(what)) as client:
        parcels = SandboxCarrier(client, PATIENCE)
        for _ in range(2):
            await parcels.book(PARCEL, HOME)
            await deliver(client)
            await parcels.stop(PARCEL)
            await parcels.stop("W-2/east")
    assert said == [("shipment.handed_over", PARCEL), ("shipment.delivered", PARCEL), ("shipment.stopped", "W-2/east")]


async def test_that_a_parcel_has_left_is_announced_though_nobody_asks(tmp_path: Path) -> None:
    said: Announced = []
    async with world(tmp_path / "network.db", lambda *what: said.append(what), hand_over_seconds=0.05) as client:
        await SandboxCarrier(client, PATIENCE).book(PARCEL, HOME)
        assert said == [("shipment.booked", PARCEL)]

        async def heard() -> bool:
            return len(said) == 2

        await until(heard)
    assert said[1] == ("shipment.handed_over", PARCEL)


async def test_who_leaves_after_a_restart_is_announced_by_whoever_notices(tmp_path: Path) -> None:
    said: Announced = []
    async with world(tmp_path / "network.db", lambda *_: None, hand_over_seconds=0.05) as before:
        await SandboxCarrier(before, PATIENCE).book(PARCEL, HOME)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()  # the van's driver: the first world ends here
    async with world(tmp_path / "network.db", lambda *what: said.append(what)) as client:

        async def left() -> bool:
            return bool((await client.get(f"/shipments/{PARCEL}")).json()["state"] == "handed_over")

        await until(left)
    assert said == [("shipment.handed_over", PARCEL)]


async def test_a_process_of_its_own_announces_to_the_url_it_is_given(tmp_path: Path) -> None:
    mailbox, port = Mailbox(), free_port()
    async with (
        serving(mailbox.app) as url,
        process(
            port,
            tmp_path / "network.db",
            *("--webhook-url", f"{url}/hook", "--webhook-secret", SECRET, "--hand-over-seconds", "0.05"),
        ),
        sandbox_client(f"http://127.0.0.1:{port}", tmp_path, PATIENCE, 0) as client,
    ):
        assert (await SandboxCarrier(client, PATIENCE).book(PARCEL, HOME)).state == "booked"
        taken = [json.loads((await mailbox.next())[1]) for _ in range(2)]
    assert taken == [{"type": f"shipment.{state}", "key": PARCEL} for state in ("booked", "handed_over")]


@pytest.mark.parametrize("up", [True, False])
async def test_a_webhook_that_nobody_takes_is_a_log_line_and_disturbs_no_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, up: bool
) -> None:
    mailbox = Mailbox(status=500)
    async with serving(mailbox.app) as url:
        target = f"{url}/hook" if up else f"http://127.0.0.1:{free_port()}/hook"
        async with world(tmp_path / "network.db", Announcer(target, SECRET)) as client:
            assert (await SandboxProvider(client, PATIENCE).capture(ATTEMPT)).outcome == "captured"

            async def logged() -> bool:
                return "a webhook was not taken" in caplog.text

            await until(logged)
    assert [record.levelno for record in caplog.records if "webhook" in record.message] == [logging.WARNING]
