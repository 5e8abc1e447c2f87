#!/usr/bin/env bash
# mcp 2.3.0
#
# Behaviour: A tool of an MCPServer with a parameter text: str | None gets a text that happens to be JSON as what it
#   says: 'null' is None, and a list or an object is refused as no text. With text: str it gets what was sent.
# Surprise: The caller sent a JSON string, which the schema asks for, and is told that the input should be a valid
#   string. Making a parameter optional is not expected to change what it takes.
# Seen:
#   "null": str got 'null'; str | None got None
#   "[1, 2]": str got '[1, 2]'; str | None Input should be a valid string
#   "{\"sku\": 1}": str got '{"sku": 1}'; str | None Input should be a valid string
#   "12": str got '12'; str | None got '12'
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
python3 -m venv venv
venv/bin/pip install -q --no-compile --disable-pip-version-check mcp==2.3.0
venv/bin/python - <<'PY'
import asyncio
import json
import logging

from mcp import Client
from mcp.server import MCPServer

logging.disable()
server = MCPServer("desk")


@server.tool()
def note(text: str) -> str:
    """Add a note to an order."""
    return repr(text)


@server.tool()
def optional_note(text: str | None = None) -> str:
    """Add a note to an order."""
    return repr(text)


async def got(client, tool, text):
    result = await client.call_tool(tool, {"text": text})
    answer = result.content[0].text
    return answer.splitlines()[2].split(" [")[0].strip() if result.is_error else f"got {answer}"


async def main():
    seen = []
    async with Client(server) as client:
        for text in ("null", "[1, 2]", '{"sku": 1}', "12"):
            plain, optional = [await got(client, tool, text) for tool in ("note", "optional_note")]
            print(f"{json.dumps(text)}: str {plain}; str | None {optional}")
            seen.append(optional)
    if seen[0] != "got None" or "valid string" not in seen[1]:
        raise SystemExit("changed: an optional text is taken as it was sent")


asyncio.run(main())
PY
