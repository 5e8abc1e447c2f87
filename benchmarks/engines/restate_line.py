"""Restate: a workflow of `run` steps, with durable promises for what is asked and for the yes.

This process is the endpoint that Restate's server calls over HTTP, and goes on calling until it answers.
"""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import httpx
import restate
from hypercorn.asyncio import serve as serve_http
from hypercorn.config import Config

from benchmarks.contenders.wire import Json
from benchmarks.engines.line import Work, opened, serve_line, yes_to

work: Work
process = restate.Workflow("process")


@process.main()
async def run(ctx: restate.WorkflowContext, order: Json) -> str:
    """An order's way from its placing to its hand-over."""
    order_id = order["order_id"]
    lines = await ctx.run_typed("place", work.place, order=order)
    await restate.gather(
        *(ctx.run_typed("reserve_line", work.reserve_line, order_id=order_id, line=line) for line in lines)
    )
    if request := await ctx.run_typed("assess", work.assess, order_id=order_id):
        await ctx.promise("asked", type_hint=dict).resolve(request)
        said = await ctx.promise("approval", type_hint=dict).value()
        await ctx.run_typed("decide", work.decide, order_id=order_id, asked=request, said=said)
    parcels = await ctx.run_typed("charge", work.charge, order_id=order_id)
    await restate.gather(*(ctx.run_typed("ship", work.ship, order_id=order_id, parcel_id=each) for each in parcels))
    return str(await ctx.run_typed("complete", work.complete, order_id=order_id))


@process.handler()
async def asked(ctx: restate.WorkflowSharedContext) -> Json:
    """What people are asked, once they are."""
    return dict(await ctx.promise("asked", type_hint=dict).value())


@process.handler()
async def approve(ctx: restate.WorkflowSharedContext, said: Json) -> None:
    """Resolve the promise."""
    await ctx.promise("approval", type_hint=dict).resolve(said)


class RestateLine:
    """Orders as workflows, whose keys are the orders' ids; spoken to through the server's ingress."""

    def __init__(self, ingress: httpx.AsyncClient) -> None:
        self._ingress = ingress

    async def submit(self, order: Json) -> None:
        """Send it; one that is sent again is the same workflow."""
        (await self._ingress.post(f"/process/{order['order_id']}/run/send", json=order)).raise_for_status()

    async def approve(self, order_id: str) -> None:
        """Send the yes; one that is there already counts."""
        asked = await self._ingress.post(f"/process/{order_id}/asked")
        sent = await self._ingress.post(
            f"/process/{order_id}/approve/send", json=yes_to(asked.raise_for_status().json())
        )
        sent.raise_for_status()

    async def end_of(self, order_id: str) -> str:
        """What the workflow returns."""
        ended = await self._ingress.get(f"/restate/workflow/process/{order_id}/attach")
        ended.raise_for_status()
        return str(ended.json())


async def main() -> None:
    """Serve until nothing more is asked."""
    global work
    async with AsyncExitStack() as stack:
        shop = await opened(stack)
        work, port, ended = shop.work, shop.options.restate_port, asyncio.Event()
        config = Config()
        config.bind = [f"127.0.0.1:{port}"]
        config.accesslog = None
        app: Any = restate.app([process])
        endpoint = asyncio.create_task(serve_http(app, config, shutdown_trigger=ended.wait))
        async with httpx.AsyncClient(timeout=60, trust_env=False) as admin:
            body = {"uri": f"http://127.0.0.1:{port}", "force": True}
            registered = await admin.post(f"{shop.options.restate_admin_url}/deployments", json=body)
            registered.raise_for_status()
        ingress = httpx.AsyncClient(base_url=shop.options.restate_url, timeout=120, trust_env=False)
        await serve_line(RestateLine(await stack.enter_async_context(ingress)), shop)
        ended.set()
        await endpoint


if __name__ == "__main__":
    asyncio.run(main())
