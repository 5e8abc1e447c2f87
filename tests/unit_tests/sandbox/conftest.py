"""The sandbox over both of its transports, as the adapters' tests have it."""

from tests.unit_tests.providers.conftest import client, provider

__all__ = ["client", "provider"]
