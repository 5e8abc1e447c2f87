"""Exactly one cron drives the reconciler, whoever starts or restarts the server, and how often."""

import asyncio

import httpx
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import LangGraphError
from langgraph_sdk.schema import Cron

from agent.identity import TokensError
from agent.observability.events import emit
from agent.platform import service_client
from agent.settings import Settings

RETRY_SECONDS = 1.0
"""How long to wait for the port, or for the platform, before trying again."""


async def keep_one_cron(config: Settings) -> None:
    """Wait until the server answers, then make its crons of the reconciler exactly one (none when it is switched off).

    Goes on trying while the platform can't be reached: without the cron nothing is taken on or escalated.
    """
    if not config.reconcile_cron:
        return
    while True:
        try:
            cron = await one_cron(await service_client(config), config.reconcile_cron)
        except (httpx.HTTPError, LangGraphError) as not_yet:
            emit("cron.waits", error=type(not_yet).__name__)
        except TokensError as unusable:
            emit("cron.waits", error=str(unusable))
            return
        else:
            emit("cron.ready", cron_id=str(cron["cron_id"]), schedule=config.reconcile_cron)
            return
        await asyncio.sleep(RETRY_SECONDS)


async def one_cron(client: LangGraphClient, schedule: str) -> Cron:
    """The oldest cron of the reconciler with this schedule, made if there is none; others are deleted.

    Two servers that start at once may both make one; each then deletes all but the same oldest.
    """
    if not [cron for cron in await _crons(client) if cron["schedule"] == schedule]:
        await client.crons.create("reconciler", schedule=schedule, input={})
    fitting = [cron for cron in await _crons(client) if cron["schedule"] == schedule]
    kept = min(fitting, key=lambda cron: (str(cron["created_at"]), str(cron["cron_id"])))
    for cron in await _crons(client):
        if cron["cron_id"] != kept["cron_id"]:
            await client.crons.delete(str(cron["cron_id"]))
    return kept


async def _crons(client: LangGraphClient) -> list[Cron]:
    reconciler = (await client.assistants.search(graph_id="reconciler", limit=1))[0]
    return list(await client.crons.search(assistant_id=reconciler["assistant_id"], limit=100))
