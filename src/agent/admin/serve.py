"""`desk serve`: one machine that keeps everything. `langgraph dev` without reload, with `langgraph.serve.json`."""

import os
import socket
import sys
from pathlib import Path
from typing import Annotated, Final

import typer
from dotenv import dotenv_values

from agent.client.connection import DeskError, ExitCode
from agent.settings import settings

CONFIG: Final = Path("langgraph.serve.json")
"""langgraph.json, with a checkpointer on disk, and Studio shut out. In the folder where the server is started."""

serve_app = typer.Typer(help="Serve the desk on this machine; what it keeps outlives a kill.", subcommand_metavar="")


@serve_app.callback(invoke_without_command=True)
def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="And its port.", min=1, max=65_535)] = 2024,
) -> None:
    """Serve the graphs in this folder; threads, orders and caches are in DATA_DIR, and outlive a kill."""
    if not CONFIG.exists():
        raise DeskError(f"there is no {CONFIG} here: start it in the project's folder", ExitCode.USAGE)
    _check_port(host, port)
    config = settings()
    environment = {name: value for name, value in dotenv_values(".env").items() if value is not None} | {
        "NODE_CACHE_FILE": str(config.node_cache_file or config.data_dir / "node_cache.db"),
        **os.environ,
    }
    command = [
        str(Path(sys.executable).with_name("langgraph")), "dev", "--config", str(CONFIG), "--no-browser", "--no-reload",
        "--host", host, "--port", str(port), "--n-jobs-per-worker", str(config.jobs_per_worker),
    ]  # fmt: skip
    os.execve(command[0], command, environment)  # noqa: S606  (no shell: the server itself hears the signals)


def _check_port(host: str, port: int) -> None:
    """Raise `DeskError` where it can't listen: `langgraph dev` would take any other port, on the same DATA_DIR."""
    try:
        socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OSError as error:
        raise DeskError(
            f"can't listen: {error.strerror}. End what is there, or give another port with --port (make serve PORT=…), "
            "and its address to `desk` as DESK_URL",
            ExitCode.USAGE,
        ) from error
