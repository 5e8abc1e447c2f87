"""What somebody installs has all that the checkout has: also the files that are no Python."""

from pathlib import Path
from zipfile import ZipFile

from tests.services.needed import need

need("hatchling")

from hatchling.builders.wheel import WheelBuilder

from agent.web.routes import ASSETS
from tests.support.live_server import ROOT


def test_the_wheel_holds_every_file_of_the_page(tmp_path: Path) -> None:
    [wheel] = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with ZipFile(wheel) as made:
        names = set(made.namelist())
    assert {f"agent/web/static/{name}" for name in ASSETS} <= names
    assert "agent/web/routes.py" in names
