"""Threads on disk are swept as the platform sweeps its own, by the age of their last checkpoint."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.base import empty_checkpoint

from agent.server import kept_threads
from agent.server.kept_threads import KEPT_SECONDS, checkpointer, sweep
from agent.settings import Settings


def test_they_are_kept_as_long_as_the_platform_keeps_its_own() -> None:
    config = json.loads((Path(__file__).parents[3] / "langgraph.json").read_text())
    assert config["checkpointer"]["ttl"]["default_ttl"] * 60 == KEPT_SECONDS


async def test_a_start_keeps_what_was_used_lately_and_deletes_what_was_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_threads, "settings", lambda: Settings(data_dir=tmp_path))
    of: Any = {"configurable": {"thread_id": "1", "checkpoint_ns": ""}}
    async with checkpointer() as saver:
        await saver.aput(of, empty_checkpoint(), {}, {})
    async with checkpointer() as saver:
        assert await saver.aget_tuple(of)
        await sweep(saver, time.time() - 1)
        assert await saver.aget_tuple(of), "used since"
        await sweep(saver, time.time() + 1)
        assert await saver.aget_tuple(of) is None
