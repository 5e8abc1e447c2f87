"""What the ledger's tables are made with: their metadata, timestamps in UTC, sums. The tables are in `tables`."""

from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    Cast,
    ColumnElement,
    DateTime,
    Dialect,
    MetaData,
    TypeDecorator,
    cast,
    func,
)
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute


class UtcDateTime(TypeDecorator[datetime]):
    """A time zone aware timestamp in UTC, also on SQLite, which forgets the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Refuse naive times; store UTC."""
        if value is not None and value.tzinfo is None:
            raise ValueError("the ledger takes time zone aware times only")
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give back an aware time."""
        return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value


class Base(DeclarativeBase):
    """Metadata of the ledger."""

    type_annotation_map: ClassVar = {dict[str, Any]: JSON, list[Any]: JSON, datetime: UtcDateTime, int: BigInteger}
    metadata = MetaData(
        naming_convention={  # a migration can change only what has a name
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def total(numbers: ColumnElement[int] | InstrumentedAttribute[int]) -> Cast[int]:
    """Their sum as an integer: PostgreSQL sums big integers to a decimal number."""
    return cast(func.sum(numbers), BigInteger)
