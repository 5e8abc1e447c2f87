"""What is in a ledger or in a backup of it, in numbers: enough to tell whether one is the whole of the other."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import BigInteger, Connection, column, func, inspect, select, table

from agent.ledger.base import total
from agent.ledger.tables import SchemaStepRow

VERSION_TABLE: Final = "alembic_version"
MONEY: Final = ("amount", "total")
"""Columns that hold money, whatever the table."""


class BackupError(RuntimeError):
    """A backup can't be taken or put back; the text says why and what to do. Nothing was overwritten."""


@dataclass(frozen=True)
class Contents:
    """The schema's revision (None: no ledger), rows by table, and sums of money by column, in minor units."""

    revision: str | None
    rows: dict[str, int]
    money: dict[str, int]

    @property
    def empty(self) -> bool:
        """Whether there is nothing to lose: rows about the schema are none of a shop's."""
        return not any(rows for table, rows in self.rows.items() if table != SchemaStepRow.__tablename__)


def contents(connection: Connection) -> Contents:
    """Count what the connection's transaction sees."""
    looked_at = inspect(connection)
    names = sorted(set(looked_at.get_table_names()))
    columns = {name: {each["name"] for each in looked_at.get_columns(name)} for name in names}
    return Contents(
        revision=connection.scalar(select(column("version_num")).select_from(table(VERSION_TABLE)))
        if VERSION_TABLE in names
        else None,
        rows={
            name: connection.scalar(select(func.count()).select_from(table(name))) or 0
            for name in names
            if name != VERSION_TABLE
        },
        money={
            f"{name}.{money}": connection.scalar(select(total(column(money, BigInteger))).select_from(table(name))) or 0
            for name in names
            for money in MONEY
            if money in columns[name]
        },
    )
