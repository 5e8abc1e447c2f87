"""Source trees of earlier commits, out of git."""

import subprocess
from pathlib import Path

from tests.support.live_server import ROOT


def check_out(commit: str, tree: Path) -> None:
    """Write a commit's files into a folder. Raises `RuntimeError` in a clone that lacks the commit."""
    tree.mkdir(parents=True, exist_ok=True)
    packed = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=False)
    if packed.returncode:
        raise RuntimeError(f"commit {commit} is not in this clone: git fetch --unshallow\n{packed.stderr.decode()}")
    subprocess.run(["tar", "--extract", "--directory", tree], input=packed.stdout, check=True)
