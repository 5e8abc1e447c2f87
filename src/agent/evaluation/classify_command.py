"""`desk classify FILE`: what the embedded responder makes of messages, one by one, without a customer or a ledger."""

import asyncio
import json
import time
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from agent.admin.error_messages import in_one_line
from agent.assistant.models import MESSAGE_LIMIT, MessageError, message_text
from agent.assistant.understand import Understander
from agent.capabilities.wishes import wish_of
from agent.client.connection import DeskError, ExitCode
from agent.client.show import Screen, facts, table

_LARGEST: Final = 20_000_000
"""Bytes of a file that is read."""
_RULES: Final = {
    "MESSAGE-EMPTY": "there is no message",
    "MESSAGE-LONG": f"a message has at most {MESSAGE_LIMIT} characters",
    "MESSAGE-FORM": 'a line is a message, or JSON with its "text"',
}

classify_app = typer.Typer(
    invoke_without_command=True, subcommand_metavar="", context_settings={"allow_interspersed_args": True}
)


@classify_app.callback()
def classify(
    file: Annotated[Path, typer.Argument(help='A message a line: as it is, or as JSON with its "text".')],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, a line a message, and the totals last.")] = False,
) -> None:
    """Say what messages would be understood to ask, each by itself. Nothing is looked up, sent or changed."""
    screen = Screen(as_json=as_json)
    with in_one_line():
        messages = _messages(file)
        found = asyncio.run(_classified(messages))
    for each in found:
        screen.document(each)
    totals = _totals(found)
    screen.document({"totals": totals})
    rows = [(each["line"], each["act"], _topics(each), "" if each["sure"] else "no", each["text"]) for each in found]
    screen.print(table(["line", "act", "topics", "sure", "message"], rows))
    screen.print(facts((name, _told(value)) for name, value in totals.items()))


def _messages(file: Path) -> list[tuple[int, str]]:
    """The messages with their lines, all of them before the first is looked at. Raises `DeskError` with the line."""
    if file.stat().st_size > _LARGEST:
        raise DeskError(f"{file}: it has more than {_LARGEST // 1_000_000} MB; split it", ExitCode.USAGE)
    found = []
    for number, raw in enumerate(file.read_bytes().split(b"\n"), 1):
        if not raw.strip():
            continue
        try:
            found.append((number, message_text(_text(raw.decode("utf-8-sig").strip()))))
        except UnicodeDecodeError as error:
            raise DeskError(f"{file}, line {number}: this is no text in UTF-8", ExitCode.USAGE) from error
        except MessageError as error:
            raise DeskError(f"{file}, line {number}: {_RULES[error.rule]}", ExitCode.USAGE) from error
    if not found:
        raise DeskError(f"{file}: there is no message in it", ExitCode.USAGE)
    return found


def _text(line: str) -> object:
    """The message of a line; what begins as a JSON object is one."""
    if not line.startswith("{"):
        return line
    try:
        return json.loads(line).get("text")
    except (ValueError, RecursionError):
        return None


async def _classified(messages: list[tuple[int, str]]) -> list[dict[str, Any]]:
    understander = Understander([])
    found = []
    for line, text in messages:
        began = time.perf_counter()
        meant, _ = await understander.understand(text, pending=False)
        spent = time.perf_counter() - began
        topics = [{"request_type": topic.request_type, **wish_of(topic)} for topic in meant.topics]
        found.append(
            {
                "line": line,
                "text": text,
                "act": meant.act,
                "topics": topics,
                "sure": meant.act != "unclear",
                "milliseconds": round(1000 * spent, 3),
            }
        )
    return found


def _totals(found: list[dict[str, Any]]) -> dict[str, Any]:
    topics = Counter(topic["capability"] for each in found for topic in each["topics"])
    spent = sorted(each["milliseconds"] for each in found)
    return {
        "messages": len(found),
        "sure": sum(each["sure"] for each in found),
        "acts": dict(Counter(each["act"] for each in found).most_common()),
        "topics": dict(topics.most_common()),
        "milliseconds": {"p50": spent[len(spent) // 2], "p95": spent[len(spent) * 95 // 100]},
    }


def _topics(one: dict[str, Any]) -> str:
    return "; ".join(_topic(topic) for topic in one["topics"])


def _topic(topic: dict[str, Any]) -> str:
    said = ", ".join(f"{name} {value}" for name, value in topic["slots"].items() if name != "text")
    return f"{topic['capability']} ({said})" if said else str(topic["capability"])


def _told(value: object) -> str:
    return ", ".join(f"{name} {each}" for name, each in value.items()) if isinstance(value, dict) else str(value)
