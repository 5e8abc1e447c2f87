"""What holds for all tests: whose settings count (nobody's), for which shop they run, how pytest-xdist spreads them."""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from agent.settings import HOME, Settings

# The tests speak of the shops that come with it: the .env of whoever runs them, and what they have set, does not count.
# Here, since the shop is read when its module is; servers of tests inherit the environment.
Settings.model_config["env_file"] = None
for name in Settings.model_fields:
    os.environ.pop(name.upper(), None)
if "TEST_SHOP" in os.environ:
    os.environ["SHOP_DIR"] = str(HOME.parent / os.environ["TEST_SHOP"])

settings.register_profile(  # how busy a machine is says nothing of what is tested
    "on any machine",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=bool(os.environ.get("CI")),  # there a change is tried, and by the same stories as the one before
)
settings.load_profile("on any machine")

OWN_SERVER = frozenset(
    ("test_bare_project", "test_bypass", "test_cut_short", "test_model", "test_capabilities", "test_leaks",
     "test_privacy", "test_restarts", "test_tau_retail", "test_tickets", "test_traces")
)  # fmt: skip
"""Files of integration tests that start servers of their own, and need nothing of the shared one."""


class LiveTogether(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    """The integration tests share one server, and so one worker, those on services their file's; the others run beside
    them, each by itself.

    Not `--dist loadgroup`: under pytest 9.2 pytest-xdist 3.8 no longer sees its marks, and says nothing.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        if file.startswith("tests/services/") and Path(file).stem != "test_suites_on_postgres":
            return file
        if not file.startswith("tests/integration_tests/"):
            return nodeid
        return file if Path(file).stem in OWN_SERVER else "live"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """For `-n auto`: one more than there are processors, since the live tests wait for most of their time."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LiveTogether:
    """What `-n` uses, whatever `--dist` says."""
    return LiveTogether(config, log)
