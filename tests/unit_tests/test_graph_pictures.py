"""The pictures and tables in the README and the architecture are those of the code."""

import re
from pathlib import Path

import pytest

from docs.pictures import GRAPHS, mermaid, with_pictures

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("page", ["README.md", "docs/architecture.md"])
def test_a_page_shows_the_code_of_today(page: str) -> None:
    text = (ROOT / page).read_text()
    assert with_pictures(text) == text, "run `make pictures`"


@pytest.mark.parametrize(
    ("page", "name"), [("README.md", "order_processing"), ("docs/architecture.md", "customer_service")]
)
def test_a_page_has_a_picture_of(page: str, name: str) -> None:
    assert mermaid(name) in (ROOT / page).read_text()


@pytest.mark.parametrize("name", GRAPHS)
def test_a_picture_has_every_node_and_where_it_leads_when_it_fails(name: str) -> None:
    picture, nodes = mermaid(name), GRAPHS[name].builder.nodes
    shown = {node for node in nodes if not nodes[node].is_error_handler}
    fail = {node for node in nodes if nodes[node].error_handler_node}

    assert picture.startswith("graph TD;")
    assert {node for node in shown if not re.search(rf"\b{node}\b", picture)} == set()
    assert set(re.findall(r"(\w+) -\. error \.-> \w+;", picture)) == fail
    assert set(re.findall(r"-\.? ?.* ?\.?-> (\w+);", picture)) >= shown  # there is a way to each


def test_a_picture_says_that_a_payment_that_can_not_be_told_is_parked() -> None:
    assert "\tcharge -. error .-> park;" in mermaid("order_processing")


def test_every_node_of_an_order_is_guarded_but_the_one_that_rebuilds_and_those_that_only_answer() -> None:
    nodes = {node for node, spec in GRAPHS["order_processing"].builder.nodes.items() if not spec.is_error_handler}
    guarded = set(re.findall(r"(\w+) -\. guard \.-> rebuild;", mermaid("order_processing")))

    assert nodes - guarded == {"rebuild", "approval", "reserve_line", "ship"}


def test_the_readme_is_short() -> None:
    """At most 170 lines, pictures included: what is longer is a page of docs/."""
    assert len((ROOT / "README.md").read_text().splitlines()) <= 170
