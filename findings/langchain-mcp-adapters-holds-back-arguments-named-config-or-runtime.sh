#!/usr/bin/env bash
# langchain-mcp-adapters 0.3.2 with mcp 1.30.0 and langchain-core 1.8.3
#
# Behaviour: Arguments of an MCP tool that are named config or runtime are shown to the model, and not sent to the
#   server when the model gives them. The server runs with its defaults.
# Surprise: The tool and its schema are the server's, in any language; the names are ordinary words there (the
#   runtime of a film). Nothing is said when the tool is loaded or called.
# Seen:
#   the model may send: ['title', 'runtime', 'config']
#   asked directly:      Alien, 117 minutes, config steelbook
#   asked by the adapter: Alien, 0 minutes, config none
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check langchain-mcp-adapters==0.3.2 mcp==1.30.0 langchain-core==1.8.3
venv/bin/python - <<'PY'
import asyncio

from langchain_mcp_adapters.tools import load_mcp_tools
from mcp.server.fastmcp import FastMCP
from mcp.shared.memory import create_connected_server_and_client_session

server = FastMCP("shop", log_level="WARNING")


@server.tool()
def add_film(title: str, runtime: int = 0, config: str = "none") -> str:
    """Add a film to the catalogue."""
    return f"{title}, {runtime} minutes, config {config}"


async def main():
    film = {"title": "Alien", "runtime": 117, "config": "steelbook"}
    async with create_connected_server_and_client_session(server._mcp_server) as session:
        (tool,) = await load_mcp_tools(session)
        direct = (await session.call_tool("add_film", film)).content[0].text
        adapted = (await tool.ainvoke(film))[0]["text"]
    print("the model may send:", list(tool.args))
    print("asked directly:     ", direct)
    print("asked by the adapter:", adapted)
    if adapted != "Alien, 0 minutes, config none":
        raise SystemExit("changed: the arguments are sent")


asyncio.run(main())
PY
