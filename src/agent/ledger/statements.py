"""Writes of rows as single statements, each prepared once: the ORM's unit of work would cost a flush of 0.5 ms."""

from functools import cache
from typing import Any

from sqlalchemy import Insert, Table, Update, bindparam, insert, inspect, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from agent.ledger.base import Base


def change(session: Session, row: Base, **columns: Any) -> None:
    """Write these columns of a row at once; the row shows them from now on."""
    keys = {f"of_{number}": value for number, value in enumerate(inspect(row).identity or ())}
    session.connection().execute(_update(type(row), tuple(columns)), keys | {f"to_{k}": v for k, v in columns.items()})
    for name, value in columns.items():
        set_committed_value(row, name, value)


def add(session: Session, form: type[Base], *rows: dict[str, Any]) -> None:
    """Insert rows of one form, each with the same columns."""
    if rows:
        session.connection().execute(_insert(form), rows if len(rows) > 1 else rows[0])


@cache
def _update(form: type[Base], columns: tuple[str, ...]) -> Update:
    table = table_of(form)
    keys = [column == bindparam(f"of_{number}") for number, column in enumerate(table.primary_key.columns)]
    return update(table).where(*keys).values({name: bindparam(f"to_{name}") for name in columns})


@cache
def _insert(form: type[Base]) -> Insert:
    return insert(table_of(form))


def table_of(form: type[Base]) -> Table:
    """The table of a row's class."""
    table = form.__table__
    assert isinstance(table, Table)  # noqa: S101  (tells the type checker)
    return table
