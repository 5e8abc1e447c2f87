"""`python -m traffic`: customers come to a shop that runs, for a while, and what came of it is printed.

Exit code 0: each order that was accepted is known to the shop; 1: one is lost; 2: the shop can't be reached or the
command line can't be read; 130: told to stop.
"""

import argparse
import asyncio
import json
import sys
import warnings
from itertools import chain
from math import inf
from pathlib import Path
from typing import Any

import httpx

from agent.tokens import TokensError, read_tokens
from tests.support.live_server import until_told_to_stop
from traffic.plan import plan
from traffic.play import Players


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m traffic", description="Synthetic customers at a live shop.")
    parser.add_argument("--url", default="http://127.0.0.1:2024", help="the server's address")
    parser.add_argument("--tokens", type=Path, default=Path(".tokens.json"), help="as `desk tokens init` writes it")
    parser.add_argument("--seed", type=int, default=7, help="the same seed gives the same orders and words; 0 to 999")
    parser.add_argument("--rate", type=float, default=1.0, help="customers a second")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long customers come in")
    parser.add_argument("--staff", type=float, default=0.0, help="answers of staff a second; 0: people wait")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    numbers = 0 < options.rate < inf and 0 < options.seconds < inf and 0 <= options.staff < inf
    if not (numbers and 0 <= options.seed < 1_000):
        parser.error("--rate and --seconds are finite and more than 0, --staff is not less, --seed is 0 to 999")
    return options


async def _played(options: argparse.Namespace) -> dict[str, Any]:
    tokens: dict[str, str] = {caller.role: token for token, caller in read_tokens(options.tokens).items()}
    players = Players(options.url, tokens, options.seed)
    try:
        await players.open()
        staff = asyncio.create_task(players.staff(options.staff)) if options.staff else None
        await players.customers(plan(options.seed, options.rate), options.seconds)
        if staff:
            staff.cancel()
        return players.account.document(await players.ends())
    finally:
        await players.close()


def main() -> int:
    """Play it; returns the exit code."""
    warnings.filterwarnings("ignore", "Re(quest failed, attempting re|)connect")  # the SDK says so of a dead server
    options = _options()
    try:
        told = asyncio.run(until_told_to_stop(_played(options)))
    except asyncio.CancelledError:
        return 130
    except (OSError, ValueError, LookupError, TokensError, httpx.HTTPError, httpx.InvalidURL) as error:
        sys.stderr.write(f"{options.url}: {error}\n")
        return 2
    if options.json:
        print(json.dumps({"seed": options.seed, "rate": options.rate, "seconds": options.seconds, "account": told}))
    else:
        rows = chain.from_iterable(
            ((f"{name} {each}", number) for each, number in value.items())
            if isinstance(value, dict)
            else [(name, value)]
            for name, value in told.items()
        )
        for name, value in rows:
            print(f"{name:<28} {value}")
    return 1 if told["orders"].get("lost") else 0


if __name__ == "__main__":
    sys.exit(main())
