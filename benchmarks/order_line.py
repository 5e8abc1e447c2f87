"""What an order costs in process: beside the build before, DBOS with the same commands, and a bare graph."""

from collections.abc import Iterator
from statistics import median
from typing import Final

from benchmarks.builds import OLD, progress
from benchmarks.figures import Figure
from benchmarks.rivals import OURS, Engine, Run, interleaved, multiple, spread, started

BATCH_SIZE: Final = 10
SMALL: Final = 2
LARGE: Final = 100
DBOS: Final = "DBOS"
BARE: Final = "the bare graph"
_RATE: Final = "orders/s"
_CPU: Final = "ms of processor an order"
_BARS: Final[dict[Engine, tuple[float, float]]] = {"sqlite": (3.0, 0.33), "postgresql": (2.5, 0.4)}
"""Orders a second at least, and processor at most, as multiples of the build before."""


def orders(run: Run, engine: Engine = "sqlite") -> Iterator[Figure]:
    """Orders of two lines, ten at once."""
    contenders = run.builds() | {DBOS: ("dbos_orders", run.ours), BARE: ("bare", run.ours)}
    with started(run.folder / "orders" / engine, contenders, engine) as running:
        taken = interleaved(running, run.rounds, run.orders, BATCH_SIZE, SMALL, name=f"{engine}-")
    rate = {name: each.rate for name, each in taken.items()}
    cpu = {name: each.cpu for name, each in taken.items()}
    at_least, at_most = _BARS[engine]
    yield multiple(f"orders_a_second_against_{OLD}_{engine}", _RATE, rate, OLD, at_least=at_least)
    yield multiple(f"cpu_an_order_against_{OLD}_{engine}", _CPU, cpu, OLD, at_most=at_most)
    also = f"; {_CPU}: ours {spread(cpu[OURS])}, {DBOS} {spread(cpu[DBOS])}"
    yield multiple(f"orders_a_second_against_dbos_{engine}", _RATE, rate, DBOS, at_least=1.3, note=also)
    also = f"; {_RATE}: ours {spread(rate[OURS])}, {BARE} {spread(rate[BARE])}"
    yield multiple(f"cpu_an_order_against_the_bare_graph_{engine}", _CPU, cpu, BARE, at_most=4.0, note=also)
    if engine == "sqlite":
        yield _evenness({name: each.spread for name, each in taken.items()})


def _evenness(ratios: dict[str, list[float]]) -> Figure:
    value = median(ratios.pop(OURS))
    return Figure(
        figure="p95_against_p50_sqlite",
        value=round(value, 2),
        unit=f"times p50 of an order's seconds, {BATCH_SIZE} at once",
        bar="<= 1.6",
        holds=value <= 1.6,
        peers={name: round(median(each), 2) for name, each in ratios.items()},
    )


def postgres(run: Run) -> Iterator[Figure]:
    """The same with the ledger and the checkpoints on PostgreSQL, whose own processor time is not counted."""
    yield from orders(run, "postgresql")


def lines(run: Run) -> Iterator[Figure]:
    """Orders of 100 lines beside orders of two: what a further line costs."""
    with started(run.folder / "lines", run.builds()) as running:
        small = interleaved(running, run.rounds, run.orders // 2, 3, SMALL, name="small-")
        large = interleaved(running, run.rounds, 3, 3, LARGE, name="large-")
    further = {name: (median(large[name].cpu) - median(small[name].cpu)) / (LARGE - SMALL) for name in large}
    yield Figure(
        figure="cpu_of_a_further_line",
        value=round(further[OURS], 2),
        unit=f"ms of processor, from orders of {SMALL} and of {LARGE} lines, 3 at once",
        bar="<= 2",
        holds=further[OURS] <= 2,
        peers={OLD: round(further[OLD], 2)},
    )
    cpu = {name: each.cpu for name, each in large.items()}
    yield multiple(f"cpu_an_order_of_{LARGE}_lines_against_{OLD}", _CPU, cpu, OLD, at_most=0.25)


def statements(run: Run) -> Iterator[Figure]:
    """What an order of two lines asks of the ledger."""
    found: dict[str, dict[str, int]] = {}
    with started(run.folder / "statements", run.builds()) as running:
        for name, contender in running.items():
            contender.ask("orders", name="warm", count=3, at_once=1, lines=SMALL)
            found[name] = contender.ask("statements", name="counted", lines=SMALL)
    asked = {name: sum(counts.values()) - counts["transactions"] - counts["BEGIN"] for name, counts in found.items()}
    begun = {name: counts["transactions"] for name, counts in found.items()}
    for what, most, values in (("statements", 45, asked), ("transactions", 12, begun)):
        yield Figure(
            figure=f"{what}_of_an_order",
            value=values[OURS],
            unit=f"{what} in the ledger, an order of {SMALL} lines",
            bar=f"<= {most}",
            holds=values[OURS] <= most,
            peers={OLD: values[OLD]},
            note=f"ours {found[OURS]}" if what == "statements" else "",
        )


def crowd(run: Run) -> Iterator[Figure]:
    """25 orders of 100 lines at once, on both databases."""
    engines: tuple[Engine, ...] = ("sqlite", "postgresql")
    for engine in engines:
        found = {}
        with started(run.folder / "crowd" / engine, run.builds(), engine) as running:
            for name, contender in running.items():
                progress(f"crowd on {engine}: {name}, a minute or two")
                found[name] = contender.ask("orders", name="crowd", count=25, at_once=25, lines=LARGE)
        yield Figure(
            figure=f"orders_of_{LARGE}_lines_25_at_once_{engine}",
            value=found[OURS]["outcomes"].get("completed", 0),
            unit="orders completed, of 25",
            bar="== 25, and no failed branch",
            holds=found[OURS]["outcomes"] == {"completed": 25} and not found[OURS]["bad_branches"],
            peers={OLD: found[OLD]["outcomes"].get("completed", 0)},
            note="; ".join(
                f"{name}: {each['outcomes']}, {each['bad_branches']} of {each['branches']} branches failed, "
                f"{each['wall']:.1f} s, {each['cpu']:.1f} s of processor"
                for name, each in found.items()
            ),
        )
