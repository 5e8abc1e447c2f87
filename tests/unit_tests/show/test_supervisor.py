"""What the supervisor of a living shop leaves behind: nothing."""

import asyncio
from pathlib import Path

import pytest

from show.supervisor import Show


async def test_a_second_ctrl_c_while_it_closes_leaves_no_process_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    show = Show(tmp_path, seed=7, rate=1.0, staff=0.0)
    show.stage.network.spawn()
    assert show.stage.network.alive

    async def cut() -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr(show.players, "close", cut)
    try:
        with pytest.raises(asyncio.CancelledError):
            await show.close()
        assert not show.stage.network.alive
    finally:
        show.stage.network.stop()
