"""The tables of the work itself: effects by key, states that were set aside, signs of life, steps of the schema."""

from datetime import datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from agent.ledger.base import Base


class EffectRow(Base):
    """An effect that was asked for, by idempotency key, with its first answer (law 1)."""

    __tablename__ = "effects"
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    actor: Mapped[str] = mapped_column(String(100))
    subject: Mapped[str] = mapped_column(String(100), index=True)
    fingerprint: Mapped[str] = mapped_column(String(64))  # hash of name, subject and arguments
    answer: Mapped[dict[str, Any]]
    at: Mapped[datetime]


class QuarantineRow(Base):
    """A state that could not be true, kept as it was found; its thread went on with one rebuilt from the ledger."""

    __tablename__ = "quarantine"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)  # hash of thread, node and state
    thread_id: Mapped[str] = mapped_column(String(40), index=True)
    order_id: Mapped[str | None] = mapped_column(String(60))
    node: Mapped[str] = mapped_column(String(40))
    found: Mapped[str] = mapped_column(String(500))  # what is wrong with it
    state: Mapped[dict[str, Any]]
    at: Mapped[datetime] = mapped_column(index=True)


class HeartbeatRow(Base):
    """When something that must go on by itself last did."""

    __tablename__ = "heartbeats"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    at: Mapped[datetime]


class SchemaStepRow(Base):
    """A step that the schema has taken (`ledger.schema`). `contract`: who does not know it can't go on."""

    __tablename__ = "schema_steps"
    revision: Mapped[str] = mapped_column(String(32), primary_key=True)
    contract: Mapped[bool]
