"""Draws the compiled graphs, and the states of orders and payments, as mermaid into Markdown files: between
`<!-- graph: NAME -->` and `<!-- /graph -->`; and tables of what is data between `<!-- table: NAME -->` and
`<!-- /table -->`.

`make pictures` runs it on the README and the architecture; a test fails when the pictures are not those of the code.
"""

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, get_args, get_origin, get_type_hints

from langgraph.types import Command

from agent import capabilities
from agent.commerce import ways_out
from agent.commerce.lifecycle import FIRST_OUTCOMES, MOVES, PAYMENT_MOVES
from agent.customer_service.graph import graph as customer_service
from agent.order_processing.graph import graph as order_processing
from agent.order_processing.guard import REBUILD
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
    """The graph's picture, with where the guard leads, and where the handler of a node that fails does."""
    drawn = GRAPHS[name].get_graph().draw_mermaid(with_styles=False).rstrip()
    guarded = drawn.replace(f" -.-> {REBUILD};", f" -. guard .-> {REBUILD};")
    return "\n".join([guarded, *_error_edges(GRAPHS[name].builder.nodes)])


def _error_edges(nodes: Mapping[str, Any]) -> list[str]:
    """The edges that LangGraph does not draw: from a node to where its error handler goes, by what that returns; one
    that goes nowhere ends its way."""
    edges = []
    for name, node in nodes.items():
        if node.error_handler_node:
            handler = nodes[node.error_handler_node].runnable
            returns = get_type_hints(handler.func or handler.afunc)["return"]
            ends = get_args(get_args(returns)[0]) if get_origin(returns) is Command else ("__end__",)
            edges += [f"\t{name} -. error .-> {end};" for end in ends]
    return sorted(edges)


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
