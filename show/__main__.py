"""`python -m show`: opens a living shop, prints where it is, and lives until Ctrl-C or for so many seconds.

Exit code 0: nothing is lost, doubled or unsettled; 1: something is, or the shop did not open; 130: told to stop.
"""

import argparse
import asyncio
import json
import os
import sys
import warnings
import webbrowser
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory

from show.control import Control
from show.supervisor import Show
from tests.support.live_server import until_told_to_stop


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m show", description="A living shop, and what happens to it.")
    parser.add_argument("--seed", type=int, default=7, help="of what customers do; 0 to 999")
    parser.add_argument("--rate", type=float, default=0.5, help="customers a second")
    parser.add_argument("--staff", type=float, default=0.1, help="answers of synthetic staff a second; 0: none")
    parser.add_argument("--seconds", type=float, default=inf, help="for how long customers come; else until Ctrl-C")
    parser.add_argument("--headless", action="store_true", help="open no browser")
    parser.add_argument("--json", action="store_true", help="print a JSON document as it opens, and one at the end")
    options = parser.parse_args()
    numbers = 0 < options.rate < inf and options.seconds > 0 and 0 <= options.staff < inf
    if not (numbers and 0 <= options.seed < 1_000):
        parser.error("--rate is finite, --rate and --seconds more than 0, --staff is not less, --seed is 0 to 999")
    return options


async def _show(options: argparse.Namespace, folder: Path) -> bool:
    show = Show(folder, seed=options.seed, rate=options.rate, staff=options.staff)
    control = Control(show)
    _tell("The shop opens …", as_json=options.json)
    try:
        await show.open()
        async with control.served():
            _tell_opened(control, as_json=options.json)
            if not options.headless and (os.environ.get("DISPLAY") or sys.platform in ("darwin", "win32")):
                await asyncio.to_thread(webbrowser.open, control.url)
            await show.live(options.seconds)
            result = await show.result()
    except BaseException:
        sys.stderr.write(show.stage.log_end() if isinstance(sys.exception(), Exception) else "")
        raise
    finally:
        await show.close()
    print(json.dumps({"event": "ended", **result}, indent=None if options.json else 2))
    return not any(result[name] for name in ("lost", "doubled", "unsettled", "broken_promises"))


def _tell(text: str, *, as_json: bool) -> None:
    if not as_json:
        print(text, flush=True)


def _tell_opened(control: Control, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"event": "opened", "control": control.url, "desk": control.desk}), flush=True)
        return
    print(f"What happens, and the buttons:  {control.url}")
    print(f"The desk:                       {control.desk}")
    print("Sign in there with one of these tokens, which are good for this show:")
    for role, token in control.tokens.items():
        print(f"  {role:<18} {token}")
    print("Ctrl-C ends all of it.", flush=True)


def main() -> int:
    """Run the show; returns the exit code. Nothing of it is left behind."""
    warnings.filterwarnings("ignore", "Re(quest failed, attempting re|)connect")  # the SDK's word for what we do here
    options = _options()
    try:
        with TemporaryDirectory(prefix="order-desk-show-") as folder:
            return 0 if asyncio.run(until_told_to_stop(_show(options, Path(folder)))) else 1
    except asyncio.CancelledError:
        sys.stderr.write("Stopped. Nothing is left behind.\n")
        return 130


if __name__ == "__main__":
    sys.exit(main())
