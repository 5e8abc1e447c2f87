"""What belongs into a ledger besides its rows, and what does not."""

from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import text

from agent.ledger.engines import sync_engine
from agent.ledger.objects import strangers, strangers_in_archive
from agent.ledger.schema import config, upgrade
from tests.support.ledgers import home

LISTING = """;
; Archive created at 2026-06-01 12:00:00 UTC
;     dbname: desk
;
215; 1259 16386 TABLE public orders desk
216; 1259 16390 SEQUENCE public money_entries_number_seq desk
3371; 0 0 SEQUENCE OWNED BY public money_entries_number_seq desk
3360; 0 16386 TABLE DATA public orders desk
3208; 2606 16393 CONSTRAINT public orders pk_orders desk
3210; 2606 16399 FK CONSTRAINT public orders fk_orders_customer_id_customers desk
3209; 1259 16395 INDEX public ix_orders_customer_id desk
"""


def test_a_ledger_has_nothing_that_is_not_its_own(tmp_path: Path) -> None:
    with home(tmp_path) as config_:
        _, newest = upgrade(config_.ledger_url)
        with sync_engine(config_.ledger_url).connect() as connection:
            assert strangers(connection, newest) == []


def test_what_a_later_revision_added_is_a_stranger_to_an_older_one(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    upgrade(url)
    first = ScriptDirectory.from_config(config()).get_base()
    assert first
    with sync_engine(url).connect() as connection:
        assert "table questions of questions" in strangers(connection, first)
        connection.execute(text("CREATE TRIGGER t AFTER INSERT ON products BEGIN DELETE FROM products; END"))
        assert "trigger t of products" in strangers(connection, first)


def test_an_archive_of_a_ledger_lists_tables_and_what_belongs_to_them() -> None:
    assert strangers_in_archive(LISTING.splitlines(keepends=True)) == []


@pytest.mark.parametrize(
    ("entry", "named"),
    [
        ("3300; 2620 16500 TRIGGER public orders pay_me desk", "trigger orders pay_me"),
        ("217; 1255 16400 FUNCTION public pay_me() desk", "function pay_me()"),
        ("218; 1259 16401 VIEW public orders_view desk", "view orders_view"),
        ("3301; 2618 16402 RULE public orders r desk", "rule orders r"),
        ("219; 3079 16403 EXTENSION - plpython3u ", "extension plpython3u"),
        ("something else", "an entry that can't be read"),
    ],
)
def test_whatever_else_an_archive_lists_is_named(entry: str, named: str) -> None:
    assert strangers_in_archive([*LISTING.splitlines(keepends=True), entry + "\n"]) == [named]
