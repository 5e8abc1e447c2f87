"""How pytest-xdist spreads the tests over the processors."""

import os
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]


class LiveTogether(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    """The integration tests share one server, and so one worker; the others run beside them, each by itself.

    Not `--dist loadgroup`: under pytest 9.2 pytest-xdist 3.8 no longer sees its marks, and says nothing.
    """

    def _split_scope(self, nodeid: str) -> str:
        return "live" if nodeid.startswith("tests/integration_tests/") else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """For `-n auto`: one more than there are processors, since the live tests wait for most of their time."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LiveTogether:
    """What `-n` uses, whatever `--dist` says."""
    return LiveTogether(config, log)
