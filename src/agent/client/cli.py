"""`desk`: the command line's front door. Verbs live in their own modules; errors end here, in one line each.

Local verbs, such as `desk tokens`, are declared by packages in the entry-point group `desk.commands`.
"""

import sys
import warnings
from collections.abc import Sequence
from importlib.metadata import entry_points
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

from agent.client import approvals, ops, orders, tickets
from agent.client.ask import ask
from agent.client.connection import MEANINGS, ExitCode
from agent.client.debug import debug
from agent.client.show import Screen

LOCAL_VERBS = "desk.commands"


class Desk(TyperGroup):
    """The remote verbs, and the local ones, whose code is imported only when they are named or listed."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of all verbs."""
        return [*super().list_commands(ctx), *sorted(entry_points(group=LOCAL_VERBS).names)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The verb of this name."""
        if ours := super().get_command(ctx, cmd_name):
            return ours
        for point in entry_points(group=LOCAL_VERBS, name=cmd_name):
            group = get_group(point.load())
            group.name = cmd_name
            return group
        return None


app = typer.Typer(
    cls=Desk, no_args_is_help=True, add_completion=False, help="The desk: messages, orders, approvals and tickets.",
    epilog="Exit codes: " + "; ".join(f"{int(code)} {meaning}" for code, meaning in MEANINGS.items()) + ".",
)  # fmt: skip
app.command()(ask)
app.command()(debug)
app.add_typer(orders.app, name="orders")
app.add_typer(approvals.app, name="approvals")
app.add_typer(tickets.app, name="tickets")
app.add_typer(ops.app, name="ops")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and leave with its exit code (`ExitCode`)."""
    warnings.filterwarnings("ignore", message="Reconnecting without a Last-Event-ID")  # what was missed is looked up
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = get_command(app).main(given, prog_name="desk", standalone_mode=False)
    except typer.TyperException as error:
        if message := error.format_message():  # none where the help was shown instead
            if context := getattr(error, "ctx", None):  # of what can't be read
                message = f"{message.rstrip('.')}; see `{context.command_path} --help`"
            Screen(as_json="--json" in given).error(message, error.exit_code)
        code = error.exit_code
    except typer.Abort:
        code = ExitCode.OTHER
    sys.exit(code)
