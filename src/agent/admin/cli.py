"""`desk tokens`: who may call the server. Writes the files that `agent.tokens` describes, where they lie."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from agent.client.connection import DeskError, ExitCode
from agent.identity import ROLES, Caller, is_reserved, is_role
from agent.settings import settings
from agent.tokens import TokensError, add_token, create_tokens, revoke_tokens

tokens_app = typer.Typer(no_args_is_help=True, help="Access tokens: make, add and revoke them.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Identity = Annotated[str, typer.Argument(metavar="IDENTITY", help="A customer's id, a colleague's name.")]


@tokens_app.callback()
def tokens() -> None:
    """Access tokens."""


@tokens_app.command()
def init(as_json: AsJson = False) -> None:
    """For development: one token a role in TOKENS_FILE, readable by you alone, and their digests for the server."""
    config = settings()
    with _in_one_line():
        created = create_tokens(config.tokens_file, config.digests_file)
    if as_json:
        typer.echo(json.dumps({"file": str(config.tokens_file), "created": created, "roles": list(ROLES)}))
    elif created:
        typer.echo(f"{config.tokens_file}: one token for each of {len(ROLES)} roles")
    else:
        typer.echo(f"{config.tokens_file} is there already")


@tokens_app.command()
def add(
    role: Annotated[str, typer.Argument(metavar="ROLE", help="What they may do.")],
    identity: Identity,
    as_json: AsJson = False,
) -> None:
    """Print a new token, once; the server is given its digest, and takes it from now on."""
    if not is_role(role):
        raise DeskError(f"there is no role {role}; there are: {', '.join(ROLES)}", ExitCode.USAGE)
    if is_reserved(caller := Caller(identity, role)):
        raise DeskError(f"nobody of role {role} can be called '{identity}': choose another identity", ExitCode.USAGE)
    with _in_one_line():
        token = add_token(settings().digests_file, caller)
    typer.echo(json.dumps({"identity": identity, "role": role, "token": token}) if as_json else token)


@tokens_app.command()
def revoke(identity: Identity, as_json: AsJson = False) -> None:
    """Forget all tokens of somebody: the server refuses them from now on."""
    with _in_one_line():
        count = revoke_tokens(settings().digests_file, identity)
    if not count:
        raise DeskError(f"{identity} has no token", ExitCode.NOT_FOUND)
    typer.echo(json.dumps({"identity": identity, "revoked": count}) if as_json else f"revoked: {count}")


@contextmanager
def _in_one_line() -> Iterator[None]:
    try:
        yield
    except TokensError as error:
        raise DeskError(str(error), ExitCode.USAGE) from error
    except OSError as error:
        raise DeskError(f"{error.filename}: {error.strerror}", ExitCode.USAGE) from error
