"""A line each few seconds for whoever waits."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from time import monotonic
from typing import Final

EVERY: Final = 5.0
"""Seconds between two lines."""


@contextmanager
def progress(line: Callable[[], str]) -> Iterator[None]:
    """Say on stderr how long it takes, and what `line` gives, while this lasts."""
    over, began = Event(), monotonic()

    def say() -> None:
        while not over.wait(EVERY):
            sys.stderr.write(f"{monotonic() - began:5.0f} s  {line()}\n")

    saying = Thread(target=say)
    saying.start()
    try:
        yield
    finally:
        over.set()
        saying.join()
