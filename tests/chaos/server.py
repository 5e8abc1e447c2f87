"""`langgraph dev` that dies at a node's boundary: the kill switch is here, round the nodes, and not in the product.

`python -m tests.chaos.server ARGS…` imports what every life needs, then waits for lines on stdin. For each it forks a
child that runs the CLI's command with ARGS, and says on stdout that child's process id and, when it is over, its exit
status. So a life costs no import. A line is a `Boundary` as JSON, or `null` for a life that is killed from outside.
"""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from importlib import import_module
from inspect import iscoroutinefunction, isfunction
from itertools import count
from select import select
from typing import Any, Final, Literal

from langgraph.graph import StateGraph
from langgraph_cli.cli import cli

PRELOADED: Final = (
    "uvicorn",
    "uvloop",
    "langgraph_api.cli",
    "agent.customer_service.nodes",
    "agent.order_processing.recovery",
    "agent.order_processing.handlers",
    "agent.reconciler.notification_jobs",
    "agent.server.cron",
    "agent.server.order_routes",
    "agent.server.rules",
    "agent.server.webhook_routes",
)
"""Nothing of these reads a setting, opens a file or starts a thread when it is imported; `main` checks the last."""


When = Literal["before", "after"]


@dataclass(frozen=True)
class Boundary:
    """Where a life ends: `before` the node runs for the `nth` time, or `after` it has returned and before anything of
    it is saved. `node` is graph and node, as in `order_processing.charge`."""

    node: str
    when: When
    nth: int = 1

    def __str__(self) -> str:
        return f"{self.when} {self.node}"


def arm(boundary: Boundary) -> None:
    """From now on nodes that are added to graphs look whether this process ends at them."""
    plain = StateGraph.add_node
    crossings = count(1)

    def cross(node: str, when: When) -> None:
        if (node, when) == (boundary.node, boundary.when) and next(crossings) == boundary.nth:
            os.kill(os.getpid(), signal.SIGKILL)

    def add_node(graph: Any, name: Any, action: Any = None, **options: Any) -> Any:
        return plain(graph, name, _watched(action, cross) if isfunction(action) else action, **options)

    StateGraph.add_node = add_node  # type: ignore[assignment]


def _watched(node: Callable[..., Any], cross: Callable[[str, When], None]) -> Callable[..., Any]:
    """The same node, for LangGraph and for its readers, that says where it is."""
    name = f"{node.__module__.split('.')[1]}.{node.__name__}"

    @wraps(node)
    async def watched(*args: Any, **options: Any) -> Any:
        cross(name, "before")
        made = await node(*args, **options)
        cross(name, "after")
        return made

    @wraps(node)
    def watched_sync(*args: Any, **options: Any) -> Any:
        cross(name, "before")
        made = node(*args, **options)
        cross(name, "after")
        return made

    return watched if iscoroutinefunction(node) else watched_sync


def _live(boundary: Boundary | None, arguments: list[str]) -> None:
    """One life of the server, in the child: what it prints goes where our errors go."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), sys.stdin.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    if boundary:
        arm(boundary)
    cli.main(arguments, prog_name="langgraph")


def main() -> None:
    """Serve lives until stdin ends."""
    for module in PRELOADED:
        import_module(module)
    if (threads := threading.active_count()) != 1:
        raise RuntimeError(f"{threads} threads: a fork would lose all but one")
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            _live(Boundary(**asked) if asked else None, sys.argv[1:])
            return
        _say(child)
        _say(_over(child))


def _over(child: int) -> int:
    """Wait until the child has ended; its exit status. When stdin ends it is killed: nobody is left to do it."""
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if select([sys.stdin], [], [], 0.02)[0]:  # during a life nothing is written, so this is the end
            os.kill(child, signal.SIGKILL)


def _say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
