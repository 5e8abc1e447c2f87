"""The wire form of the card network over both transports, and the network as a process of its own."""

import asyncio
import os
import socket
import tempfile
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from blockbuster import blockbuster_ctx
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.providers.factory import sandbox_client
from agent.providers.payment import Attempt, Charge, NoCharge, PaymentNotSentError, PaymentUnknownError
from agent.providers.sandbox import SandboxProvider
from tests.support.serving import PATIENCE, free_port, process, start, until

CHARGE = {"amount": 1000, "currency": "USD", "token": "tok_approve"}


async def charge(client: httpx.AsyncClient, key: str, **changes: object) -> httpx.Response:
    return await client.post("/charges", json=CHARGE | changes, headers={"Idempotency-Key": key})


async def refund(client: httpx.AsyncClient, key: str, charge_id: str, amount: int) -> httpx.Response:
    body = {"charge_id": charge_id, "amount": amount}
    return await client.post("/refunds", json=body, headers={"Idempotency-Key": key})


async def void(client: httpx.AsyncClient, key: str) -> httpx.Response:
    return await client.post("/voids", json={}, headers={"Idempotency-Key": key})


async def ledger(client: httpx.AsyncClient) -> dict[str, list[dict[str, object]]]:
    told: dict[str, list[dict[str, object]]] = (await client.get("/charges")).json()
    return told


async def charges(client: httpx.AsyncClient) -> list[dict[str, object]]:
    return (await ledger(client))["charges"]


@pytest.mark.parametrize("token", ["tok_approve", "a_card_of_an_imported_shop"])
async def test_a_charge_is_captured_and_found_by_its_key(client: httpx.AsyncClient, token: str) -> None:
    answer = (await charge(client, "k/1#a", token=token)).json()
    assert answer == {"id": answer["id"], "key": "k/1#a", "status": "captured", "amount": 1000, "reason": ""}
    assert (await client.get("/charges/k%2F1%23a")).json() == answer
    assert await ledger(client) == {"charges": [answer], "refunds": [], "credits": []}


async def test_a_declined_charge_is_kept_with_its_reason(client: httpx.AsyncClient) -> None:
    answer = (await charge(client, "k1", token="tok_decline")).json()
    assert answer["status"] == "declined"
    assert answer["reason"]
    assert await charges(client) == [answer]


async def test_a_card_that_is_down_leaves_nothing_behind(client: httpx.AsyncClient) -> None:
    assert (await charge(client, "k1", token="tok_down")).status_code == 503
    assert await ledger(client) == {"charges": [], "refunds": [], "credits": []}
    assert (await client.get("/charges/k1")).json() == {"no_such_charge": "k1"}


async def test_the_same_key_again_gives_the_first_answer(client: httpx.AsyncClient) -> None:
    first = await charge(client, "k1")
    assert (await charge(client, "k1")).json() == first.json()
    assert len(await charges(client)) == 1


@pytest.mark.parametrize("change", [{"amount": 999}, {"currency": "EUR"}, {"token": "tok_decline"}])
async def test_the_same_key_with_another_parameter_is_a_conflict_that_names_it(
    client: httpx.AsyncClient, change: dict[str, object]
) -> None:
    await charge(client, "k1")
    refused = await charge(client, "k1", **change)
    assert refused.status_code == 409
    assert f"another {next(iter(change))}" in refused.json()["detail"]
    assert len(await charges(client)) == 1


@pytest.mark.parametrize("token", ["tok_slow", "tok_timeout_after_charge"])
async def test_a_card_that_answers_late_is_charged_first_and_at_once_the_second_time(
    client: httpx.AsyncClient, token: str
) -> None:
    waiting = asyncio.create_task(charge(client, "k1", token=token))
    await until(lambda: charges(client))
    assert not waiting.done()
    again = (await charge(client, "k1", token=token)).json()
    assert again["status"] == "captured"
    assert await charges(client) == [again]
    waiting.cancel()  # the server's wait ends with its client, or the fixture could not shut it down in time


