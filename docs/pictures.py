"""Draws the compiled graphs, and the states of orders and payments, as mermaid into Markdown files: between
`<!-- graph: NAME -->` and `<!-- /graph -->`; and tables of what is data between `<!-- table: NAME -->` and
`<!-- /table -->`.

`make pictures` runs it on the README and the architecture; a test fails when the pictures are not those of the code.
"""

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from agent import capabilities
from agent.commerce import ways_out
from agent.commerce.lifecycle import FIRST_OUTCOMES, MOVES, PAYMENT_MOVES
from agent.customer_service.graph import graph as customer_service
from agent.order_processing.graph import graph as order_processing
from agent.reconciler.graph import graph as reconciler

GRAPHS: Final[dict[str, Any]] = {
    "customer_service": customer_service,
    "order_processing": order_processing,
    "reconciler": reconciler,
}

TABLES: Final = {"ways_out": ways_out.table, "capabilities": capabilities.table}

_TABLE = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- /table -->)", re.DOTALL)
_PLACE = re.compile(r"(<!-- graph: (\w+) -->\n).*?(<!-- /graph -->)", re.DOTALL)


def mermaid(name: str) -> str:
    """The graph's picture. Error handlers only route and have no edges of their own, so they are left out."""
    drawn = GRAPHS[name].get_graph().draw_mermaid(with_styles=False)
    return "\n".join(line for line in drawn.splitlines() if "__error_handler__" not in line)


def moves(table: Mapping[Any, Mapping[Any, Sequence[str]]], *first: str) -> str:
    """The picture of a table of moves: how it begins, and each move with who may cause it."""
    ways = [f"{state} --> {to}: {', '.join(causes)}" for state, ways in table.items() for to, causes in ways.items()]
    return "\n    ".join(["stateDiagram-v2", *(f"[*] --> {state}" for state in first), *ways])


TABLES_OF_MOVES: Final[dict[str, Callable[[], str]]] = {
    "stages": lambda: moves(MOVES, "placed"),
    "payments": lambda: moves(PAYMENT_MOVES, *(f"{first}: {which}" for first, which in FIRST_OUTCOMES.items())),
}


def drawn(name: str) -> str:
    """The picture of this name."""
    return TABLES_OF_MOVES[name]() if name in TABLES_OF_MOVES else mermaid(name)


def with_pictures(text: str) -> str:
    """The Markdown text with the pictures and tables of today in their places."""
    text = _TABLE.sub(lambda place: f"{place[1]}{TABLES[place[2]]()}\n{place[3]}", text)
    return _PLACE.sub(lambda place: f"{place[1]}```mermaid\n{drawn(place[2])}\n```\n{place[3]}", text)


def main() -> None:
    """Renew the pictures in the files that are named."""
    for path in map(Path, sys.argv[1:]):
        path.write_text(with_pictures(path.read_text()))


if __name__ == "__main__":
    main()
