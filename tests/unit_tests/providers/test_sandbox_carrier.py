"""The carrier over the wire: what it does with parcels, and what each of its answers means in the port's words."""

import asyncio
import re
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.providers.carrier import Carrier, CarrierError, CarrierUnavailableError, ParcelRefusedError, Shipment
from agent.providers.factory import sandbox_client
from agent.providers.sandbox_carrier import SandboxCarrier
from tests.support.serving import PATIENCE, until

HOME = {"line1": "1 Main Street", "city": "Salem", "postcode": "97301", "country": "US"}
REFUSED = HOME | {"postcode": "00000"}
AWAY = HOME | {"postcode": "99999"}
PARCEL = "W-1/east"

Call = Callable[[Carrier], Awaitable[Shipment]]


def book(carrier: Carrier) -> Awaitable[Shipment]:
    return carrier.book(PARCEL, HOME)


def stop(carrier: Carrier) -> Awaitable[Shipment]:
    return carrier.stop(PARCEL)


every_call = pytest.mark.parametrize("call", [book, stop])


@pytest.fixture
def carrier(client: httpx.AsyncClient) -> SandboxCarrier:
    """A carrier whose van comes in half a minute."""
    return SandboxCarrier(client, PATIENCE)


def prompt(database: Path, hand_over_seconds: float = 0) -> httpx.AsyncClient:
    """A client of a carrier whose van comes at once, or soon."""
    return sandbox_client("", database, PATIENCE, 0, hand_over_seconds)