async def test_the_slow_card_takes_as_long_as_it_is_told(tmp_path: Path) -> None:
    clock = asyncio.get_running_loop().time
    async with sandbox_client("", tmp_path / "network.db", PATIENCE, slow_seconds=0.2) as client:
        before = clock()
        assert (await charge(client, "k1", token="tok_slow")).json()["status"] == "captured"
        assert clock() - before >= 0.19


async def test_a_void_says_that_nothing_was_charged_and_declines_what_comes(client: httpx.AsyncClient) -> None:
    voided = await void(client, "k1")
    assert (voided.status_code, voided.json()) == (404, {"no_such_charge": "k1"})
    answer = (await charge(client, "k1")).json()
    assert (answer["status"], answer["reason"]) == ("declined", "voided before it came")
    assert (await void(client, "k1")).json() == answer
    assert await charges(client) == [answer]


async def test_a_void_does_not_undo_a_capture(client: httpx.AsyncClient) -> None:
    captured = (await charge(client, "k1")).json()
    assert (await void(client, "k1")).json() == captured
    assert await charges(client) == [captured]


async def test_a_refund_happens_once_per_key(client: httpx.AsyncClient) -> None:
    charge_id = (await charge(client, "k1")).json()["id"]
    first = (await refund(client, "r1", charge_id, 400)).json()
    assert first == {"id": first["id"], "key": "r1", "state": "succeeded", "charge_id": charge_id, "amount": 400}
    assert (await refund(client, "r1", charge_id, 400)).json() == first
    assert (await refund(client, "r1", charge_id, 500)).status_code == 409
    assert (await ledger(client))["refunds"] == [first]


