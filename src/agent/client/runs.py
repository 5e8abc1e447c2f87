"""One run on a thread, followed to its end: its progress, its final state, and the request it waits on.

Only the wire is known here; what a state means to people is told by the module of each verb.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Never, TypeGuard

import httpx
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.schema import Command, RunCreateMetadata

from agent.approvals.models import ApprovalView
from agent.client.connection import DeskError, ExitCode, lost, may_be_done

_SAID_AT_THE_END: Final = ("answer", "reviewed", "not_taken")
"""Progress whose words the desk's message, or the error, says again when the run has ended: they are shown once."""


def address(client: LangGraphClient) -> str:
    """Where the server is that this client speaks to."""
    return str(client.http.client.base_url).rstrip("/")


@dataclass(frozen=True)
class Outcome:
    """Where a run stopped: the thread's last values, and the approval that it waits for, if any."""

    values: dict[str, Any]
    waiting: ApprovalView | None


async def follow(
    client: LangGraphClient,
    thread_id: str,
    graph: str,
    progress: Callable[[str], None],
    *,
    input: dict[str, Any] | None = None,
    context: dict[str, Any] | None = None,
    command: Command | None = None,
    create_thread: bool = False,
    look: str,
) -> Outcome:
    """Start a run with `input` or `command`, tell `progress` what goes on, return where it stopped.

    A thread at work refuses it (409). Raises `DeskError` (OTHER) when the run fails or leaves no state, and
    `LostError`, with `look` as its advice, when it may have been started and how it ended is not known.
    """
    started: list[RunCreateMetadata] = []
    try:
        return await _follow(
            client, thread_id, graph, progress, input=input, context=context or None, command=command,
            if_not_exists="create" if create_thread else None, on_run_created=started.append,
        )  # fmt: skip
    except httpx.HTTPError as error:
        if started or may_be_done(error):
            raise lost(address(client), error, look) from error
        raise


async def _follow(
    client: LangGraphClient, thread_id: str, graph: str, progress: Callable[[str], None], **run: Any
) -> Outcome:
    values: dict[str, Any] = {}
    waiting: ApprovalView | None = None
    async for part in client.runs.stream(
        thread_id,
        graph,
        **run,
        stream_mode=["custom", "values"],
        stream_resumable=True,  # a dropped connection is taken up again where it broke
        multitask_strategy="reject",
    ):
        match part.event:
            case "custom":
                if part.data.get("progress") not in _SAID_AT_THE_END:
                    progress(part.data["text"])
            case "values":
                interrupts = part.data.pop("__interrupt__", [])
                waiting = next((each["value"] for each in interrupts if is_approval(each["value"])), None)
                values = part.data or values
            case "error" if part.data.get("error") == "HTTPException":
                # not the run's: a server that was killed and started again does not have its stream any more
                raise httpx.RemoteProtocolError(str(part.data.get("message")))
            case "error":
                raise failed(part.data)
    if not values:
        raise DeskError(f"the run on thread {thread_id} left no state; see the server's log", ExitCode.OTHER)
    return Outcome(values, waiting)


def failed(error: dict[str, Any]) -> DeskError:
    """A run's own failure, as the server reports it."""
    what = f"{error.get('error')}: {error.get('message')}"
    return DeskError(f"the run failed at the server: {what}. See the server's log", ExitCode.OTHER)


def is_approval(value: object) -> TypeGuard[ApprovalView]:
    """Whether an interrupt's value is a request of ours, of which customers are shown a part; a debugger's is not."""
    return isinstance(value, dict) and {"request_id", "status", "roles"} <= value.keys()


def read_source(name: str) -> bytes:
    """The content of a file, or of stdin for `-`. Raises `DeskError` (USAGE)."""
    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise DeskError(f"cannot read {name}: {error.strerror}", ExitCode.USAGE) from error


def parse_json(text: str | bytes) -> Any:
    """Parse JSON that can be sent on. Raises ValueError, also for NaN, half surrogates and huge integers."""
    try:
        value = json.loads(text, parse_int=_int64, parse_constant=_refuse)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    return value


def _int64(digits: str) -> int:
    number = int(digits)
    if not -(2**63) <= number < 2**63:
        raise ValueError("a number is too large")
    return number


def _refuse(constant: str) -> Never:
    raise ValueError(f"{constant} is not JSON")
