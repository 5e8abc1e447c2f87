"""The ledger's schema: which revision a database has, which one this program needs, and the way from one to the other.

The steps themselves are in `migrations/versions`; `make migration NAME=…` writes the next from what `tables` says. A
step expands: what it adds is in nobody's way, and programs of before go on beside it. One that takes away, or forbids
what they write, says `contract = True`.
"""

import threading
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, insert, inspect, select, text

from agent.ledger import history
from agent.ledger.database_errors import explained
from agent.ledger.engines import is_embedded, ledger_file, sync_engine
from agent.ledger.tables import SchemaStepRow

if TYPE_CHECKING:
    from alembic.config import Config

_SCRIPTS: Final = "agent.ledger:migrations"
_LOCK: Final = 7_206_165_002
"""Any number: the advisory lock that processes take in turn to upgrade one PostgreSQL database."""

one_at_a_time = threading.Lock()  # alembic's `op` and `context` belong to the whole process


class SchemaError(RuntimeError):
    """The database's schema is not the one that this program needs; the text says what to do."""


class LedgerLostError(SchemaError):
    """There is no ledger where one was: its file is gone, or empty."""

    def __init__(self) -> None:
        super().__init__("the ledger is gone or empty where one was kept: nothing was made in its place")


def upgrade(url: str, *, anew: bool = False) -> tuple[str | None, str]:
    """Bring a database's schema up to date in one transaction; returns the revision (before, after).

    Processes that start at once take turns. One that is up to date is only read: whoever writes is not waited for.
    Raises `SchemaError` for a schema that is newer than the program, `LedgerLostError` for an embedded ledger that was
    there before (unless `anew`), `LedgerDamagedError`, `DatabaseUnavailableError`. A schema that is newer, and only
    expanded since ours, stays as it is.
    """
    was_there = history.was_there(url)  # before the look: who starts at once with us may be making it
    before, suits = _look(url)
    if not suits:
        with one_at_a_time, explained(), sync_engine(url).begin() as connection:
            if not is_embedded(url):
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            before = _revision(connection)
            if not _suits(connection, before):
                _refuse_unversioned(connection, before)
                if before is None and was_there and not anew:
                    raise LedgerLostError()
                take_steps(connection, "head")
                _keep_steps(connection, after=before)
                _refuse_broken_references(connection)
    history.remember(url)
    return before, newest() if before is None or before in known() else before


def check(url: str) -> None:
    """Raise `SchemaError` unless the database's schema is the one that this program needs, or a newer one that only
    expanded since. Changes nothing."""
    was_there, file = history.was_there(url), ledger_file(url)
    is_missing = file is not None and not file.exists()  # a look would make it
    found, suits = (None, False) if is_missing else _look(url)
    if found is None and was_there:
        raise LedgerLostError()
    if is_missing:
        raise SchemaError(f"no ledger at {file}: go to the server's folder; to make one, run `desk db upgrade`")
    if not suits:
        state = f"at revision {found}" if found else "not there yet"
        raise SchemaError(f"the ledger's schema is {state}, {newest()} is needed: run `desk db upgrade`")


def revision(url: str) -> str | None:
    """The revision of a database's schema; None: it has none."""
    with explained(), sync_engine(url).connect().execution_options(begin="DEFERRED") as connection:
        return _revision(connection)


@cache
def known() -> tuple[str, ...]:
    """The revisions that this program knows, in order: each step's file begins with its own."""
    steps = Path(__file__).with_name("migrations") / "versions"
    return tuple(sorted(step.name.split("_")[0] for step in steps.glob("[0-9]*.py")))


def newest() -> str:
    """The revision that this program needs."""
    return known()[-1]


def take_steps(connection: Connection, revision: str) -> None:
    """Bring what a connection shows to a revision. For who holds `one_at_a_time`."""
    from alembic import command  # noqa: PLC0415  (0.2 s, for who has something to upgrade)

    command.upgrade(config(connection), revision)


def config(connection: Connection | None = None) -> "Config":
    """Alembic's configuration, for work on this connection."""
    from alembic.config import Config  # noqa: PLC0415

    made = Config()
    made.set_main_option("script_location", _SCRIPTS)
    made.attributes["connection"] = connection
    return made


def _look(url: str) -> tuple[str | None, bool]:
    """The revision of a database's schema, and whether it suits this program (see `_suits`)."""
    with explained(), sync_engine(url).connect().execution_options(begin="DEFERRED") as connection:
        found = _revision(connection)
        return found, _suits(connection, found)


def _suits(connection: Connection, found: str | None) -> bool:
    """Whether this program can work with the schema: it is ours, or a newer one that has only expanded since.

    Raises `SchemaError` for any other that is newer.
    """
    if found is None or found in known():
        return found == newest()
    further: dict[str, bool] = {}
    if inspect(connection).has_table(SchemaStepRow.__tablename__):
        steps = select(SchemaStepRow.revision, SchemaStepRow.contract).order_by(SchemaStepRow.revision)
        further = {step: contract for step, contract in connection.execute(steps) if step not in known()}
    if found not in further:
        refuse_unknown(found)
    if contracting := [step for step, contract in further.items() if contract]:
        raise SchemaError(
            f"the ledger's schema, {found}, is newer than this program, which knows {newest()} and can't go on after "
            f"{', '.join(contracting)}: install the version that wrote it"
        )
    return True


def _keep_steps(connection: Connection, *, after: str | None) -> None:
    """Keep for programs of before which steps were taken, and whether they may go on."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415  (as above)

    scripts = ScriptDirectory.from_config(config())
    taken = [step for step in known() if after is None or step > after]
    contracts = [bool(getattr(scripts.get_revision(step).module, "contract", False)) for step in taken]
    rows = [{"revision": step, "contract": contract} for step, contract in zip(taken, contracts, strict=True)]
    connection.execute(insert(SchemaStepRow), rows)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def refuse_unknown(found: str | None) -> None:
    """Raise `SchemaError` for a revision that this program does not know: a newer one wrote it."""
    if found and found not in known():
        raise SchemaError(
            f"the ledger's schema, {found}, is newer than this program, which knows {newest()}: "
            "install the version that wrote it"
        )


def _refuse_unversioned(connection: Connection, found: str | None) -> None:
    if found is None and (tables := inspect(connection).get_table_names()):
        raise SchemaError(
            f"the database has tables ({', '.join(tables[:3])}, …) but no ledger of a known revision: "
            "give the ledger a database of its own"
        )


def _refuse_broken_references(connection: Connection) -> None:
    """SQLite does not look while tables are made anew."""
    if connection.dialect.name == "sqlite" and (lost := connection.execute(text("PRAGMA foreign_key_check")).first()):
        raise SchemaError(f"after the upgrade rows of {lost[0]} would refer to nothing: nothing was changed")
