"""Each failure of the faulty network, met once over a loopback socket by the adapters that have to live with it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.providers.carrier import CarrierUnavailableError
from agent.providers.factory import sandbox_client
from agent.providers.payment import Attempt, Charge, PaymentNotSentError, PaymentUnknownError
from agent.providers.sandbox import SandboxProvider
from agent.providers.sandbox_carrier import SandboxCarrier
from tests.support import faulty_network
from tests.support.faulty_network import BadDay, CuttableProtocol, Faults, faulty_app
from tests.support.serving import PATIENCE, Mailbox, free_port, process, serving, until

pytestmark = pytest.mark.thorough

SECRET = "whsec_b3JkZXJzIHN1cnZpdmUgZXZlcnl0aGluZw=="
ATTEMPT = Attempt("k1", 1000, "USD", "tok_approve")
HOME = {"postcode": "97301"}
PARCEL = "W-1/east"


@asynccontextmanager
async def bad_day(folder: Path, **options: Any) -> AsyncIterator[httpx.AsyncClient]:
    app = faulty_app(folder / "network.db", **options)
    async with (
        serving(app, http=CuttableProtocol) as url,
        sandbox_client(url, folder, PATIENCE, 0) as client,
    ):
        yield client


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a faulty network on which nothing fails yet."""
    async with bad_day(tmp_path) as made:
        yield made


async def put(client: httpx.AsyncClient, **faults: Any) -> None:
    (await client.put("/faults", json=faults)).raise_for_status()


async def injected(client: httpx.AsyncClient) -> dict[str, int]:
    counts: dict[str, int] = (await client.get("/faults")).json()["injected"]
    return counts


async def charged(client: httpx.AsyncClient) -> bool:
    return bool((await client.get("/charges")).json()["charges"])


async def shipped(client: httpx.AsyncClient) -> bool:
    return bool((await client.get("/shipments")).json()["shipments"])


async def eventually(
    happened: Callable[[httpx.AsyncClient], Awaitable[bool]], client: httpx.AsyncClient, done: bool
) -> None:
    """What was done shows sooner or later, also after its asker gave up; what was not never does."""
    if done:
        await until(lambda: happened(client))
    else:
        assert not await happened(client)


FAULTS = [
    ("refuse", PaymentNotSentError, "503", False),
    ("error_before", PaymentUnknownError, "500", False),
    ("error_after", PaymentUnknownError, "500", True),
    ("hang_before", PaymentUnknownError, "TimeoutError", False),
    ("hang_after", PaymentUnknownError, "TimeoutError", True),
    ("drop_before", PaymentUnknownError, "RemoteProtocolError", False),
    ("drop_after", PaymentUnknownError, "RemoteProtocolError", True),
]


@pytest.mark.parametrize(("fault", "error", "told", "done"), FAULTS)
async def test_a_charge_meets_a_fault(
    client: httpx.AsyncClient, fault: str, error: type[Exception], told: str, done: bool
) -> None:
    await put(client, **{fault: 1})
    with pytest.raises(error, match=told):
        await SandboxProvider(client, 1.0 if "hang" in fault else PATIENCE).capture(ATTEMPT)
    await eventually(charged, client, done)
    assert await injected(client) == {fault: 1}


@pytest.mark.parametrize(("fault", "error", "told", "done"), FAULTS)
async def test_a_booking_meets_a_fault(
    client: httpx.AsyncClient, fault: str, error: type[Exception], told: str, done: bool
) -> None:
    await put(client, **{fault: 1})
    with pytest.raises(CarrierUnavailableError, match=told):
        await SandboxCarrier(client, 1.0 if "hang" in fault else PATIENCE).book(PARCEL, HOME)
    await eventually(shipped, client, done)
    assert await injected(client) == {fault: 1}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/voids"),
        ("POST", "/refunds"),
        ("POST", "/credits"),
        ("POST", "/shipments/stop"),
        ("GET", "/charges/k1"),
    ],
)
async def test_every_other_call_of_ours_can_fail(client: httpx.AsyncClient, method: str, path: str) -> None:
    await put(client, refuse=1)
    assert (await client.request(method, path)).status_code == 503


async def test_the_books_and_deliveries_never_fail(client: httpx.AsyncClient) -> None:
    await SandboxCarrier(client, PATIENCE).book(PARCEL, HOME)
    await put(client, drop_before=1)
    delivered = await client.post("/shipments/deliver", json={}, headers={"Idempotency-Key": PARCEL})
    assert delivered.json()["state"] == "delivered"
    assert await shipped(client)
    assert not await charged(client)
    assert await injected(client) == {}


