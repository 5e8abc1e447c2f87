"""A clock that went back: a time in the ledger that has yet to come is no reason to wait for it."""

from datetime import datetime, timedelta
from typing import Final

CLOCK_SKEW: Final = timedelta(seconds=5)
"""How far the clocks of the machines that use a ledger may lie apart."""


def is_in_future(written: datetime, now: datetime) -> bool:
    """Whether a time that was written as the present has yet to come: the clock went back since."""
    return written > now + CLOCK_SKEW
