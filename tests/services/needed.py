"""What tests here need of the machine. Without it they are skipped, and say so; under CI they fail."""

import os
from importlib.util import find_spec
from typing import NoReturn

import pytest


def absent(service: str) -> NoReturn:
    """Skip, or under CI fail, for want of this; also as a module of tests is read."""
    without(f"{service} is not installed: run `make services`")


def without(reason: str) -> NoReturn:
    """The same, for this reason."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason, allow_module_level=True)


def need(*modules: str) -> None:
    """Skip a whole module of tests where one of these can't be imported: they are the extra `services`."""
    for module in modules:
        if find_spec(module) is None:
            absent(module)
