"""Tests that run for both shops: for the one of this run always, for the other among the thorough ones."""

import os
from collections.abc import Iterable
from typing import Any

import pytest


def each_shop(names: Iterable[str]) -> list[Any]:
    """Parameters, a shop each."""
    this = os.environ.get("TEST_SHOP", "home")
    return [pytest.param(name, marks=() if name == this else pytest.mark.thorough) for name in names]
