"""Processor seconds of what a benchmark runs but did not write: PostgreSQL, Redis, the whole machine (Linux)."""

import os
from contextlib import suppress
from pathlib import Path

import psycopg

_TICK = 1 / os.sysconf("SC_CLK_TCK")


def postgres_seconds(url: str) -> float:
    """Of a PostgreSQL server on this machine and all its processes until now."""
    with psycopg.connect(url) as connection:
        postmaster = int(_stat(connection.info.backend_pid)[1])
    ticks = sum(map(int, _stat(postmaster)[11:15]))  # its own, and of those that have ended
    for child in Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split():
        with suppress(FileNotFoundError, ProcessLookupError):  # one that has just ended
            ticks += sum(map(int, _stat(int(child))[11:13]))
    return ticks * _TICK


def process_seconds(pid: int) -> float:
    """Of one process until now, its threads included and its children not."""
    return sum(map(int, _stat(pid)[11:13])) * _TICK


def machine_seconds() -> float:
    """Of all that ran on this machine since it started."""
    user, nice, system, _idle, _iowait, irq, softirq, *_ = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    return sum(map(int, (user, nice, system, irq, softirq))) * _TICK


def _stat(pid: int) -> list[str]:
    """man 5 proc, from its field 3 on."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
