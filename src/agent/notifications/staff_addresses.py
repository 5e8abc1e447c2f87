"""Addresses at which staff hear of their queue: Slack, Teams, e-mail and whatever else Apprise speaks (an extra).

Which there are is one setting. What goes there, and how often, is decided in `staff_delivery`.
"""

import json
import logging
from typing import Any, Final

from agent.identity import APPROVER_ROLES
from agent.notifications.webhook import NotDeliveredError
from agent.settings import Settings

EVERY_QUEUE: Final = "*"
TIMEOUT_SECONDS: Final = 10.0
"""For one attempt as a whole."""

_FORM: Final = 'STAFF_NOTIFY_URLS must be a JSON object, an address for each role, such as {"*": "slack://…"}'


class StaffAddress:
    """One address, which may hold a secret and is shown nowhere. `notifier` is an `apprise.Apprise` with that alone."""

    def __init__(self, notifier: Any) -> None:
        self._notifier = notifier

    async def send(self, sentence: str) -> None:
        """Send a sentence. Raises `NotDeliveredError`."""
        result = await self._notifier.async_notify(
            body=sentence, title="Order desk", body_format="text", timeout=TIMEOUT_SECONDS
        )
        if not result:
            raise NotDeliveredError(result.status.name.lower())


def staff_addresses(config: Settings) -> dict[str, StaffAddress]:
    """The addresses by queue: a role, or `EVERY_QUEUE`. Blocks: Apprise takes a moment to import.

    Raises:
        ValueError: STAFF_NOTIFY_URLS is no such object, names no role that works on requests or tickets, or has an
            address that Apprise can't read; or Apprise is not installed. No address is shown.
    """
    text = config.staff_notify_urls.get_secret_value()
    if not text:
        return {}
    urls = _urls(text)
    try:
        import apprise  # noqa: PLC0415  (an extra)
    except ImportError as error:
        raise ValueError("STAFF_NOTIFY_URLS needs Apprise: pip install 'order-desk[notify]'") from error
    logging.getLogger(apprise.logger.name).disabled = True  # it names addresses
    logging.getLogger("urllib3").setLevel(logging.INFO)  # and this one their paths
    asset = apprise.AppriseAsset(app_id="Order desk", storage_mode="memory", http_redirects=False)
    addresses: dict[str, StaffAddress] = {}
    for queue, url in urls.items():
        notifier = apprise.Apprise(asset=asset)
        service = apprise.Apprise.instantiate(url, asset=asset)
        if service is None or not notifier.add(service):
            raise ValueError(f"STAFF_NOTIFY_URLS: the address of {queue} is none that Apprise can read")
        addresses[queue] = StaffAddress(notifier)
    return addresses


def _urls(text: str) -> dict[str, str]:
    try:
        urls = json.loads(text)
    except ValueError:
        urls = None
    if not isinstance(urls, dict) or not all(isinstance(url, str) for url in urls.values()):
        raise ValueError(_FORM)
    if wrong := sorted(urls.keys() - {EVERY_QUEUE, *APPROVER_ROLES}):
        known = ", ".join(sorted(APPROVER_ROLES))
        raise ValueError(f"STAFF_NOTIFY_URLS: {wrong[0][:40]!r} has no queue; these have: {known}; * is all of them")
    return urls
