"""A measured figure, printed as one JSON line. What is measured, and how, is in the benchmarks."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict, dataclass, field

Measured = float | str


@dataclass(frozen=True, kw_only=True)
class Figure:
    """`bar` is what the value is held against, as a reader would write it; `peers` have the same unit."""

    figure: str
    value: Measured
    unit: str
    bar: str
    holds: bool
    peers: Mapping[str, Measured] = field(default_factory=dict)
    note: str = ""


async def report(figures: AsyncIterator[Figure]) -> bool:
    """Print each figure as it comes; whether all hold."""
    all_hold = True
    async for figure in figures:
        print(json.dumps(asdict(figure), ensure_ascii=False), flush=True)  # noqa: T201
        all_hold = all_hold and figure.holds
    return all_hold
