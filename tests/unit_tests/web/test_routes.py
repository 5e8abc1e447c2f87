"""The page of the desk is served whole, with what a browser must know of it, and nothing else is."""

import re
from collections.abc import AsyncIterator
from importlib.resources import files
from typing import Final

import httpx
import pytest
from fastapi import FastAPI

from agent.web.routes import ASSETS, PAGE, router

STATIC: Final = files("agent.web") / "static"
TEXTS: Final = {name: asset.content.decode() for name, asset in ASSETS.items()}
SCRIPTS: Final = {name: text for name, text in TEXTS.items() if name.endswith(".js")}


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.router.routes += router.routes
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://desk") as client:
        yield client


async def test_the_door_leads_to_the_page_behind_any_prefix(client: httpx.AsyncClient) -> None:
    door = await client.get("/desk")
    assert (door.status_code, door.headers["location"]) == (308, "desk/")
    page = await client.get("/desk/")
    assert (page.status_code, page.text) == (200, TEXTS[PAGE])


@pytest.mark.parametrize("path", ["/desk", "/desk/", *(f"/desk/{name}" for name in ASSETS)])
async def test_a_browser_is_told_what_the_page_may_do(path: str, client: httpx.AsyncClient) -> None:
    headers = (await client.get(path)).headers
    assert headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
    )
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-cache"


async def test_every_file_of_the_page_is_served_as_what_it_is(client: httpx.AsyncClient) -> None:
    assert {file.name for file in STATIC.iterdir()} == set(ASSETS)
    kinds = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
    for name in ASSETS:
        answer = await client.get(f"/desk/{name}")
        assert answer.content == (STATIC / name).read_bytes()
        assert answer.headers["content-type"].partition(";")[0] == kinds[name.rpartition(".")[2]]


async def test_what_a_browser_has_already_is_not_sent_again(client: httpx.AsyncClient) -> None:
    etag = (await client.get("/desk/shell.js")).headers["etag"]
    again = await client.get("/desk/shell.js", headers={"if-none-match": etag})
    assert (again.status_code, again.content) == (304, b"")
    other = await client.get("/desk/shell.js", headers={"if-none-match": '"an older one"'})
    assert other.status_code == 200


@pytest.mark.parametrize("path", [
    "x", "x.js", "routes.py", "..%2froutes.py", "%2e%2e/routes.py", "..", "static/shell.js", "shell.js/", "%00",
    "..%5croutes.py", "/etc/passwd", "%2fetc%2fpasswd", "SHELL.JS", "shell.js%20",
])  # fmt: skip
async def test_nothing_but_the_files_of_the_page_is_there(path: str, client: httpx.AsyncClient) -> None:
    answer = await client.get(f"/desk/{path}", follow_redirects=False)
    assert answer.status_code in (404, 307)
    assert b"import" not in answer.content


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_the_page_is_only_read(method: str, client: httpx.AsyncClient) -> None:
    assert (await client.request(method, "/desk/")).status_code == 405


def test_whatever_the_page_names_is_there() -> None:
    named = set(re.findall(r'(?:src|href)="([^"#]+)"', TEXTS[PAGE]))
    for text in SCRIPTS.values():
        named |= set(re.findall(r'^import .* from "\./([^"]+)";$', text, re.MULTILINE))
    assert named - set(ASSETS) == set()
    assert set(ASSETS) - named == {PAGE}


def test_no_script_and_no_style_stands_in_the_page_itself() -> None:
    assert re.findall(r"<script(?![^>]* src=)[^>]*>|<style|\sstyle=|\son\w+=", TEXTS[PAGE]) == []


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_what_comes_from_outside_is_never_taken_for_markup_or_code(name: str) -> None:
    unsafe = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|createContextualFragment"
    assert re.findall(unsafe, SCRIPTS[name]) == []


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_nothing_is_asked_of_another_host(name: str) -> None:
    assert set(re.findall(r"https?://[^\s\"']+", TEXTS[name])) <= {"http://www.w3.org/2000/svg"}
