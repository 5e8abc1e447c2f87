"""`desk classify`: messages of a file, one by one, and which files it does not take."""

import json
from pathlib import Path

import pytest

from agent.assistant.models import MESSAGE_LIMIT
from agent.client.connection import ExitCode
from agent.order_numbers import find
from agent.shop import SHOP
from tests.support.desk import Desk

[NUMBER] = find(SHOP.order_number)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "messages.txt"


def test_each_message_is_said_what_it_asks_and_the_totals_come_last(desk: Desk, file: Path) -> None:
    lines = [f"cancel {NUMBER}, it was a mistake", "", json.dumps({"text": "Thank you!", "label": 7}), "qwpeo zzzx"]
    file.write_text("\n".join(lines))
    result = desk("classify", file, "--json")
    assert (result.code, result.err) == (0, "")
    *found, last = result.documents
    assert [(each["line"], each["act"], each["sure"]) for each in found] == [
        (1, "request", True), (3, "small_talk", True), (4, "unclear", False),
    ]  # fmt: skip
    [topic] = found[0]["topics"]
    assert (topic["request_type"], topic["capability"]) == ("order_cancel", "cancel_order")
    assert topic["slots"] == {"text": topic["slots"]["text"], "order_id": NUMBER, "reason": "ordered by mistake"}
    assert all(each["milliseconds"] >= 0 for each in found)
    totals = last["totals"]
    assert (totals["messages"], totals["sure"], totals["topics"]) == (3, 2, {"cancel_order": 1})
    assert totals["acts"] == {"request": 1, "small_talk": 1, "unclear": 1}


def test_people_are_shown_a_table(desk: Desk, file: Path) -> None:
    file.write_text(f"where is {NUMBER}?\n")
    result = desk("classify", file)
    assert result.code == 0
    assert f"order_status (order_id {NUMBER})" in result.out


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "there is no message in it"),
        (b"\n \n", "there is no message in it"),
        (b"hello\n\xff\xfe\x00", "line 2: this is no text in UTF-8"),
        (b"\x89PNG\r\n\x1a\n", "line 1: this is no text in UTF-8"),
        (b"hello\nhe\x00llo", 'line 2: a line is a message, or JSON with its "text"'),
        (b"hello\n\n" + b"x" * (MESSAGE_LIMIT + 1), f"line 3: a message has at most {MESSAGE_LIMIT} characters"),
        (b'{"text": "hi"}\n{"body": "hi"}', 'line 2: a line is a message, or JSON with its "text"'),
        (b'{"text": 7}', 'line 1: a line is a message, or JSON with its "text"'),
        (b'{"text": ""}', "line 1: there is no message"),
        (b'{"text": "hi"', 'line 1: a line is a message, or JSON with its "text"'),
        (b'{"text": "\\ud800"}', 'line 1: a line is a message, or JSON with its "text"'),
        (b'{"a":' * 100_000, 'line 1: a line is a message, or JSON with its "text"'),
    ],
    ids=range(12),
)
def test_a_bad_file_is_refused_whole_with_the_line(desk: Desk, file: Path, content: bytes, says: str) -> None:
    file.write_bytes(content)
    result = desk("classify", file, "--json")
    assert (result.code, result.out) == (ExitCode.USAGE, "")
    assert result.error["error"].startswith(str(file))
    assert says in result.error["error"]


def test_a_file_that_is_not_there_a_folder_and_a_huge_one_are_refused(desk: Desk, file: Path) -> None:
    assert "No such file" in desk("classify", file).err
    assert "Is a directory" in desk("classify", file.parent).err
    with file.open("wb") as huge:
        huge.truncate(20_000_001)
    assert "more than 20 MB" in desk("classify", file).err