async def test_a_refund_of_nothing_captured_is_refused(client: httpx.AsyncClient) -> None:
    declined = (await charge(client, "k1", token="tok_decline")).json()["id"]
    for charge_id in (declined, "ch_unknown"):
        assert (await refund(client, "r1", charge_id, 1)).status_code == 422
    assert (await ledger(client))["refunds"] == []


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(min_value=1, max_value=1200), max_size=6))
async def test_refunds_never_add_up_to_more_than_the_capture(amounts: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with sandbox_client("", Path(folder) / "network.db", PATIENCE, slow_seconds=0) as client:
            charge_id = (await charge(client, "k1")).json()["id"]
            left = 1000
            for number, amount in enumerate(amounts):
                fits = amount <= left
                answer = await refund(client, f"r{number}", charge_id, amount)
                assert answer.status_code == (200 if fits else 422)
                left -= amount if fits else 0
            refunds = (await ledger(client))["refunds"]
            assert sum(int(str(each["amount"])) for each in refunds) == 1000 - left


@pytest.mark.parametrize(
    "change",
    [
        {"amount": 0},
        {"amount": -1},
        {"amount": 10.5},
        {"amount": "10"},
        {"amount": 10**13},
        {"currency": "dollars"},
        {"token": ""},
        {"amount": None},
        {"another": 1},
    ],
)
async def test_bad_input_is_refused(client: httpx.AsyncClient, change: dict[str, object]) -> None:
    assert (await charge(client, "k1", **change)).status_code == 422
    assert await charges(client) == []


async def test_a_refusal_says_what_is_wrong_and_where(client: httpx.AsyncClient) -> None:
    [wrong] = (await charge(client, "k1", amount=0)).json()["detail"]
    assert (wrong["loc"], wrong["msg"]) == (["body", "amount"], "Input should be greater than 0")
    refused = await client.post("/charges", content="{", headers={"Idempotency-Key": "k1"})
    assert (refused.status_code, refused.json()["detail"][0]["loc"]) == (422, ["body"])
    assert (await charge(client, "k" * 251)).status_code == 422
    assert (await client.get("/nowhere")).json() == {"detail": "Not Found"}
    assert await charges(client) == []


async def test_an_effect_without_a_key_is_refused(client: httpx.AsyncClient) -> None:
    charged = await client.post("/charges", json=CHARGE)
    refunded = await client.post("/refunds", json={"charge_id": "ch_1", "amount": 1})
    voided = await client.post("/voids", json={})
    assert (charged.status_code, refunded.status_code, voided.status_code) == (400, 400, 400)
    assert await charges(client) == []


async def test_first_requests_that_race_from_two_networks_on_one_file_charge_once(tmp_path: Path) -> None:
    database = tmp_path / "network.db"
    async with (
        sandbox_client("", database, PATIENCE, slow_seconds=0) as one,
        sandbox_client("", database, PATIENCE, slow_seconds=0) as other,
    ):
        answers = await asyncio.gather(*(charge(client, "k1") for client in (one, other) * 8))
        assert len({answer.json()["id"] for answer in answers}) == 1


async def test_refunds_that_race_share_what_is_left(client: httpx.AsyncClient) -> None:
    charge_id = (await charge(client, "k1")).json()["id"]
    answers = await asyncio.gather(*(refund(client, f"r{number}", charge_id, 300) for number in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 3 + [422] * 5


async def test_a_broken_database_is_a_500_and_a_log_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "network.db").write_text("this is no database, whatever its name says")
    async with sandbox_client("", tmp_path / "network.db", PATIENCE, slow_seconds=0) as client:
        assert (await charge(client, "k1")).status_code == 500
    assert "database failed" in caplog.text


async def test_a_network_in_process_holds_its_file_open_until_its_client_is_closed(tmp_path: Path) -> None:
    database = tmp_path / "network.db"

    def is_open() -> bool:
        with os.scandir("/dev/fd") as files:
            numbers = [int(file.name) for file in files]
        return database.exists() and any(_inode(number) == database.stat().st_ino for number in numbers)

    async with sandbox_client("", database, PATIENCE, slow_seconds=0) as client:
        assert not is_open()
        await charge(client, "k1")
        assert is_open()
    assert not is_open()


def _inode(number: int) -> int | None:
    with suppress(OSError):  # that of the scan itself is closed by now
        return os.fstat(number).st_ino
    return None


async def test_the_network_in_process_never_blocks_the_event_loop(tmp_path: Path) -> None:
    with blockbuster_ctx():
        async with sandbox_client("", tmp_path / "new" / "network.db", PATIENCE, slow_seconds=0) as client:
            charge_id = (await charge(client, "k1")).json()["id"]
            assert (await refund(client, "r1", charge_id, 1)).status_code == 200


async def test_an_outage_loses_calls_but_no_charge(tmp_path: Path) -> None:
    port, database = free_port(), tmp_path / "network.db"
    first, third = (Attempt(key, 1000, "USD", "tok_approve") for key in ("k1", "k3"))
    second = Attempt("k2", 500, "USD", "tok_timeout_after_charge")
    async with sandbox_client(f"http://127.0.0.1:{port}", database, PATIENCE, slow_seconds=0) as client:
        provider = SandboxProvider(client, PATIENCE)

        async def came() -> bool:
            return isinstance(await provider.find(second), Charge)

        async with process(port, database):
            captured = await provider.capture(first)
            cut = asyncio.create_task(provider.capture(second))
            await until(came)
        with pytest.raises(PaymentUnknownError):
            await cut
        with pytest.raises(PaymentNotSentError):
            await provider.capture(third)
        async with process(port, database):
            assert await provider.find(first) == captured
            assert await came()
            assert await provider.find(third) is NoCharge.NEVER_CAME


async def test_a_port_in_use_is_a_clear_error(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        refused = await start(holder.getsockname()[1], tmp_path / "network.db")
        async with asyncio.timeout(PATIENCE * 3):
            _, told = await refused.communicate()
    assert refused.returncode
    assert b"address already in use" in told
