"""The shop as the tests of commerce have it, and approvals over a ledger of their own."""

from tests.unit_tests.approvals.conftest import approvals, database, deadlines, trail
from tests.unit_tests.commerce.conftest import config, imported

__all__ = ["approvals", "config", "database", "deadlines", "imported", "trail"]