def answering(answer: httpx.Response | Exception) -> SandboxCarrier:
    """A carrier whose wire always gives this."""

    def respond(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return SandboxCarrier(httpx.AsyncClient(transport=httpx.MockTransport(respond), base_url="http://wire"), PATIENCE)


async def deliver(client: httpx.AsyncClient, parcel_id: str = PARCEL) -> httpx.Response:
    return await client.post("/shipments/deliver", json={}, headers={"Idempotency-Key": parcel_id})


async def told(client: httpx.AsyncClient) -> dict[str, str]:
    """{parcel id: state} of all that the carrier heard of."""
    shipments = (await client.get("/shipments")).json()["shipments"]
    return {each["parcel_id"]: each["state"] for each in shipments}


async def found(client: httpx.AsyncClient, parcel_id: str = PARCEL) -> httpx.Response:
    return await client.get(f"/shipments/{quote(parcel_id, safe='')}")


@pytest.mark.parametrize("parcel_id", [PARCEL, "#W1/a b?c=%2F", "stop"])
async def test_a_parcel_is_booked_once_and_found_by_its_id(
    client: httpx.AsyncClient, carrier: SandboxCarrier, parcel_id: str
) -> None:
    first = await carrier.book(parcel_id, HOME)
    assert first == Shipment(parcel_id, "booked", first.tracking_id)
    assert re.fullmatch("T[0-9A-F]{10}", first.tracking_id)
    assert await carrier.book(parcel_id, HOME) == first
    assert (await found(client, parcel_id)).json() == asdict(first)
    assert await told(client) == {parcel_id: "booked"}


async def test_an_unknown_parcel_is_not_found(client: httpx.AsyncClient) -> None:
    assert (await found(client)).status_code == 404
    assert (await deliver(client)).status_code == 404


async def test_without_a_wait_a_booked_parcel_has_left(tmp_path: Path) -> None:
    async with prompt(tmp_path / "network.db") as client:
        carrier = SandboxCarrier(client, PATIENCE)
        assert (await carrier.book(PARCEL, HOME)).state == "handed_over"
        assert (await carrier.stop(PARCEL)).state == "handed_over"


async def test_a_booked_parcel_leaves_when_its_time_has_come(tmp_path: Path) -> None:
    async with prompt(tmp_path / "network.db", hand_over_seconds=0.3) as client:
        carrier = SandboxCarrier(client, PATIENCE)
        assert (await carrier.book(PARCEL, HOME)).state == "booked"

        async def left() -> bool:
            return (await found(client)).json()["state"] == "handed_over"  # type: ignore[no-any-return]

        await until(left)
        assert await told(client) == {PARCEL: "handed_over"}


async def test_a_parcel_that_left_is_delivered_when_it_is_told_to(tmp_path: Path) -> None:
    async with prompt(tmp_path / "network.db") as client:
        carrier = SandboxCarrier(client, PATIENCE)
        await carrier.book(PARCEL, HOME)
        for _ in range(2):
            assert (await deliver(client)).json()["state"] == "delivered"
        assert (await carrier.book(PARCEL, HOME)).state == "delivered"
        assert (await carrier.stop(PARCEL)).state == "delivered"


async def test_a_parcel_that_has_not_left_cannot_arrive(client: httpx.AsyncClient, carrier: SandboxCarrier) -> None:
    await carrier.book(PARCEL, HOME)
    assert (await deliver(client)).status_code == 409
    await carrier.stop(PARCEL)
    assert (await deliver(client)).status_code == 409
    assert await told(client) == {PARCEL: "stopped"}


async def test_a_booked_parcel_can_be_stopped_for_good(carrier: SandboxCarrier) -> None:
    booked = await carrier.book(PARCEL, HOME)
    stopped = Shipment(PARCEL, "stopped", booked.tracking_id)
    assert await carrier.stop(PARCEL) == stopped
    assert await carrier.stop(PARCEL) == stopped
    assert await carrier.book(PARCEL, HOME) == stopped


async def test_a_booking_that_comes_after_its_stop_does_not_leave(tmp_path: Path) -> None:
    async with prompt(tmp_path / "network.db") as client:
        carrier = SandboxCarrier(client, PATIENCE)
        assert (await carrier.stop(PARCEL)).state == "stopped"
        assert (await carrier.book(PARCEL, HOME)).state == "stopped"
        assert await told(client) == {PARCEL: "stopped"}


@settings(max_examples=20, deadline=None)
@given(st.lists(st.sampled_from(["book", "stop", "deliver"]), min_size=1, max_size=6), st.sampled_from([0.0, 3600.0]))
async def test_a_parcel_never_comes_back(steps: list[str], hand_over_seconds: float) -> None:
    after = {
        "": {"booked", "handed_over", "stopped"},
        "booked": {"booked", "stopped"},
        "handed_over": {"handed_over", "delivered"},
        "delivered": {"delivered"},
        "stopped": {"stopped"},
    }
    with tempfile.TemporaryDirectory() as folder:
        async with prompt(Path(folder) / "network.db", hand_over_seconds) as client:
            carrier, state = SandboxCarrier(client, PATIENCE), ""
            for step in steps:
                match step:
                    case "deliver":
                        await deliver(client)
                    case "book":
                        await carrier.book(PARCEL, HOME)
                    case _:
                        await carrier.stop(PARCEL)
                now = (await told(client)).get(PARCEL, "")
                assert now in after[state] | ({""} if not state else set())
                state = now


async def test_a_booking_and_its_stop_that_race_agree(carrier: SandboxCarrier, client: httpx.AsyncClient) -> None:
    await asyncio.gather(*(call(carrier) for call in (book, stop) * 4))
    assert await told(client) == {PARCEL: "stopped"}


async def test_a_parcel_booked_to_go_elsewhere_is_no_answer(client: httpx.AsyncClient, carrier: SandboxCarrier) -> None:
    await carrier.book(PARCEL, HOME)
    with pytest.raises(CarrierUnavailableError, match="409"):
        await carrier.book(PARCEL, HOME | {"line1": "2 Main Street"})
    assert await told(client) == {PARCEL: "booked"}


async def test_some_parcels_are_never_taken_and_the_carrier_says_why(
    client: httpx.AsyncClient, carrier: SandboxCarrier
) -> None:
    with pytest.raises(ParcelRefusedError, match="no van goes to this postcode"):
        await carrier.book(PARCEL, REFUSED)
    assert await told(client) == {}


async def test_a_carrier_that_is_away_keeps_nothing(client: httpx.AsyncClient, carrier: SandboxCarrier) -> None:
    with pytest.raises(CarrierUnavailableError, match="503"):
        await carrier.book(PARCEL, AWAY)
    assert await told(client) == {}


async def test_bad_requests_are_refused(client: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": PARCEL}
    assert (await client.post("/shipments", json={"ship_to": HOME})).status_code == 400
    assert (await client.post("/shipments/stop", json={})).status_code == 400
    assert (await client.post("/shipments", json={"ship_to": "home"}, headers=key)).status_code == 422
    assert (await client.post("/shipments", json={"ship_to": HOME, "more": 1}, headers=key)).status_code == 422
    assert await told(client) == {}


GOOD = {"parcel_id": PARCEL, "state": "booked", "tracking_id": "T1"}


@every_call
@pytest.mark.parametrize(
    "answer",
    [
        *(httpx.Response(status, json=GOOD) for status in (201, 302, 400, 404, 409, 429, 500, 503)),
        httpx.Response(422, json={"detail": []}),
        httpx.Response(422, json={"never_taken": "W-2/east", "reason": "another parcel"}),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=GOOD | {"state": "lost"}),
        httpx.Response(200, json=GOOD | {"parcel_id": "W-2/east"}),
        httpx.ConnectError("x"),
        httpx.ReadTimeout("x"),
        httpx.RemoteProtocolError("x"),
    ],
)
async def test_no_answer_and_one_that_means_nothing_are_away(call: Call, answer: httpx.Response | Exception) -> None:
    with pytest.raises(CarrierUnavailableError):
        await call(answering(answer))


async def test_silence_is_away(client: httpx.AsyncClient) -> None:
    with pytest.raises(CarrierUnavailableError, match="TimeoutError"):
        await book(SandboxCarrier(client, 0))


@pytest.mark.parametrize("ship_to", [HOME, REFUSED, AWAY])
async def test_an_error_does_not_tell_the_address(ship_to: dict[str, str]) -> None:
    for answer in (httpx.Response(422, json={"ship_to": ship_to}), httpx.Response(500, json=ship_to)):
        with pytest.raises(CarrierError) as raised:
            await answering(answer).book(PARCEL, ship_to)
        assert not any(part in str(raised.value) for part in ship_to.values() if part)
