"""A step of the schema expands, so that workers of the release before go on beside it; one that does not says so."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, inspect, select, update

from agent.ledger import schema
from agent.ledger.engines import sync_engine
from agent.ledger.schema import SchemaError, check, config, known, newest, one_at_a_time, revision, take_steps, upgrade
from agent.ledger.tables import SchemaStepRow

SCRIPTS = ScriptDirectory.from_config(config())


def shape(connection: Connection) -> dict[str, dict[str, Any]]:
    """What writers and readers of each table have to do with."""
    looked_at = inspect(connection)
    return {
        table: {
            "columns": {each["name"]: each for each in looked_at.get_columns(table)},
            "refuses": {
                *(str(sorted(each["column_names"])) for each in looked_at.get_unique_constraints(table)),
                *(str(each["column_names"]) for each in looked_at.get_indexes(table) if each["unique"]),
                *(str(each["constrained_columns"]) for each in looked_at.get_foreign_keys(table)),
                *(each["sqltext"] for each in looked_at.get_check_constraints(table)),
            },
        }
        for table in looked_at.get_table_names()
        if table != "alembic_version"
    }


def in_the_way(before: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]]) -> Iterator[str]:
    """What a program that knows the schema of before would stumble over."""
    for table, was in before.items():
        if table not in after:
            yield f"{table} is gone"
            continue
        now = after[table]
        yield from (f"{table} refuses {each}" for each in now["refuses"] - was["refuses"])
        for name, old in was["columns"].items():
            new = now["columns"].get(name)
            if new is None:
                yield f"{table}.{name} is gone"
            elif (
                str(new["type"]) != str(old["type"]) or new["nullable"] != old["nullable"]
            ):  # who reads is not ready for nothing
                yield f"{table}.{name} is another"
            elif old["default"] and not new["default"]:
                yield f"{table}.{name} has no default any more"
        for name in now["columns"].keys() - was["columns"].keys():
            column = now["columns"][name]
            if not column["nullable"] and column["default"] is None:
                yield f"{table}.{name} must be written"


@pytest.mark.parametrize("step", known()[1:])
def test_a_step_expands_or_says_that_it_contracts(step: str) -> None:
    engine = create_engine("sqlite://")
    with one_at_a_time, engine.begin() as connection:
        take_steps(connection, known()[known().index(step) - 1])
        before = shape(connection)
        take_steps(connection, step)
        found = list(in_the_way(before, shape(connection)))
    engine.dispose()
    declared = getattr(SCRIPTS.get_revision(step).module, "contract", False)
    assert bool(found) == declared, found


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A ledger that a program upgraded which is a step ahead of the one that the test then is."""
    made = f"sqlite:///{tmp_path / 'ledger.db'}"
    upgrade(made)
    return made


@pytest.fixture
def a_step_behind(url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """This program is the release before: it knows all steps but the last, whose revision is returned."""
    last, rest = newest(), known()[:-1]
    monkeypatch.setattr(schema, "known", lambda: rest)
    return last


def say(url: str, step: str, *, contract: bool) -> None:
    with sync_engine(url).begin() as connection:
        connection.execute(update(SchemaStepRow).where(SchemaStepRow.revision == step).values(contract=contract))


@pytest.mark.parametrize("go", [check, upgrade])
def test_a_program_goes_on_with_a_newer_schema_that_only_expanded(url: str, a_step_behind: str, go: Any) -> None:
    say(url, a_step_behind, contract=False)
    assert go(url) in (None, (a_step_behind, a_step_behind))
    assert revision(url) == a_step_behind


@pytest.mark.parametrize("go", [check, upgrade])
def test_a_program_refuses_a_newer_schema_that_contracted(url: str, a_step_behind: str, go: Any) -> None:
    say(url, a_step_behind, contract=True)
    with pytest.raises(SchemaError, match=rf"{a_step_behind}, is newer .* can't go on after {a_step_behind}: install"):
        go(url)
    assert revision(url) == a_step_behind


def test_a_new_ledger_keeps_every_step(url: str) -> None:
    with sync_engine(url).connect() as connection:
        kept = dict(connection.execute(select(SchemaStepRow.revision, SchemaStepRow.contract)).all())
    assert sorted(kept) == list(known())
    assert {step for step, contract in kept.items() if contract} == {
        step for step in known() if getattr(SCRIPTS.get_revision(step).module, "contract", False)
    }
