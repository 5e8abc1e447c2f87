"""`python -m demo`: plays the story on a stage of its own and says whether everything was as expected.

Exit code 0: it was; 1: it was not, or something failed; 130: told to stop.
"""

import argparse
import asyncio
import sys
from time import monotonic

from agent.shop import SHOP
from demo.stage import Stage, stage
from demo.story import ACTS, Chapter, Play
from demo.telling import Scene, Teller
from tests.support.live_server import until_told_to_stop

TITLE = "The order desk"
FOREWORD = (
    f"A small shop for {SHOP.sells}, its customers, its staff, and a bad day for the machines. Two processes are"
    " started for it: the server (langgraph dev) and a card network with a ledger of its own. What is stopped or killed"
    " below is stopped or killed for real. Nothing leaves this machine."
)


async def _play(play: Play, here: Stage, scene: Scene) -> None:
    try:
        await play(here, scene)
    finally:
        scene.end()


async def _act(chapters: tuple[Chapter, ...], first: int, here: Stage, teller: Teller) -> None:
    """Play an act's scenes side by side, and tell them one after another."""
    async with asyncio.TaskGroup() as group:
        scenes = {play: Scene() for chapter in chapters for play in chapter.scenes}
        for play, scene in scenes.items():
            group.create_task(_play(play, here, scene))
        for number, chapter in enumerate(chapters, first):
            teller.chapter(number, chapter.title, chapter.text)
            for play in chapter.scenes:
                teller.between_scenes()
                async for item in scenes[play]:
                    teller.tell(item)


async def _story(teller: Teller) -> None:
    began = monotonic()
    teller.opening(TITLE, FOREWORD)
    async with stage() as here:
        with teller.waiting("The shop opens …"):
            await here.open()
        number = 1
        for chapters in ACTS:
            await _act(chapters, number, here, teller)
            number += len(chapters)
        teller.summary(monotonic() - began)
        if not teller.all_ok:
            sys.stderr.write(here.log_end())


def main() -> int:
    """Play the story; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m demo", description="A shop survives an outage and a kill.")
    parser.add_argument("--json", action="store_true", help="print the outcomes only, as JSON lines")
    teller = Teller(as_json=parser.parse_args().json)
    try:
        asyncio.run(until_told_to_stop(_story(teller)))
    except asyncio.CancelledError:
        sys.stderr.write("Stopped. Nothing is left behind.\n")
        return 130
    return 0 if teller.all_ok else 1


if __name__ == "__main__":
    sys.exit(main())
