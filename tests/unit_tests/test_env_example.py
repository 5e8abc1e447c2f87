"""`.env.example` lists every setting with its default."""

from pathlib import Path

from agent.settings import Settings

EXAMPLE = Path(__file__).parents[2] / ".env.example"


def test_the_example_names_every_setting() -> None:
    named = {line.split("=")[0].lower() for line in EXAMPLE.read_text().splitlines() if "=" in line and line[0] != "#"}
    # the platform sets its own address; LANGSMITH_* is read by langsmith
    assert {name for name in named if not name.startswith("langsmith_")} == set(Settings.model_fields) - {
        "langgraph_api_url"
    }


def test_the_example_shows_the_defaults() -> None:
    shown = Settings(_env_file=EXAMPLE).model_dump()
    defaults = Settings().model_dump()
    assert shown == defaults
