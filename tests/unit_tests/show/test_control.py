"""The buttons of the living shop are pressed by its own page, and by nobody else's."""

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from agent.identity import ROLES
from show.control import Control
from show.supervisor import Show


class Shop:
    """Notes which buttons were pressed."""

    def __init__(self) -> None:
        self.pressed: list[str] = []
        self.stage = SimpleNamespace(server=SimpleNamespace(url="http://127.0.0.1:9", tokens=dict.fromkeys(ROLES, "t")))

    async def press(self, button: str) -> None:
        self.pressed.append(button)

    async def state(self) -> dict[str, Any]:
        return {"server": "up"}


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def control(shop: Shop) -> Control:
    return Control(cast(Show, shop))


@pytest.fixture
async def client(control: Control) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(control.app), base_url=control.url) as client:
        yield client


def origin(control: Control) -> str:
    return "/".join(control.url.split("/")[:3])


async def press(client: httpx.AsyncClient, button: object, **headers: str) -> httpx.Response:
    return await client.post("press", json={"button": button}, headers=headers)


async def test_the_page_presses_a_button(client: httpx.AsyncClient, control: Control, shop: Shop) -> None:
    answer = await press(client, "kill_server", origin=origin(control))
    assert (answer.status_code, shop.pressed) == (200, ["kill_server"])


async def test_its_address_answers_as_soon_as_it_is_told(control: Control) -> None:
    async with control.served(), httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(control.url)).status_code == 200


@pytest.mark.parametrize("other", ["https://example.net", "null", ""])
async def test_another_page_presses_nothing(client: httpx.AsyncClient, shop: Shop, other: str) -> None:
    answer = await press(client, "kill_server", **({"origin": other} if other else {}))
    assert (answer.status_code, shop.pressed) == (403, [])


async def test_who_does_not_know_the_address_sees_and_presses_nothing(
    client: httpx.AsyncClient, control: Control, shop: Shop
) -> None:
    for path in ("/", "/guessed/", "/guessed/state", "/guessed/control.js"):
        assert (await client.get(origin(control) + path)).status_code == 404
    headers = {"origin": origin(control)}
    answer = await client.post(origin(control) + "/guessed/press", json={"button": "kill_server"}, headers=headers)
    assert (answer.status_code, shop.pressed) == (404, [])


async def test_a_name_that_was_made_to_point_here_opens_nothing(client: httpx.AsyncClient) -> None:
    assert (await client.get("state", headers={"host": "rebound.example.net"})).status_code == 400


@pytest.mark.parametrize("button", ["", "burn_down", None, {"a": 1}, ["kill_server"]])
async def test_what_is_no_button_is_refused_and_told(
    client: httpx.AsyncClient, control: Control, shop: Shop, button: object
) -> None:
    answer = await press(client, button, origin=origin(control))
    assert (answer.status_code, shop.pressed) == (422, [])
    assert "kill_server" in answer.text


async def test_each_file_of_the_page_is_served_under_a_strict_policy(client: httpx.AsyncClient) -> None:
    for name in ("", "control.js", "desk.css", "pages.css", "dom.js", "icon.svg"):
        answer = await client.get(name)
        assert answer.status_code == 200
        assert answer.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
    assert (await client.get("shell.js")).status_code == 404
