"""The project as somebody finds it: `langgraph dev` in its root, without a `.env`. Runs in a copy of the tree."""

import os
import shutil
import sys
from pathlib import Path
from signal import SIGTERM
from typing import Any

import httpx

from agent.platform import order_thread
from agent.tokens import create_tokens, read_tokens
from tests.support.driver import an_order
from tests.support.live_server import ROOT, Process, free_port, wait_for

NEEDED = ("langgraph.json", "pyproject.toml", "README.md", "LICENSE")


def test_bare_langgraph_dev_fulfils_an_order_on_the_embedded_defaults(tmp_path: Path) -> None:
    root = tmp_path / "project"
    shutil.copytree(ROOT / "shops", root / "shops")
    shutil.copytree(ROOT / "src", root / "src", ignore=shutil.ignore_patterns("__pycache__"))
    for name in NEEDED:
        shutil.copy(ROOT / name, root)
    create_tokens(root / ".tokens.json")
    [token] = [token for token, caller in read_tokens(root / ".tokens.json").items() if caller.role == "channel"]
    port = free_port()
    command = [str(Path(sys.executable).parent / "langgraph"), "dev", "--no-browser", "--port", str(port)]
    own = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(root / "src")}
    usual = os.umask(0o022)
    process = Process(command, tmp_path / "log", root, own)
    os.umask(usual)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"x-api-key": token}, trust_env=False) as client:

            def healthy() -> bool:
                try:
                    return client.get("/ops/health").status_code == 200
                except httpx.TransportError:
                    return False

            wait_for(healthy, 60, process.log.read_text)
            run: dict[str, Any] = {
                "assistant_id": "order_processing",
                "input": {"order": an_order("BARE-1", {"CANDLE-LARGE": 1})},
                "if_not_exists": "create",
            }
            answer = client.post(
                f"/threads/{order_thread('BARE-1', 'channel:channel-1')}/runs/wait", json=run, timeout=30
            )
            assert (answer.json()["processing_stage"], answer.json()["payment_status"]) == ("completed", "captured")
    finally:
        process.end(SIGTERM)
    for folder in (root / ".data", root / ".langgraph_api"):
        modes = {path.name: oct(path.stat().st_mode & 0o777) for path in (folder, *folder.iterdir())}
        assert modes == {name: "0o700" if name == folder.name else "0o600" for name in modes}
        assert len(modes) > 1
    made = {entry.name for entry in root.iterdir()} - {
        "src",
        "shops",
        ".tokens.json",
        ".tokens.sha256.json",
        ".tokens.sha256.json.lock",
        *NEEDED,
    }
    assert made == {".data", ".langgraph_api"}
