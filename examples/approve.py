"""See what waits for a person's yes, and answer, with langgraph-sdk alone.

export DESK_TOKEN=…                      # yours, of .tokens.json; DESK_URL if it is not 127.0.0.1:2024
python examples/approve.py list
python examples/approve.py show THREAD
python examples/approve.py approve THREAD
python examples/approve.py reject THREAD "please send a photo first"
"""

import os
import sys
from typing import Any

from langgraph_sdk import get_sync_client
from langgraph_sdk.errors import APIStatusError
from langgraph_sdk.schema import Command

client = get_sync_client(url=os.environ.get("DESK_URL", "http://127.0.0.1:2024"), api_key=os.environ.get("DESK_TOKEN"))


def waiting(thread: Any) -> list[Any]:
    """The requests that a thread waits with."""
    return [interrupt["value"] for task in thread["interrupts"].values() for interrupt in task]


def show_all() -> None:
    """A line for each request."""
    for thread in client.threads.search(status="interrupted", limit=100):
        for request in waiting(thread):
            facts = request["action_requests"][0]["description"].splitlines()[0]
            print(f"{thread['thread_id']}  {request['request_id']}  {facts}")


def answer(thread_id: str, decision: str, note: str = "") -> None:
    """Answer what this thread shows, and say what came of it; `show` answers nothing."""
    thread: Any = client.threads.get(thread_id)
    if not (requests := waiting(thread)):
        sys.exit(f"{thread_id} waits for nobody")
    if decision == "show":
        print(requests[0]["action_requests"][0]["description"])
        return
    said = {"decisions": [{"type": decision, "message": note}], "token": requests[0]["token"]}  # of what was shown
    values: Any = client.runs.wait(thread_id, thread["metadata"]["graph_id"], command=Command(resume=said))
    print(values["messages"][-1]["content"])


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["list"]:
            show_all()
        case ["show" | "approve" | "reject" as decision, thread_id, *note] if len(note) < 2:
            try:
                answer(thread_id, decision, *note)
            except APIStatusError as error:
                sys.exit(str(error))
        case _:
            sys.exit(__doc__)
