"""Exactly one cron drives the reconciler, whoever starts or restarts the server, and how often."""

import asyncio

import httpx
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import LangGraphError
from langgraph_sdk.schema import Cron

from agent.observability.events import emit
from agent.platform import service_client
from agent.settings import Settings
from agent.tokens import TokensError

RETRY_SECONDS = 1.0
"""How long to wait for the port, or for the platform, before trying again; doubled each time."""

LONGEST_WAIT_SECONDS = 30.0


async def keep_one_cron(config: Settings) -> None:
    """Wait until the server answers, then make its crons of the reconciler exactly one (none when it is switched off).

    Goes on trying while the platform can't be reached: without the cron nothing is taken on or escalated.
    """
    if not config.reconcile_cron:
        return
    wait = RETRY_SECONDS
    while True:
        try:
            client = await service_client(config)
            cron = await one_cron(client, config.reconcile_cron)
            await client.runs.create(None, "reconciler", input={})  # at once: a crash may have left work behind
        except (httpx.HTTPError, LangGraphError, TokensError) as error:
            emit("cron.waits", error=str(error) if isinstance(error, TokensError) else type(error).__name__)
        else:
            emit("cron.ready", cron_id=str(cron["cron_id"]), schedule=config.reconcile_cron)
            return
        await asyncio.sleep(wait)
        wait = min(2 * wait, LONGEST_WAIT_SECONDS)


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
    return [
        cron
        for assistant in await client.assistants.search(graph_id="reconciler", limit=1)
        for cron in await client.crons.search(assistant_id=assistant["assistant_id"], limit=100)
    ]