async def test_faults_can_be_limited_to_paths(client: httpx.AsyncClient) -> None:
    await put(client, refuse=1, paths=["/shipments"])
    assert (await SandboxProvider(client, PATIENCE).capture(ATTEMPT)).outcome == "captured"
    with pytest.raises(CarrierUnavailableError):
        await SandboxCarrier(client, PATIENCE).stop(PARCEL)


async def test_without_its_faults_the_network_is_its_old_self(client: httpx.AsyncClient) -> None:
    await put(client, drop_after=1)
    cards = SandboxProvider(client, PATIENCE)
    with pytest.raises(PaymentUnknownError):
        await cards.capture(ATTEMPT)
    assert (await client.delete("/faults")).status_code == 204
    found = await cards.find(ATTEMPT)
    assert isinstance(found, Charge)
    assert await cards.capture(ATTEMPT) == found
    assert (await client.get("/faults")).json() == {
        "faults": Faults().model_dump(mode="json"),
        "injected": {"drop_after": 1},
    }


async def test_latency_comes_before_everything(client: httpx.AsyncClient) -> None:
    await put(client, latency=[0.2, 0.3])
    clock = asyncio.get_running_loop().time
    before = clock()
    await SandboxProvider(client, PATIENCE).capture(ATTEMPT)
    assert clock() - before >= 0.19


async def test_a_hanging_connection_is_cut_in_the_end(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faulty_network, "HANG_SECONDS", 0.1)
    await put(client, hang_before=1)
    with pytest.raises(PaymentUnknownError, match="RemoteProtocolError"):
        await SandboxProvider(client, PATIENCE).capture(ATTEMPT)


@pytest.mark.parametrize(
    "faults", [{"refuse": 1.1}, {"refuse": 0.6, "drop_after": 0.6}, {"lightning": 1}, {"latency": [0.1]}]
)
async def test_faults_that_make_no_sense_are_refused(client: httpx.AsyncClient, faults: dict[str, Any]) -> None:
    assert (await client.put("/faults", json=faults)).status_code == 422
    assert (await client.get("/faults")).json()["faults"] == Faults().model_dump(mode="json")


def test_the_same_seed_draws_the_same_faults_about_as_often_as_asked() -> None:
    def drawn(seed: int) -> list[str | None]:
        day = BadDay(seed)
        day.faults = Faults(refuse=0.2, drop_after=0.3)
        return [day.fault() for _ in range(2000)]

    assert drawn(1) == drawn(1) != drawn(2)
    assert 300 < drawn(1).count("refuse") < 500
    assert 500 < drawn(1).count("drop_after") < 700


async def announced(folder: Path, keys: str, come: int, **faults: float) -> list[str | None]:
    """The keys of the first `come` webhooks, when these charges are made one after the other."""
    mailbox = Mailbox()
    async with (
        serving(mailbox.app) as url,
        bad_day(folder, webhook_url=f"{url}/hook", webhook_secret=SECRET) as client,
    ):
        await put(client, **faults)
        cards = SandboxProvider(client, PATIENCE, webhook_secret=SECRET)
        for key in keys:
            await cards.capture(replace(ATTEMPT, key=key))
        return [cards.read_webhook(*await mailbox.next()) for _ in range(come)]


async def test_webhooks_come_twice(tmp_path: Path) -> None:
    assert await announced(tmp_path, "a", 2, webhook_duplicate=1) == ["a", "a"]


async def test_webhooks_come_in_another_order(tmp_path: Path) -> None:
    assert await announced(tmp_path, "ab", 2, webhook_shuffle=1) == ["b", "a"]


async def test_a_webhook_that_no_other_follows_comes_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faulty_network, "HELD_SECONDS", 0.05)
    assert await announced(tmp_path, "a", 1, webhook_shuffle=1) == ["a"]


async def test_it_is_a_process_of_its_own(tmp_path: Path) -> None:
    port = free_port()
    async with (
        process(port, tmp_path / "network.db", "--seed", "7", module="tests.support.faulty_network"),
        sandbox_client(f"http://127.0.0.1:{port}", tmp_path, PATIENCE, 0) as client,
    ):
        await put(client, drop_after=1)
        with pytest.raises(PaymentUnknownError, match="RemoteProtocolError"):
            await SandboxProvider(client, PATIENCE).capture(ATTEMPT)
        assert await charged(client)
