"""Exactly one cron, whoever starts or restarts the server."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from langgraph_sdk.client import LangGraphClient

from agent.platform import service_client
from agent.server import cron
from agent.server.cron import keep_one_cron, one_cron
from agent.settings import Settings
from agent.tokens import create_tokens
from tests.support.platform_stub import Platform
from tests.support.threads import events

EVERY_MINUTE = "* * * * *"


@pytest.fixture
async def platform() -> AsyncIterator[Platform]:
    built = Platform()
    yield built
    await built.client.aclose()


async def test_a_cron_is_made_when_there_is_none(platform: Platform) -> None:
    kept = await one_cron(platform.client, EVERY_MINUTE)

    assert platform.crons == [kept]
    assert kept["schedule"] == EVERY_MINUTE


async def test_the_cron_that_is_there_is_kept(platform: Platform) -> None:
    first = await one_cron(platform.client, EVERY_MINUTE)

    assert await one_cron(platform.client, EVERY_MINUTE) == first
    assert len(platform.crons) == 1


async def test_of_several_the_oldest_is_kept_whoever_looks(platform: Platform) -> None:
    platform.cron("a", EVERY_MINUTE, "2026-06-01T11:00:01+00:00")
    platform.cron("c", EVERY_MINUTE, "2026-06-01T11:00:00+00:00")
    platform.cron("b", EVERY_MINUTE, "2026-06-01T11:00:00+00:00")

    assert (await one_cron(platform.client, EVERY_MINUTE))["cron_id"] == "b"
    assert [each["cron_id"] for each in platform.crons] == ["b"]


async def test_two_servers_that_start_at_once_end_with_one_cron(platform: Platform) -> None:
    await asyncio.gather(one_cron(platform.client, EVERY_MINUTE), one_cron(platform.client, EVERY_MINUTE))

    assert len(platform.crons) == 1


async def test_a_changed_schedule_replaces_the_old_cron(platform: Platform) -> None:
    platform.cron("old", "0 * * * *", "2026-06-01T11:00:00+00:00")

    await one_cron(platform.client, EVERY_MINUTE)

    assert [each["schedule"] for each in platform.crons] == [EVERY_MINUTE]


def use(monkeypatch: pytest.MonkeyPatch, *clients: LangGraphClient) -> None:
    """Every look at the platform uses the next of these clients."""
    left = iter(clients)

    async def client(_: Settings) -> LangGraphClient:
        return next(left)

    monkeypatch.setattr(cron, "service_client", client)
    monkeypatch.setattr(cron, "RETRY_SECONDS", 0)


async def test_it_waits_until_the_platform_answers(monkeypatch: pytest.MonkeyPatch, platform: Platform) -> None:
    unreachable = httpx.AsyncClient(transport=httpx.MockTransport(no_connection), base_url="http://platform")
    use(monkeypatch, LangGraphClient(unreachable), LangGraphClient(unreachable), platform.client)
    before = events("cron.waits"), events("cron.ready")

    await keep_one_cron(Settings(reconcile_cron=EVERY_MINUTE))

    assert len(platform.crons) == 1
    assert [graph for graph, _ in platform.runs] == ["reconciler"]  # at once, for what a crash left behind
    assert (events("cron.waits"), events("cron.ready")) == (before[0] + 2, before[1] + 1)
    await unreachable.aclose()


def no_connection(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("nobody listens", request=request)


async def test_it_waits_while_the_platform_fails(monkeypatch: pytest.MonkeyPatch, platform: Platform) -> None:
    starting = Platform()
    starting.broken["/runs/crons"] = 500
    use(monkeypatch, starting.client, platform.client)
    waits = events("cron.waits")

    await keep_one_cron(Settings(reconcile_cron=EVERY_MINUTE))

    assert len(platform.crons) == 1
    assert events("cron.waits") == waits + 1
    await starting.client.aclose()


async def test_without_a_schedule_there_is_no_cron(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch)

    await keep_one_cron(Settings(reconcile_cron=""))


@pytest.mark.parametrize("content", [None, "{}"])
async def test_without_the_service_token_it_says_so_and_waits_for_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, platform: Platform, content: str | None
) -> None:
    config = Settings(tokens_file=tmp_path / "tokens.json")
    if content:
        create_tokens(config.tokens_file)
        config.tokens_file.write_text(content)
    attempts = iter([service_client, service_client])

    async def client(config: Settings) -> LangGraphClient:
        ask = next(attempts, None)
        return await ask(config) if ask else platform.client

    monkeypatch.setattr(cron, "service_client", client)
    monkeypatch.setattr(cron, "RETRY_SECONDS", 0)
    waits = events("cron.waits")

    await keep_one_cron(config)

    assert (events("cron.waits"), len(platform.crons)) == (waits + 2, 1)
