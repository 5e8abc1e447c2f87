"""`docs/architecture.md` says what the code does, where that can be checked."""

import re
from pathlib import Path

from agent.commerce.dispatcher import HANDLERS
from agent.commerce.lifecycle import MOVES, PAYMENT_MOVES
from agent.commerce.policy import RULES

PAGE = (Path(__file__).parents[2] / "docs" / "architecture.md").read_text()


def test_the_page_draws_the_moves_of_an_order_and_of_a_payment_as_the_tables_have_them() -> None:
    drawn = re.findall(r"^    (\w+) --> (\w+): (.+)$", PAGE, re.MULTILINE)
    stages = [(stage, to, ", ".join(causes)) for stage, moves in MOVES.items() for to, causes in moves.items()]
    payments = [(has, to, ", ".join(causes)) for has, moves in PAYMENT_MOVES.items() for to, causes in moves.items()]
    assert drawn == stages + payments


def test_the_page_tells_every_rule() -> None:
    assert [rule for rule in RULES if not re.search(rf"\b{rule}\b", PAGE)] == []


def test_the_page_names_every_command() -> None:
    assert [command.__name__ for command in HANDLERS if command.__name__ not in PAGE] == []
