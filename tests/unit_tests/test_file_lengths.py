"""A file of the sources is no longer than somebody can hold in mind."""

from pathlib import Path
from typing import Final

import agent

LONGEST: Final = 300


def test_no_file_of_the_sources_is_longer_than_300_lines() -> None:
    written = (".py", ".js", ".css", ".html")
    files = (file for file in Path(agent.__path__[0]).parent.rglob("*") if file.suffix in written)
    long = {file.name: lines for file in files if (lines := len(file.read_text().splitlines())) > LONGEST}
    assert long == {}
