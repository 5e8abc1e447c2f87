"""The pictures and tables in the README and the architecture are those of the code."""

from pathlib import Path

import pytest

from docs.pictures import GRAPHS, mermaid, with_pictures

README = Path(__file__).parents[2] / "README.md"


@pytest.mark.parametrize("page", ["README.md", "docs/architecture.md"])
def test_a_page_shows_the_code_of_today(page: str) -> None:
    text = (README.parent / page).read_text()
    assert with_pictures(text) == text, "run `make pictures`"


@pytest.mark.parametrize("name", ["customer_service", "order_processing"])
def test_the_readme_has_a_picture_of(name: str) -> None:
    assert mermaid(name) in README.read_text()


def test_every_graph_of_the_server_can_be_drawn() -> None:
    assert all(mermaid(name).startswith("graph TD;") for name in GRAPHS)
