"""The setting of staff's addresses: what can't be read is named at the start, and no address is ever shown."""

import json
import sys
from typing import Any

import pytest
from pydantic import SecretStr

from agent.identity import APPROVER_ROLES
from agent.notifications.staff_addresses import staff_addresses
from agent.server.startup import unfit
from agent.settings import Settings

SECRET = "T0pS3cr3t"


def given(urls: Any) -> Settings:
    text = urls if isinstance(urls, str) else json.dumps(urls)
    return Settings(staff_notify_urls=SecretStr(text))


def test_each_role_that_works_on_requests_or_tickets_may_have_an_address_and_all_of_them_one() -> None:
    urls = dict.fromkeys([*APPROVER_ROLES, "*"], f"json://127.0.0.1:9/{SECRET}")

    assert unfit(given(urls)) is None
    assert set(staff_addresses(given(urls))) == {*APPROVER_ROLES, "*"}


@pytest.mark.parametrize(
    ("urls", "says"),
    [
        (f"billing_agent=json://127.0.0.1/{SECRET}", "must be a JSON object"),
        ([f"json://127.0.0.1/{SECRET}"], "must be a JSON object"),
        ({"*": [f"json://127.0.0.1/{SECRET}"]}, "must be a JSON object"),
        ({"billing": f"json://127.0.0.1/{SECRET}"}, "'billing' has no queue"),
        ({"customer": f"json://127.0.0.1/{SECRET}"}, "'customer' has no queue"),
        ({"*": f"nothing://127.0.0.1/{SECRET}"}, "the address of * is none that Apprise can read"),
        ({"billing_agent": SECRET}, "the address of billing_agent is none"),
        ({"billing_agent": f"slack://{SECRET}"}, "the address of billing_agent is none"),
        ({"billing_agent": ""}, "the address of billing_agent is none"),
    ],
)
def test_what_cannot_be_read_keeps_the_server_from_starting_and_is_not_shown(
    urls: Any, says: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    why = str(unfit(given(urls)))

    assert why.startswith("STAFF_NOTIFY_URLS")
    assert says in why
    assert SECRET not in f"{why} {caplog.text} {capfd.readouterr()} {given(urls)!r}"


def test_without_the_extra_the_start_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)

    assert unfit(given("")) is None
    assert unfit(given({"*": "json://127.0.0.1"})) == (
        "STAFF_NOTIFY_URLS needs Apprise: pip install 'order-desk[notify]'"
    )
