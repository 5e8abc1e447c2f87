"""`desk`, local verbs: what is done on the machine that the ledger and the tokens lie on. Mounted by entry points."""

import json
from typing import Annotated

import typer

from agent.identity import ROLES, create_tokens
from agent.settings import settings

tokens_app = typer.Typer(no_args_is_help=True, help="Access tokens of a development server.")


@tokens_app.callback()
def tokens() -> None:
    """Access tokens of a development server."""


@tokens_app.command()
def init(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Write one token a role to TOKENS_FILE, readable by you alone, unless the file is there already."""
    path = settings().tokens_file
    created = create_tokens(path)
    if as_json:
        typer.echo(json.dumps({"file": str(path), "created": created, "roles": list(ROLES)}))
    else:
        typer.echo(f"{path}: one token for each of {len(ROLES)} roles" if created else f"{path} is there already")
